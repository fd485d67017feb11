import { EncodeError } from './errors.ts';
import { putFlat, sawFields } from './flat.ts';
import {
  ARRAY,
  BYTES,
  FALSE,
  headBytes,
  MAP,
  NEGATIVE,
  NULL,
  TAG,
  TEXT,
  TRUE,
  UNDEFINED,
  UNSIGNED,
} from './head.ts';
import { BEFORE_KEYS, findKey, putKeyEnd } from './known-key.ts';
import { putHead, putNumber, putShortText, SHORT_TEXT } from './put.ts';
import { BIGNUM_BYTES_MAX, bytesOfBigint, Tag, typedArrayTag } from './tags.ts';

/** As deep as any decoder takes. */
const DEPTH_MAX = 512;
/** Small encodings share a piece of memory of this size; a larger one gets its own. */
const SLAB_BYTES = 8 * 1024;
const INT64_END = 2n ** 64n;

const textEncoder = new TextEncoder();

/** What is being written, and where. Shared by all calls, as encoding is synchronous. */
let target: Uint8Array = new Uint8Array(0);
/** The same memory: to put four or eight bytes at once takes a fifth less of the whole. */
let view: DataView = viewOf(target);
let start = 0;
let at = 0;
let isWriting = false;
/** The memory is a caller's, and does not grow. */
let isFixed = false;
const NO_ROOM: unique symbol = Symbol('no room');

/** What a caller gave last, which it probably gives again, and the view of it. */
let given: Uint8Array = target;
let viewOfGiven: DataView = view;

const isOwn = Object.prototype.hasOwnProperty;

/**
 * Encodes a value as CBOR (RFC 8949).
 *
 * Numbers, bigints, strings, booleans, null, undefined, arrays, plain objects, `Uint8Array`, `Map` (tag 259), `Set`
 * (tag 258), `Date` (tag 1) and typed arrays (tags 64–86) come back from `decodeCbor` as they were, with these
 * exceptions: a lone surrogate becomes U+FFFD, an `ArrayBuffer` a `Uint8Array`, an instance of another class a plain
 * object of its own fields. A number is an integer of up to 32 bits or a float of 64. Not deterministic in the order of
 * keys: see `encodeCanonical`.
 *
 * The result is never written to again, but may share its underlying buffer with others.
 *
 * @throws {EncodeError} for functions, symbols, errors, regular expressions, objects of the platform (such as a Blob or
 *   a Promise), a key `__proto__`, bigints of more than 2,048 bits, and what is nested deeper than 512 (such as a cycle).
 */
export function encodeCbor(value: unknown): Uint8Array {
  if (isWriting) return encodeWithin(value);
  start = at;
  isWriting = true;
  try {
    write(value, 0);
  } catch (error) {
    at = start;
    throw error;
  } finally {
    isWriting = false;
  }
  const encoded = target.subarray(start, at);
  if (target.length <= SLAB_BYTES) return encoded;
  // It outgrew the shared memory: what it got is its own, unless most of that is empty.
  target = new Uint8Array(0);
  view = viewOf(target);
  at = 0;
  return 2 * encoded.length > encoded.buffer.byteLength ? encoded : encoded.slice();
}

/**
 * Encodes a value as {@link encodeCbor} does, to `into` from `offset` on, where it may leave anything behind its end.
 *
 * @returns where the encoding ends, or undefined when there is not room enough, of which it wants up to 12 bytes more than it fills.
 * @throws {EncodeError} as there.
 */
export function encodeCborInto(value: unknown, into: Uint8Array, offset: number): number | undefined {
  // One by one: as an object of all of them, made for each value, they took 4 % of a producer.
  const outerTarget = target;
  const outerView = view;
  const outerStart = start;
  const outerAt = at;
  const wasWriting = isWriting;
  const wasFixed = isFixed;
  takeMemory(into, offset);
  try {
    write(value, 0);
    return at;
  } catch (error) {
    if (error === NO_ROOM) return undefined;
    throw error;
  } finally {
    target = outerTarget;
    view = outerView;
    start = outerStart;
    at = outerAt;
    isWriting = wasWriting;
    isFixed = wasFixed;
  }
}

function takeMemory(into: Uint8Array, offset: number): void {
  if (into !== given || into.byteLength !== viewOfGiven.byteLength) {
    given = into;
    viewOfGiven = viewOf(into);
  }
  target = into;
  view = viewOfGiven;
  start = offset;
  at = offset;
  isWriting = true;
  isFixed = true;
}

/** A getter of what is being encoded encodes something itself. */
function encodeWithin(value: unknown): Uint8Array {
  const outer = { target, view, start, at, isFixed };
  target = new Uint8Array(0);
  at = 0;
  isWriting = false;
  isFixed = false;
  try {
    return encodeCbor(value);
  } finally {
    ({ target, view, start, at, isFixed } = outer);
    isWriting = true;
  }
}

function write(value: unknown, depth: number): void {
  switch (typeof value) {
    case 'string':
      writeText(value);
      break;
    case 'number':
      writeNumber(value);
      break;
    case 'boolean':
      writeByte(value ? TRUE : FALSE);
      break;
    case 'object':
      if (value === null) writeByte(NULL);
      else writeObject(value, depth);
      break;
    case 'undefined':
      writeByte(UNDEFINED);
      break;
    case 'bigint':
      writeBigint(value);
      break;
    default:
      throw new EncodeError(`cannot be encoded: a ${typeof value}`);
  }
}

function writeObject(value: object, depth: number): void {
  if (depth >= DEPTH_MAX) throw new EncodeError(`cannot be encoded: nested deeper than ${DEPTH_MAX}`);
  if (Array.isArray(value)) {
    writeItems(value, value.length, depth);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) writeFields(value, depth);
  else if (value instanceof Uint8Array) writeBytes(value);
  else if (ArrayBuffer.isView(value)) writeTypedArray(value);
  else if (value instanceof ArrayBuffer) writeBytes(new Uint8Array(value));
  else writeInstance(value, depth);
}

function writeInstance(value: object, depth: number): void {
  if (value instanceof Map) {
    writeHead(TAG, Tag.Map);
    writeHead(MAP, value.size);
    for (const [key, item] of value) {
      checkKey(key);
      write(key, depth + 1);
      write(item, depth + 1);
    }
  } else if (value instanceof Set) {
    writeHead(TAG, Tag.Set);
    writeItems(value, value.size, depth);
  } else if (value instanceof Date) {
    writeHead(TAG, Tag.Date);
    writeNumber(value.getTime() / 1000);
  } else if (value instanceof Error || value instanceof RegExp || Symbol.toStringTag in value) {
    throw new EncodeError(`cannot be encoded: ${value.constructor?.name ?? 'an object of the platform'}`);
  } else {
    writeFields(value, depth);
  }
}

function writeItems(items: Iterable<unknown>, count: number, depth: number): void {
  writeHead(ARRAY, count);
  for (const item of items) write(item, depth + 1);
}

/** The own fields of an object. */
function writeFields(value: object, depth: number): void {
  const end = putFlat(value, target, view, at);
  if (end >= 0) {
    at = end;
    return;
  }
  writeEachField(value, depth);
  sawFields(value);
}

/** Counted while they are written. */
function writeEachField(value: object, depth: number): void {
  const headAt = at - start;
  writeByte(MAP << 5);
  let count = 0;
  let last = BEFORE_KEYS;
  for (const key in value) {
    // Unlike Object.hasOwn, which took a fifth of the time of the whole, this costs nothing in such a loop.
    if (!isOwn.call(value, key)) continue;
    let known = last.next;
    if (known === undefined || known.key !== key) {
      checkKey(key);
      known = findKey(key, last);
    }
    if (known === undefined) {
      writeText(key);
    } else {
      // Here and not in a function of its own, which the compiler leaves one: that takes a tenth more.
      reserve(known.room);
      const from = at;
      view.setInt32(from, known.word0);
      if (known.length > 4) view.setInt32(from + 4, known.word1);
      if (known.length > 8) putKeyEnd(known, view, from + 8);
      at = from + known.length;
      last = known;
    }
    writeField((value as Record<string, unknown>)[key], depth);
    count++;
  }
  writeCount(headAt, count);
}

/** What is most frequent comes first. */
function writeField(value: unknown, depth: number): void {
  if (typeof value === 'number') writeNumber(value);
  else if (typeof value === 'string') writeText(value);
  else write(value, depth + 1);
}

/** Writes how many fields there are into the head of a map, which takes more room if they are many. */
function writeCount(headAt: number, count: number): void {
  if (count < 24) target[start + headAt] = (MAP << 5) | count;
  else writeLateHead(headAt, count);
}

/** Writes the head of a map of many fields before them. */
function writeLateHead(headAt: number, count: number): void {
  const fieldsAt = headAt + 1;
  const fields = at - start - fieldsAt;
  reserve(9);
  at = start + headAt;
  const from = start + fieldsAt;
  const head = headBytes(count);
  target.copyWithin(at + head, from, from + fields);
  writeHead(MAP, count);
  at += fields;
}

function checkKey(key: unknown): void {
  if (key === '__proto__') throw new EncodeError('the key __proto__ is refused by decoders');
}

function writeNumber(value: number): void {
  reserve(9);
  at = putNumber(view, at, value);
}

/** In 64 bits, by which decoders know it, or as a bignum. */
function writeBigint(value: bigint): void {
  const argument = value < 0n ? -1n - value : value;
  if (argument < INT64_END) {
    reserve(9);
    target[at] = ((value < 0n ? NEGATIVE : UNSIGNED) << 5) | 27;
    view.setBigUint64(at + 1, argument);
    at += 9;
    return;
  }
  const bytes = bytesOfBigint(argument);
  if (bytes.length > BIGNUM_BYTES_MAX) {
    throw new EncodeError(`cannot be encoded: a bigint of more than ${8 * BIGNUM_BYTES_MAX} bits`);
  }
  writeHead(TAG, value < 0n ? Tag.NegativeBignum : Tag.Bignum);
  writeBytes(bytes);
}

function writeTypedArray(value: ArrayBufferView): void {
  const tag = typedArrayTag(value);
  if (tag === undefined) throw new EncodeError(`cannot be encoded: ${value.constructor.name}`);
  writeHead(TAG, tag);
  writeBytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
}

function writeBytes(bytes: Uint8Array): void {
  reserve(9 + bytes.length);
  writeHead(BYTES, bytes.length);
  target.set(bytes, at);
  at += bytes.length;
}

function writeText(text: string): void {
  if (text.length < SHORT_TEXT) {
    reserve(2 + text.length);
    const end = putShortText(target, at, text);
    if (end >= 0) {
      at = end;
      return;
    }
  }
  writeLongText(text);
}

function writeLongText(text: string): void {
  const most = 3 * text.length;
  reserve(9 + most);
  // Where it ends up unless it is not ASCII.
  const guess = headBytes(text.length);
  const { written } = textEncoder.encodeInto(text, target.subarray(at + guess, at + guess + most));
  const head = headBytes(written);
  if (head !== guess) target.copyWithin(at + head, at + guess, at + guess + written);
  writeHead(TEXT, written);
  at += written;
}

function writeByte(byte: number): void {
  reserve(1);
  target[at++] = byte;
}

function writeHead(major: number, argument: number): void {
  reserve(9);
  at = putHead(view, at, major, argument);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function reserve(bytes: number): void {
  if (at + bytes > target.length) grow(bytes);
}

/** Other memory, into which what is being written moves along. */
function grow(bytes: number): void {
  if (isFixed) throw NO_ROOM;
  const written = target.subarray(start, at);
  const needed = written.length + bytes;
  // What grows again and again doubles; what is large at once gets about what it needs.
  const size = Math.max(SLAB_BYTES, needed + Math.min(needed, 2 * written.length));
  target = new Uint8Array(size);
  view = viewOf(target);
  target.set(written);
  start = 0;
  at = written.length;
}
