import { source } from './source.ts';
import type { TextReader } from './text.ts';

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
  /** How the value of each field began the last time that it was not nothing, in the order of the keys. */
  readonly heads: Uint8Array;
  /** Reads an object of it that begins here; undefined when it has other keys: then {@link takePart} has what it is so far. */
  read(): Fields | undefined;
}

/** An object that is being read. */
export type Fields = Record<string, unknown>;

/** Reads what is in an object. */
export interface FieldReader {
  /** Of the texts that values are. */
  readonly texts: TextReader;
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

export function setPart(object: Fields, count: number): void {
  part = { object, count };
}

/** What was read of the last object that was not of the shape it was tried with. */
export function takePart(): Part {
  const taken = part;
  part = NO_PART;
  return taken;
}

/** A shape whose objects are read field by field, as they would be without it, but for their keys. */
export function shapeOf(keys: readonly ShapeKey[], { readItem }: FieldReader): Shape {
  const first = keys[0] as ShapeKey;
  const heads = new Uint8Array(keys.length);
  const readValue = (index: number): unknown => {
    const head = source.bytes[source.at] as number;
    const value = readItem();
    if (value !== null && value !== undefined) heads[index] = head;
    return value;
  };
  const read = (): Fields | undefined => {
    if (!takeKey(first.bytes)) return undefined;
    const object: Fields = {};
    object[first.name] = readValue(0);
    for (let count = 1; count < keys.length; count++) {
      const { name, bytes } = keys[count] as ShapeKey;
      if (!takeKey(bytes)) {
        setPart(object, count);
        return undefined;
      }
      object[name] = readValue(count);
    }
    return object;
  };
  return { keys, hits: 0, heads, read };
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
