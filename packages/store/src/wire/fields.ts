import {
  DecodeError,
  type DecodeLimits,
  decodeCbor,
  encodeCbor,
  idFromBytes,
  type UniqueId,
} from '@mosaik/primitives';
import type { Epoch, Sequence } from '@mosaik/streams';

/** A message: its kind as one byte, and a list in CBOR. */
export function encodeMessage(kind: number, body: readonly unknown[]): Uint8Array {
  const encoded = encodeCbor(body);
  const message = new Uint8Array(1 + encoded.length);
  message[0] = kind;
  message.set(encoded, 1);
  return message;
}

/** @throws {DecodeError} when it is not a list of at least `length` within the limits. */
export function decodeBody(message: Uint8Array, length: number, limits: DecodeLimits): unknown[] {
  const body = decodeCbor(message.subarray(1), { ...limits, int64: 'number' });
  return readArray(body, length);
}

export function readArray(value: unknown, length: number): unknown[] {
  if (Array.isArray(value) && value.length >= length) return value;
  throw malformed(`not a list of ${length}`);
}

export function readId<Id extends UniqueId>(value: unknown): Id {
  return idFromBytes<Id>(readBytes(value, 32));
}

export function readBytes(value: unknown, length?: number): Uint8Array {
  if (value instanceof Uint8Array && (length === undefined || value.length === length)) return value;
  throw malformed(`not ${length ?? ''} bytes`);
}

/** A whole number from 0 on: an offset, a count, a time. */
export function readCount(value: unknown): Sequence {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw malformed('not a whole number of 0 or more');
}

const EPOCH = /^[0-9a-f]{16}$/;

export function readLog(value: unknown): Epoch {
  if (typeof value === 'string' && EPOCH.test(value)) return value as Epoch;
  throw malformed('not the id of a log');
}

export function malformed(what: string): DecodeError {
  return new DecodeError('malformed', what);
}
