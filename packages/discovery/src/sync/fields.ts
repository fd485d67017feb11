import { DecodeError, ID_BYTES, type PeerId, peerIdFromBytes } from '@mosaik/primitives';

/** Readers of what CBOR decodes to, for formats that are read by hand. All throw {@link DecodeError}. */

export function refused(what: string): DecodeError {
  return new DecodeError('schema', `of another shape than agreed: ${what}`);
}

/** An array of up to `max` values, or of exactly `exactly`. */
export function readArray(value: unknown, what: string, max: number): readonly unknown[] {
  if (!Array.isArray(value)) throw refused(`${what} is not an array`);
  if (value.length > max) throw new DecodeError('limit', `${what}: ${value.length} of at most ${max}`);
  return value;
}

/** An array of so many fields. */
export function readTuple(value: unknown, what: string, length: number): readonly unknown[] {
  const fields = readArray(value, what, length);
  if (fields.length < length) throw refused(`${what} has ${fields.length} fields, not ${length}`);
  return fields;
}

export function readBytes(value: unknown, what: string, max: number): Uint8Array {
  if (!(value instanceof Uint8Array)) throw refused(`${what} is not bytes`);
  if (value.length > max) throw new DecodeError('limit', `${what}: ${value.length} bytes of at most ${max}`);
  return value;
}

export function readExactBytes(value: unknown, what: string, length: number): Uint8Array {
  const bytes = readBytes(value, what, length);
  if (bytes.length < length) throw refused(`${what} has ${bytes.length} bytes, not ${length}`);
  return bytes;
}

/** A whole number from 0 to 2^53 - 1. */
export function readCount(value: unknown, what: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw refused(`${what} is not a whole number of 0 or more`);
}

export function readPeer(value: unknown): PeerId {
  return peerIdFromBytes(readExactBytes(value, 'a peer id', ID_BYTES));
}
