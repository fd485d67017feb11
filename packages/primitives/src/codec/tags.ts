import { malformed, overLimit } from './head.ts';

/** The tags that are exchanged, besides those of typed arrays. */
export const Tag = { Date: 1, Bignum: 2, NegativeBignum: 3, Set: 258, Map: 259 } as const;

/** A bignum takes time quadratic in its length to be written out; 2,048 bits hold an RSA key. */
export const BIGNUM_BYTES_MAX = 256;

const TYPED_ARRAY_FIRST = 64;
const LITTLE_ENDIAN = 4;

interface TypedArrayType {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): ArrayBufferView;
}

/**
 * By tag from 64 on (RFC 8746 §2.1): unsigned, signed and floating, each from 8 (or 16) to 64 (or 128) bits, big-endian
 * before little-endian. Undefined is what JavaScript has no array for, or has it not everywhere. Uint8Array itself needs no tag.
 */
const TYPES: readonly (TypedArrayType | undefined)[] = [
  ...[Uint8Array, Uint16Array, Uint32Array, BigUint64Array],
  ...[Uint8ClampedArray, Uint16Array, Uint32Array, BigUint64Array],
  ...[Int8Array, Int16Array, Int32Array, BigInt64Array],
  ...[undefined, Int16Array, Int32Array, BigInt64Array],
  ...[undefined, Float32Array, Float64Array, undefined],
  ...[undefined, Float32Array, Float64Array, undefined],
] as readonly (TypedArrayType | undefined)[];

/** Whether this platform keeps the lowest byte of a number first. */
const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

const TAGS: ReadonlyMap<unknown, number> = new Map(
  TYPES.flatMap((type, index) => {
    const isOfPlatform = type?.BYTES_PER_ELEMENT === 1 || isBigEndian(index) !== IS_LITTLE_ENDIAN;
    return type !== undefined && isOfPlatform ? [[type, TYPED_ARRAY_FIRST + index] as const] : [];
  }),
);

/** The tag for the bytes of a typed array as they lie in memory here; undefined for what is none. */
export function typedArrayTag(value: ArrayBufferView): number | undefined {
  return TAGS.get(value.constructor);
}

/**
 * The typed array of this tag; the memory stays shared where that is possible.
 *
 * @param bytes memory that may be written to, if the order of its bytes is another than here
 * @throws {DecodeError} for a tag that is not exchanged, and bytes that do not make whole elements.
 */
export function typedArrayOf(tag: number, bytes: Uint8Array<ArrayBuffer>, offset: number): ArrayBufferView {
  const index = tag - TYPED_ARRAY_FIRST;
  const type = TYPES[index] as TypedArrayType;
  const size = type.BYTES_PER_ELEMENT;
  if (bytes.length % size !== 0) throw malformed(`a part of an element under tag ${tag}`, offset);
  const isForeign = size > 1 && isBigEndian(index) === IS_LITTLE_ENDIAN;
  const own = isForeign || bytes.byteOffset % size !== 0 ? bytes.slice() : bytes;
  if (isForeign) swap(own, size);
  return new type(own.buffer, own.byteOffset, own.length / size);
}

/** Whether a tag is one of {@link typedArrayOf}. */
export function isTypedArrayTag(tag: number): boolean {
  return TYPES[tag - TYPED_ARRAY_FIRST] !== undefined;
}

/** @throws {DecodeError} for too many bytes. */
export function bigintOf(bytes: Uint8Array, offset: number): bigint {
  if (bytes.length > BIGNUM_BYTES_MAX) throw overLimit(`a bignum of ${bytes.length} bytes`, offset);
  let hex = '0x0';
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
  return BigInt(hex);
}

/** Big-endian, without leading zeros. */
export function bytesOfBigint(value: bigint): Uint8Array {
  const digits = value.toString(16);
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  return Uint8Array.from({ length: even.length / 2 }, (_, index) =>
    Number.parseInt(even.slice(2 * index, 2 * index + 2), 16),
  );
}

function isBigEndian(index: number): boolean {
  return (index & LITTLE_ENDIAN) === 0;
}

function swap(bytes: Uint8Array, size: number): void {
  for (let element = 0; element < bytes.length; element += size) {
    bytes.subarray(element, element + size).reverse();
  }
}

/** Of seconds, in ms: whole and part for themselves, as far from now the product of both would be rounded. */
export function dateOf(seconds: number): Date {
  const whole = Math.floor(seconds);
  return new Date(whole * 1000 + Math.round((seconds - whole) * 1000));
}

/** An integer of up to 32 bits or a float; of 64 bits it would be a bigint, which is no time. */
export function isDateHead(head: number): boolean {
  return (head & 0xdf) <= 0x1a || (head >= 0xf9 && head <= 0xfb);
}
