import { ARGUMENT_FOLLOWS, SIMPLE } from './head.ts';

const FLOAT16 = 25;
const FLOAT32 = 26;
const FLOAT64 = 27;
const HALF_NAN = 0x7e00;
const HALF_INFINITY = 0x7c00;

const textEncoder = new TextEncoder();
const floatView = new DataView(new ArrayBuffer(8));

/** Appends CBOR in its preferred serialization (RFC 8949 §4.1): every head and float as short as its value allows. */
export class CborWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What was written from `start` on, copied. */
  slice(start: number): Uint8Array {
    return this.#bytes.slice(start, this.#length);
  }

  /** Forgets what was written from `length` on. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** A first byte with its argument, a whole number below 2^53. */
  head(major: number, argument: number): void {
    const at = this.#grow(9);
    const type = major << 5;
    if (argument < ARGUMENT_FOLLOWS) {
      this.#bytes[at] = type | argument;
      this.#length = at + 1;
    } else if (argument < 0x100) {
      this.#bytes[at] = type | 24;
      this.#bytes[at + 1] = argument;
      this.#length = at + 2;
    } else if (argument < 0x1_0000) {
      this.#bytes[at] = type | 25;
      this.#view.setUint16(at + 1, argument);
      this.#length = at + 3;
    } else if (argument < 0x1_0000_0000) {
      this.#bytes[at] = type | 26;
      this.#view.setUint32(at + 1, argument);
      this.#length = at + 5;
    } else {
      this.#head64(major, BigInt(argument));
    }
  }

  /** As {@link head}, up to 2^64 - 1. */
  bigHead(major: number, argument: bigint): void {
    if (argument < 0x1_0000_0000n) this.head(major, Number(argument));
    else this.#head64(major, argument);
  }

  raw(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    this.#length = at + bytes.length;
  }

  /** A string of either kind; text as UTF-8. */
  string(major: number, content: string | Uint8Array): void {
    const bytes = typeof content === 'string' ? textEncoder.encode(content) : content;
    this.head(major, bytes.length);
    this.raw(bytes);
  }

  /** The shortest float that has this value; every NaN is the same. */
  float(value: number): void {
    const half = toHalf(value);
    const at = this.#grow(9);
    if (half !== undefined) {
      this.#bytes[at] = (SIMPLE << 5) | FLOAT16;
      this.#view.setUint16(at + 1, half);
      this.#length = at + 3;
    } else if (Math.fround(value) === value) {
      this.#bytes[at] = (SIMPLE << 5) | FLOAT32;
      this.#view.setFloat32(at + 1, value);
      this.#length = at + 5;
    } else {
      this.#bytes[at] = (SIMPLE << 5) | FLOAT64;
      this.#view.setFloat64(at + 1, value);
      this.#length = at + 9;
    }
  }

  #head64(major: number, argument: bigint): void {
    const at = this.#grow(9);
    this.#bytes[at] = (major << 5) | 27;
    this.#view.setBigUint64(at + 1, argument);
    this.#length = at + 9;
  }

  /** Makes room for `count` more bytes; returns where they go. */
  #grow(count: number): number {
    const needed = this.#length + count;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return this.#length;
  }
}

/** The bits of the 16-bit float (IEEE 754 binary16) of exactly this value, if there is one. */
function toHalf(value: number): number | undefined {
  if (Number.isNaN(value)) return HALF_NAN;
  if (Math.fround(value) !== value) return undefined;
  floatView.setFloat32(0, value);
  const bits = floatView.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 127;
  const fraction = bits & 0x7f_ffff;
  if (value === 0) return sign;
  if (exponent === 128) return sign | HALF_INFINITY;
  if (exponent >= -14 && exponent <= 15) {
    return (fraction & 0x1fff) === 0 ? sign | ((exponent + 15) << 10) | (fraction >> 13) : undefined;
  }
  if (exponent < -24 || exponent > 15) return undefined;
  // Subnormal in 16 bits: the leading one is written out.
  const significand = fraction | 0x80_0000;
  const shift = -1 - exponent;
  return (significand & ((1 << shift) - 1)) === 0 ? sign | (significand >> shift) : undefined;
}
