import { DecodeError } from '@mosaik/primitives';

/** Whole numbers below 2^53 as LEB128: seven bits a byte, the lowest first, the top bit says that more follow. */
export const VARINT_BYTES_MAX = 8;

const BELOW_32_BITS = 0x8000_0000;

/** How many bytes a number takes. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/** Writes `value` at `offset`; returns where the next byte goes. */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  let rest = value;
  let at = offset;
  while (rest >= BELOW_32_BITS) {
    target[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  while (rest >= 0x80) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}

/**
 * Reads a number, and moves on.
 *
 * @throws {DecodeError} when it is cut off, or is not below 2^53.
 */
export function readVarint(reader: { readonly bytes: Uint8Array; offset: number }): number {
  const first = reader.bytes[reader.offset];
  if (first !== undefined && first < 0x80) {
    reader.offset++;
    return first;
  }
  return readLong(reader);
}

function readLong(reader: { readonly bytes: Uint8Array; offset: number }): number {
  const start = reader.offset;
  let value = 0;
  let unit = 1;
  for (let count = 0; count < VARINT_BYTES_MAX; count++) {
    const byte = reader.bytes[reader.offset++];
    if (byte === undefined) throw new DecodeError('malformed', 'a number is cut off', { offset: start });
    value += (byte & 0x7f) * unit;
    if (byte < 0x80) {
      if (Number.isSafeInteger(value)) return value;
      break;
    }
    unit *= 128;
  }
  throw new DecodeError('limit', 'a number is not below 2^53', { offset: start });
}
