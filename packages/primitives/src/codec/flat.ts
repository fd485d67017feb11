import { MAP, TEXT } from './head.ts';
import { putNumber, putShortText, SHORT_TEXT } from './put.ts';

/**
 * Writers of flat objects: of one shape each, which is the keys in their order, with values that are numbers, short texts, booleans or
 * null. A writer is a function made for its shape: it takes a third of the time of going through keys and values one by one, as
 * each value is read from where objects of the shape have it, and keys are numbers in the code.
 *
 * Measured on the bench's object of 6 fields: 90 ns instead of 150. Where code may not be made everything is written as without.
 */
type Write = (object: object, to: Uint8Array, view: DataView, at: number) => number;

interface Flat {
  readonly write: Write;
  /** What was written after one of this shape the last time. */
  next: Flat | undefined;
}

/** Its head is one byte. */
const FIELDS_MAX = 23;
const KEY_BYTES_MAX = 64;
/** Nothing of a key gets into the code but numbers and JSON; they are the program's own objects, but may be made of others'. */
let compilationsLeft = 128;
/** Of so many objects that are written without one is looked at; a shape that was seen so often gets a writer. */
const LOOK_EVERY = 8;
const SEEN_BEFORE = 4;
const CANDIDATES_MAX = 256;
/** Whoever writes ever other shapes does not pay for trying: after so many failures in excess there is a pause. */
const CREDIT = 64;
const PAUSE = 4_096;
const SAME_FIRST_KEY_MAX = 4;

const NOBODY: readonly Flat[] = [];
const textEncoder = new TextEncoder();

/** By their keys: those that have a writer, and how often others were seen. */
const learned = new Set<string>();
const candidates = new Map<string, number>();
const byFirstKey = new Map<string, Flat[]>();
let latest: Flat | undefined;
let credit = CREDIT;
let pause = 0;
let unseen = 0;

/** Writes an object if it is flat and its shape is known; returns where it ends, or -1: nothing counts that was written then. */
export function putFlat(object: object, to: Uint8Array, view: DataView, at: number): number {
  if (latest === undefined) return -1;
  if (pause > 0) {
    pause--;
    return -1;
  }
  const expected = latest.next ?? latest;
  const end = expected.write(object, to, view, at);
  if (end < 0) return putOther(object, to, view, at);
  if (credit < CREDIT) credit++;
  latest = expected;
  return end;
}

/** Of another shape than the one that was expected. */
function putOther(object: object, to: Uint8Array, view: DataView, at: number): number {
  for (const other of byFirstKey.get(firstKeyOf(object)) ?? NOBODY) {
    const end = other.write(object, to, view, at);
    if (end < 0) continue;
    (latest as Flat).next = other;
    latest = other;
    if (credit < CREDIT) credit++;
    return end;
  }
  credit--;
  if (credit === 0) {
    credit = CREDIT / 8;
    pause = PAUSE;
  }
  return -1;
}

function firstKeyOf(object: object): string {
  for (const key in object) return key;
  return '';
}

/** Looks at an object that was written without: it may be one of many. */
export function sawFields(object: object): void {
  if (++unseen < LOOK_EVERY || compilationsLeft === 0) return;
  unseen = 0;
  const keys = Object.keys(object);
  if (keys.length === 0 || keys.length > FIELDS_MAX) return;
  if (!hasFlatValues(object)) return;
  const shape = JSON.stringify(keys);
  if (learned.has(shape)) return;
  const seen = (candidates.get(shape) ?? 0) + 1;
  if (candidates.size >= CANDIDATES_MAX) candidates.clear();
  candidates.set(shape, seen);
  if (seen < SEEN_BEFORE) return;
  candidates.delete(shape);
  learned.add(shape);
  learn(keys);
}

/** Nothing is read that a getter would give: it was asked once, and may do something. */
function hasFlatValues(object: object): boolean {
  return Object.values(Object.getOwnPropertyDescriptors(object)).every(
    ({ value, enumerable }) => enumerable === false || isFlat(value),
  );
}

function isFlat(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
      return value.length < SHORT_TEXT;
    case 'number':
    case 'boolean':
      return true;
    default:
      return value === null;
  }
}

function learn(keys: readonly string[]): void {
  const encoded = keys.map((key) => textEncoder.encode(key));
  if (encoded.some(({ length }) => length > KEY_BYTES_MAX)) return;
  compilationsLeft--;
  try {
    const make = new Function('isOwn', 'putNumber', 'putShortText', codeOf(keys, encoded)) as Maker;
    const flat: Flat = {
      write: make(Object.prototype.hasOwnProperty, putNumber, putShortText),
      next: undefined,
    };
    const [first = ''] = keys;
    byFirstKey.set(first, [flat, ...(byFirstKey.get(first) ?? [])].slice(0, SAME_FIRST_KEY_MAX));
    latest = flat;
  } catch {
    compilationsLeft = 0;
  }
}

type Maker = (
  isOwn: typeof Object.prototype.hasOwnProperty,
  number: typeof putNumber,
  text: typeof putShortText,
) => Write;

/** The code of a {@link Maker}. Keys are looked at before anything is written; each value is read once. */
function codeOf(keys: readonly string[], encoded: readonly Uint8Array[]): string {
  const cases = keys.map(
    (key, index) => `case ${index}: if (key !== ${JSON.stringify(key)}) return -1; break;`,
  );
  const fields = keys.map((key, index) => fieldCode(key, encoded[index] as Uint8Array));
  const keyBytes = encoded.reduce((sum, { length }) => sum + 2 + length, 0);
  const room = 1 + keyBytes + keys.length * (2 + SHORT_TEXT) + 4;
  return `'use strict';
  return (object, to, view, at) => {
    let count = 0, value;
    for (const key in object) {
      if (!isOwn.call(object, key)) return -1;
      switch (count++) { ${cases.join('\n')} default: return -1; }
    }
    if (count !== ${keys.length} || at + ${room} > to.length) return -1;
    to[at++] = ${(MAP << 5) | keys.length};
    ${fields.join('\n')}
    return at;
  };`;
}

/** A key, four bytes at once, whatever is behind it, and then its value. */
function fieldCode(key: string, encoded: Uint8Array): string {
  const head = encoded.length < 24 ? [(TEXT << 5) | encoded.length] : [(TEXT << 5) | 24, encoded.length];
  const bytes = [...head, ...encoded];
  const words = Array.from({ length: Math.ceil(bytes.length / 4) }, (_, index) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(4 * index, 4 * index + 4);
    return `view.setInt32(at + ${4 * index}, ${(a << 24) | (b << 16) | (c << 8) | d});`;
  });
  return `${words.join('')}
    at += ${bytes.length};
    value = object[${JSON.stringify(key)}];
    if (typeof value === 'number') at = putNumber(view, at, value);
    else if (typeof value === 'string') {
      if (value.length >= ${SHORT_TEXT}) return -1;
      at = putShortText(to, at, value);
      if (at < 0) return -1;
    }
    else if (value === true) to[at++] = 0xf5;
    else if (value === false) to[at++] = 0xf4;
    else if (value === null) to[at++] = 0xf6;
    else return -1;`;
}
