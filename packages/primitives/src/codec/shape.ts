import { source } from './source.ts';

/** A key of an object as it was encoded, its head among the bytes. */
export interface ShapeKey {
  readonly name: string;
  readonly bytes: readonly number[];
}

/** The keys of an object, in their order. */
export interface Shape {
  readonly keys: readonly ShapeKey[];
  /** How many objects had it since it was learned, as long as that matters. */
  hits: number;
  /** Reads an object of it that begins here; undefined when it has other keys: then {@link takePart} has what it is so far. */
  read(): Fields | undefined;
}

/** An object that is being read. */
export type Fields = Record<string, unknown>;

/** Reads what is in an object. */
export interface FieldReader {
  readKey(): string;
  readItem(): unknown;
  /** Reads so many fields into an object. */
  readFields(object: Fields, count: number): Fields;
}

/** Of an object whose keys were others than expected: its fields up to there. */
export interface Part {
  readonly object: Fields;
  readonly count: number;
}

const NO_PART: Part = { object: {}, count: 0 };
let part: Part = NO_PART;

/** What was read of the last object that was not of the shape it was tried with. */
export function takePart(): Part {
  const taken = part;
  part = NO_PART;
  return taken;
}

/** A shape whose objects are read field by field, as they would be without it, but for their keys. */
export function shapeOf(keys: readonly ShapeKey[], { readItem }: FieldReader): Shape {
  const first = keys[0] as ShapeKey;
  const read = (): Fields | undefined => {
    if (!takeKey(first.bytes)) return undefined;
    const object: Fields = {};
    object[first.name] = readItem();
    for (let count = 1; count < keys.length; count++) {
      const { name, bytes } = keys[count] as ShapeKey;
      if (!takeKey(bytes)) {
        part = { object, count };
        return undefined;
      }
      object[name] = readItem();
    }
    return object;
  };
  return { keys, hits: 0, read };
}

/** Goes past a key, and counts it, if it is the one that comes next and nothing is wrong with it. */
function takeKey(key: readonly number[]): boolean {
  const { bytes, at, end } = source;
  const { length } = key;
  if (at + length > end || source.items >= source.maxItems) return false;
  for (let index = 0; index < length; index++) {
    if (bytes[at + index] !== key[index]) return false;
  }
  source.at = at + length;
  source.items++;
  return true;
}

/** As many shapes are compiled in the life of a process: whoever sends ever new ones gets no more of its time and memory. */
let compilationsLeft = 256;

/**
 * Makes a shape read its objects by a function of its own, where that is allowed: not on pages whose Content-Security-Policy
 * forbids it, which may report the one attempt, and not on some platforms. What it gives is the same.
 *
 * Measured on the bench's object of 6 fields, 125 ns instead of 223: most of that is gained by a literal, which makes an object at
 * once instead of field by field in code that makes objects of all shapes, and a third by bytes of keys that are a part of the
 * code. Copies of a template that are then filled took longer than what they replaced. Nothing of a key gets into the code but
 * numbers and JSON.
 */
export function compile(shape: Shape, { readItem }: FieldReader): void {
  if (compilationsLeft === 0) return;
  compilationsLeft--;
  try {
    const make = new Function('source', 'readItem', 'leave', codeOf(shape.keys)) as Compiler;
    shape.read = make(source, readItem, (values, count) => leave(shape.keys, values, count));
  } catch {
    compilationsLeft = 0;
  }
}

type Compiler = (
  from: typeof source,
  readItem: () => unknown,
  leave: (values: readonly unknown[], count: number) => void,
) => Shape['read'];

/** The code of a {@link Compiler}, with the same checks in the same order as those of {@link shapeOf}. */
function codeOf(keys: readonly ShapeKey[]): string {
  const values = keys.map((_, index) => `v${index}`).join();
  const fields = keys.map(({ name }, index) => `${JSON.stringify(name)}:v${index}`).join();
  const steps = keys.map(({ bytes }, index) => {
    const differs = bytes.map((byte, offset) => `bytes[at+${offset}]!==${byte}`).join('||');
    return `
      at = source.at;
      if (at + ${bytes.length} > end || source.items >= maxItems || ${differs}) break fields;
      source.at = at + ${bytes.length};
      source.items++;
      v${index} = readItem();
      count++;`;
  });
  return `'use strict';
  return () => {
    const { bytes, end, maxItems } = source;
    let at, count = 0, ${values};
    fields: {
      ${steps.join('')}
      return {${fields}};
    }
    if (count > 0) leave([${values}], count);
  };`;
}

function leave(keys: readonly ShapeKey[], values: readonly unknown[], count: number): void {
  const object: Fields = {};
  for (let index = 0; index < count; index++) object[(keys[index] as ShapeKey).name] = values[index];
  part = { object, count };
}
