import { DecodeError } from './errors.ts';

/** Major types of RFC 8949 §3.1, the upper three bits of an item's first byte. */
export const UNSIGNED = 0;
export const NEGATIVE = 1;
export const BYTES = 2;
export const TEXT = 3;
export const ARRAY = 4;
export const MAP = 5;
export const TAG = 6;
export const SIMPLE = 7;

/** The lower five bits of a first byte: from here on they say how long the argument is that follows. */
export const ARGUMENT_FOLLOWS = 24;
export const INDEFINITE = 31;

/** First bytes of items that have no other form: false, true, null, undefined, and floats of 64 bits. */
export const FALSE = 0xf4;
export const TRUE = 0xf5;
export const NULL = 0xf6;
export const UNDEFINED = 0xf7;
export const FLOAT64 = 0xfb;

/** Size of the argument that follows a first byte with these low bits, of which there are 24 or more. */
export function argumentBytes(low: number, at: number): number {
  if (low <= 27) return 1 << (low - ARGUMENT_FOLLOWS);
  throw malformed(
    low === INDEFINITE ? 'an indefinite length where none is taken' : 'a reserved head',
    at - 1,
  );
}

/** How many bytes a head with this argument has. */
export function headBytes(argument: number): number {
  if (argument < 24) return 1;
  if (argument < 0x100) return 2;
  if (argument < 0x1_0000) return 3;
  return argument < 2 ** 32 ? 5 : 9;
}

export function truncated(offset: number): DecodeError {
  return malformed('it ends too early', offset);
}

export function malformed(what: string, offset: number): DecodeError {
  return new DecodeError('malformed', `not CBOR that is exchanged: ${what}, byte ${offset}`, { offset });
}

export function overLimit(what: string, offset: number): DecodeError {
  return new DecodeError('limit', `more CBOR than is taken: ${what}, byte ${offset}`, { offset });
}
