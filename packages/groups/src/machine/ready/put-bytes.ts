import { decodeCbor } from '@mosaik/primitives';

/** A map of two entries; the key `put`. */
const PUT = [0xa2, 0x63, 0x70, 0x75, 0x74] as const;
/** The key `value`. */
const VALUE = [0x65, 0x76, 0x61, 0x6c, 0x75, 0x65] as const;

/** Major types of CBOR (RFC 8949 §3.1). */
const NEGATIVE = 1;
const BYTES = 2;
const SHORT_TEXT = 0x60;
/** From here on the low five bits of a head say how long its argument is: 1, 2, 4 or 8 bytes. */
const ARGUMENT_FOLLOWS = 24;
const ARGUMENT_IS_8_BYTES = 27;
const UNDEFINED = 0xf7;

/** A put whose value is still encoded. */
export interface EncodedPut {
  readonly key: string;
  /** A view of the command. */
  readonly value: Uint8Array;
}

/**
 * Reads a put of a short key in ASCII, which most commands are, by its shape; undefined for anything else.
 *
 * @throws {DecodeError} for what has this shape and is no command.
 */
export function readPut(command: Uint8Array): EncodedPut | undefined {
  if (!holds(command, 0, PUT)) return undefined;
  const keyAt = PUT.length + 1;
  const keyLength = (command[PUT.length] ?? 0) - SHORT_TEXT;
  if (keyLength < 0 || keyLength >= ARGUMENT_FOLLOWS) return undefined;
  const key = asciiAt(command, keyAt, keyLength);
  if (key === undefined || !holds(command, keyAt + keyLength, VALUE)) return undefined;
  const valueAt = keyAt + keyLength + VALUE.length;
  if (command[valueAt] === UNDEFINED) return undefined;
  // Whether the rest is a value tells its head, if it is a whole number or bytes; anything else is decoded to know.
  if (!isPlain(command, valueAt)) decodeCbor(command);
  return { key, value: command.subarray(valueAt) };
}

function holds(bytes: Uint8Array, at: number, expected: readonly number[]): boolean {
  for (let place = 0; place < expected.length; place++)
    if (bytes[at + place] !== expected[place]) return false;
  return true;
}

function asciiAt(bytes: Uint8Array, from: number, length: number): string | undefined {
  let text = '';
  for (let at = from; at < from + length; at++) {
    const code = bytes[at];
    if (code === undefined || code >= 0x80) return undefined;
    text += String.fromCharCode(code);
  }
  return text;
}

/** Whether all from `at` on is one whole number, or one byte string. */
function isPlain(bytes: Uint8Array, at: number): boolean {
  const head = bytes[at] ?? 0xff;
  const major = head >> 5;
  const low = head & 31;
  if (major > BYTES || low > ARGUMENT_IS_8_BYTES) return false;
  const contentAt = at + 1 + (low < ARGUMENT_FOLLOWS ? 0 : 2 ** (low - ARGUMENT_FOLLOWS));
  if (major <= NEGATIVE) return bytes.length === contentAt;
  const length = low < ARGUMENT_FOLLOWS ? low : argumentAt(bytes, at + 1, contentAt);
  return bytes.length === contentAt + length;
}

/** A number of some bytes, the highest first; not a number where they are not there. */
function argumentAt(bytes: Uint8Array, from: number, end: number): number {
  let argument = 0;
  for (let at = from; at < end; at++) argument = argument * 256 + (bytes[at] ?? Number.NaN);
  return argument;
}
