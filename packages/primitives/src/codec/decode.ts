import type { DecodeError } from './errors.ts';
import {
  ARGUMENT_FOLLOWS,
  ARRAY,
  BYTES,
  FLOAT64,
  INDEFINITE,
  MAP,
  malformed,
  NEGATIVE,
  overLimit,
  SIMPLE,
  TAG,
  TEXT,
  truncated,
  UNSIGNED,
} from './head.ts';
import type { FieldReader } from './shape.ts';
import { FIELDS_MAX, readShaped } from './shapes.ts';
import { readSimple } from './simple.ts';
import { closeSource, readArgument, readFloat64, readHead, readUint64, source } from './source.ts';
import { bigintOf, dateOf, isDateHead, isTypedArrayTag, Tag, typedArrayOf } from './tags.ts';
import { TextReader } from './text.ts';

/** Bounds of what a decoder takes, checked before anything is allocated. */
export interface DecodeLimits {
  /** Bytes of the whole encoding; default 16 MiB, as a frame. */
  readonly maxBytes?: number | undefined;
  /** Arrays and maps within each other; default 64, at most 512. */
  readonly maxDepth?: number | undefined;
  /** Values, keys, tags and containers counted together; default 1,000,000. */
  readonly maxItems?: number | undefined;
  /**
   * What integers of 64 bits become; default `bigint`, whatever their value. As a `number` those beyond 2^53 - 1 are
   * refused: for what `encodeCanonical` wrote, and for peers that write every integer as such.
   */
  readonly int64?: 'bigint' | 'number' | undefined;
}

/** How {@link decodeCbor} decodes. */
export interface DecodeOptions extends DecodeLimits {
  /**
   * Whether byte strings and typed arrays get memory of their own; default true. With false they are views of the
   * input where that is possible, which spares a copy: only for an input that is never written to again, and that
   * may stay in memory as long as any of them.
   */
  readonly copyBytes?: boolean | undefined;
}

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;
export const DEFAULT_MAX_DEPTH = 64;
const DEFAULT_MAX_ITEMS = 1_000_000;
/** Decoding recurses: this deep it is far from the end of any stack. */
const DEPTH_CEILING = 512;
const BREAK = 0xff;
const PROTO = '__proto__';
const TEXT_HEAD = TEXT << 5;

/** How far what is being read goes, beside {@link source}. */
let depth = 0;
let maxDepth = 0;
let isSafe = false;
let copies = true;

/** Keys come again more surely than other texts, which are not to push them out. */
const keys = new TextReader();
const texts = new TextReader();

const fieldReader: FieldReader = { texts, readKey, readItem, readFields };

/**
 * Decodes exactly one well-formed CBOR item (RFC 8949) within the limits, of the kinds that mosaik exchanges.
 *
 * Maps become plain objects (keys as text, the last of equal keys wins) unless they carry tag 259, which makes them a
 * `Map`. Integers of 64 bits become a bigint whatever their value, unless `int64` says otherwise. Byte strings are
 * `Uint8Array`, never a `Buffer`.
 *
 * Refused besides what is malformed: indefinite-length strings, text that is not UTF-8, simple values other than the
 * booleans, null and undefined, tags other than 1 (date), 2 and 3 (bignum, up to 256 bytes), 64–86 (typed arrays), 258
 * (set), 259 (map), the key `__proto__`, and in objects keys that are neither texts, numbers nor booleans.
 *
 * @throws {DecodeError} and nothing else.
 */
export function decodeCbor(input: Uint8Array, options?: DecodeOptions): unknown {
  return decodeCborWithin(input, 0, input.length, options);
}

/**
 * As {@link decodeCbor}, of the bytes from `from` to `to` of an input: a view of its own for each of many small items
 * costs a third of what decoding them does.
 *
 * @throws {DecodeError} with offsets in the whole input.
 */
export function decodeCborWithin(
  input: Uint8Array,
  from: number,
  to: number,
  options?: DecodeOptions,
): unknown {
  return decodeLimited(input, from, to, options === undefined ? DEFAULT_LIMITS : limitsOf(options));
}

/** As {@link decodeCborWithin}, for many items with the same options: those are looked at once. */
export function cborDecoder(
  options: DecodeOptions = {},
): (input: Uint8Array, from: number, to: number) => unknown {
  const limits = limitsOf(options);
  return (input, from, to) => decodeLimited(input, from, to, limits);
}

/** Options with their defaults: objects of one shape, whatever options were given. */
interface Limits {
  readonly maxBytes: number;
  readonly maxItems: number;
  readonly maxDepth: number;
  readonly isSafe: boolean;
  readonly copies: boolean;
}

function limitsOf(options: DecodeOptions): Limits {
  return {
    maxBytes: options.maxBytes ?? DEFAULT_MAX_BYTES,
    maxItems: options.maxItems ?? DEFAULT_MAX_ITEMS,
    maxDepth: Math.min(options.maxDepth ?? DEFAULT_MAX_DEPTH, DEPTH_CEILING),
    isSafe: options.int64 === 'number',
    copies: options.copyBytes !== false,
  };
}

const DEFAULT_LIMITS = limitsOf({});

function decodeLimited(input: Uint8Array, from: number, to: number, limits: Limits): unknown {
  const { maxBytes } = limits;
  if (to - from > maxBytes) throw overLimit(`${to - from} bytes of at most ${maxBytes}`, maxBytes);
  source.bytes = input;
  source.at = from;
  source.end = to;
  source.items = 0;
  source.maxItems = limits.maxItems;
  depth = 0;
  maxDepth = limits.maxDepth;
  isSafe = limits.isSafe;
  copies = limits.copies;
  try {
    const value = readItem();
    const left = source.end - source.at;
    if (left > 0) throw malformed(`${left} bytes too many`, source.at);
    return value;
  } finally {
    closeSource();
  }
}

/**
 * What is most frequent comes first, and in one function: calls that are too deep for the compiler to undo made an object of 6
 * fields take a quarter more.
 */
function readItem(): unknown {
  const { bytes, at, end } = source;
  if (source.items++ >= source.maxItems) throw overLimit(`more than ${source.maxItems} items`, at);
  if (at >= end) throw truncated(at);
  const head = bytes[at] as number;
  const contentAt = at + 1;
  source.at = contentAt;
  if (head >= TEXT_HEAD && head < TEXT_HEAD + ARGUMENT_FOLLOWS) {
    const length = head - TEXT_HEAD;
    if (length > end - contentAt) throw truncated(contentAt);
    source.at = contentAt + length;
    return texts.read(bytes, contentAt, length);
  }
  return head === FLOAT64 ? readFloat64() : readOther(head);
}

function readOther(head: number): unknown {
  const low = head & 31;
  switch (head >> 5) {
    case UNSIGNED:
      return low === 27 ? readInt64(UNSIGNED) : readArgument(low);
    case NEGATIVE:
      return low === 27 ? readInt64(NEGATIVE) : -1 - readArgument(low);
    case BYTES:
      return readBytes(low);
    case TEXT:
      return readText(low, texts);
    case ARRAY:
      return readArray(low);
    case MAP:
      return readObject(low);
    case TAG:
      return readTagged(readArgument(low));
    default:
      return readSimple(low);
  }
}

function readInt64(major: typeof UNSIGNED | typeof NEGATIVE): number | bigint {
  if (isSafe) {
    const argument = readArgument(27);
    if (argument > Number.MAX_SAFE_INTEGER - major) {
      throw malformed('an integer beyond 2^53 - 1', source.at - 9);
    }
    return major === UNSIGNED ? argument : -1 - argument;
  }
  const argument = readUint64();
  return major === UNSIGNED ? argument : -1n - argument;
}

/** Length of a string that begins here and fits. */
function readLength(low: number): number {
  const length = readArgument(low);
  if (length > source.end - source.at) throw truncated(source.at);
  return length;
}

function readBytes(low: number): Uint8Array<ArrayBuffer> {
  const length = readLength(low);
  const { bytes, at } = source;
  source.at = at + length;
  // A Buffer's own slice and subarray would give another Buffer.
  if (!copies) return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset + at, length);
  const copy = new Uint8Array(length);
  if (length > 0) copy.set(bytes.subarray(at, at + length));
  return copy;
}

function readText(low: number, reader: TextReader): string {
  const length = readLength(low);
  const { bytes, at } = source;
  source.at = at + length;
  return reader.read(bytes, at, length);
}

function readArray(low: number): unknown[] {
  const count = open(low, 1);
  const array: unknown[] = [];
  for (let left = count; left !== 0; left--) {
    if (left < 0 && isAtBreak()) break;
    array.push(readItem());
  }
  depth--;
  return array;
}

function readObject(low: number): Record<string, unknown> {
  const count = open(low, 2);
  const object = count > 0 && count <= FIELDS_MAX ? readShaped(count, fieldReader) : readFields({}, count);
  depth--;
  return object;
}

/** Reads so many fields into an object, or, when that is below 0, as many as come before a break. */
function readFields(object: Record<string, unknown>, count: number): Record<string, unknown> {
  for (let left = count; left !== 0; left--) {
    if (left < 0 && isAtBreak()) break;
    const key = readKey();
    object[key] = readItem();
  }
  return object;
}

function readMap(low: number): Map<unknown, unknown> {
  const count = open(low, 2);
  const map = new Map<unknown, unknown>();
  for (let left = count; left !== 0; left--) {
    if (left < 0 && isAtBreak()) break;
    const keyAt = source.at;
    const key = readItem();
    if (key === PROTO) throw malformed(`the key ${PROTO}`, keyAt);
    map.set(key, readItem());
  }
  depth--;
  return map;
}

/** Enters a container; how many entries of so many items each it has, below 0 when a break is to end it. */
function open(low: number, itemsEach: number): number {
  const count = low === INDEFINITE ? -1 : readArgument(low);
  if (depth++ >= maxDepth) throw overLimit(`nested deeper than ${maxDepth}`, source.at - 1);
  const { at, maxItems } = source;
  // Every item takes at least a byte.
  if (count * itemsEach > source.end - at) throw truncated(at);
  if (source.items + count * itemsEach > maxItems) throw overLimit(`more than ${maxItems} items`, at);
  return count;
}

/** Whether a container of indefinite length ends here; goes past the break if so. */
function isAtBreak(): boolean {
  const { bytes, at } = source;
  if (bytes[at] !== BREAK || at >= source.end) return false;
  source.at = at + 1;
  return true;
}

function readKey(): string {
  const head = readHead();
  const keyAt = source.at - 1;
  if (head >> 5 === TEXT) {
    const key = readText(head & 31, keys);
    if (key === PROTO) throw malformed(`the key ${PROTO}`, keyAt);
    return key;
  }
  source.at--;
  source.items--;
  const key =
    head >> 5 === UNSIGNED || head >> 5 === NEGATIVE || head >> 5 === SIMPLE ? readItem() : undefined;
  if (key === undefined || key === null) throw malformed('a key that an object cannot have', keyAt);
  return String(key);
}

function readTagged(tag: number): unknown {
  const head = readHead();
  source.items--;
  const major = head >> 5;
  const low = head & 31;
  const contentAt = source.at - 1;
  const wrong = (): DecodeError => malformed(`tag ${tag} on something that it cannot be on`, contentAt);
  switch (tag) {
    case Tag.Date:
      if (!isDateHead(head)) throw wrong();
      source.at--;
      return dateOf(readItem() as number);
    case Tag.Set:
      if (major !== ARRAY) throw wrong();
      source.items++;
      return new Set(readArray(low));
    case Tag.Map:
      if (major !== MAP) throw wrong();
      source.items++;
      return readMap(low);
    default:
  }
  const isBignum = tag === Tag.Bignum || tag === Tag.NegativeBignum;
  if (!(isBignum || isTypedArrayTag(tag))) throw malformed(`tag ${tag} is not exchanged`, contentAt);
  if (major !== BYTES) throw wrong();
  source.items++;
  const content = readBytes(low);
  if (!isBignum) return typedArrayOf(tag, content, contentAt);
  const argument = bigintOf(content, contentAt);
  return tag === Tag.Bignum ? argument : -1n - argument;
}
