import { DecodeError, invariant } from '@mosaik/primitives';

/** Bytes of the longest varint: 2^53 - 1 in groups of seven bits. */
const VARINT_BYTES_MAX = 8;
const HIGH = 2 ** 28;

/** Appends numbers and bytes to a buffer that grows. Numbers are whole, below 2^53, as varints (LEB128). */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(bytesExpected = 256) {
    this.#bytes = new Uint8Array(bytesExpected);
  }

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  varint(value: number): void {
    invariant(Number.isSafeInteger(value) && value >= 0, `${value} is no whole number below 2^53`);
    this.#reserve(VARINT_BYTES_MAX);
    let rest = value;
    // Bit operations take 32 bits: what is above goes by division.
    for (; rest >= HIGH; rest = Math.floor(rest / 128)) this.#bytes[this.#length++] = (rest % 128) | 0x80;
    for (; rest >= 0x80; rest >>>= 7) this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#length++] = rest;
  }

  uint32(value: number): void {
    this.#reserve(4);
    for (let shift = 24; shift >= 0; shift -= 8) this.#bytes[this.#length++] = value >>> shift;
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Bytes after their length. */
  sized(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** What was written from `start` on, as a view: until the next write. */
  since(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.#length);
  }

  /** Writes over a number that was written by {@link ByteWriter.uint32} at `offset`. */
  setUint32(offset: number, value: number): void {
    invariant(offset + 4 <= this.#length, 'only what was written is written over');
    for (let at = 0; at < 4; at++) this.#bytes[offset + at] = value >>> (24 - 8 * at);
  }

  /** What was written, as a view of the buffer: nothing may be written afterwards. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/**
 * Reads what {@link ByteWriter} writes. All but the constructor throws {@link DecodeError}, and nothing else, when there are
 * not enough bytes.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  byte(): number {
    const value = this.#bytes[this.#offset];
    if (value === undefined) throw this.#error('ends early');
    this.#offset++;
    return value;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let at = 0; at < VARINT_BYTES_MAX; at++, scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte >= 0x80) continue;
      if (byte === 0 && at > 0) throw this.#error('a number that is longer than it must be');
      if (!Number.isSafeInteger(value)) throw this.#error('a number beyond 2^53');
      return value;
    }
    throw this.#error('a number beyond 2^53');
  }

  uint32(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.raw(4);
    return a * 2 ** 24 + (b << 16) + (c << 8) + d;
  }

  /** The next bytes, as a view. */
  raw(count: number): Uint8Array {
    if (count > this.remaining)
      throw this.#error(`ends early: ${count} bytes expected, ${this.remaining} left`);
    const start = this.#offset;
    this.#offset += count;
    return this.#bytes.subarray(start, this.#offset);
  }

  /** Bytes after their length, as a view. */
  sized(): Uint8Array {
    return this.raw(this.varint());
  }

  /** A count of things of at least `bytesEach` bytes: not more than there can be. */
  count(bytesEach = 1): number {
    const count = this.varint();
    if (count * bytesEach > this.remaining)
      throw this.#error(`${count} things cannot be in ${this.remaining} bytes`);
    return count;
  }

  /** @throws {DecodeError} when bytes are left. */
  end(): void {
    if (this.remaining > 0) throw this.#error(`${this.remaining} bytes too many`);
  }

  #error(message: string): DecodeError {
    return new DecodeError('malformed', message, { offset: this.#offset });
  }
}
