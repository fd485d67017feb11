import { DecodeError, decodeCbor, encodeCbor } from '@mosaik/primitives';

/**
 * The framing of a link (docs/wire.md): a record is a header of four bytes, big-endian, and a payload. The lower 31 bits
 * of the header are the length of the payload; the top bit marks a control record, whose payload is a CBOR array
 * `[kind, …]`. Control records of an unknown kind are skipped, so that newer nodes can talk to older ones.
 */
export const HEADER_BYTES = 4;
const CONTROL_BIT = 0x8000_0000;
const LENGTH_MASK = 0x7fff_ffff;

/** A control record is small by design; a larger one is malformed. */
export const MAX_CONTROL_BYTES = 1024;

/** The text of a close is cut to this many characters. */
const MAX_REASON_CHARACTERS = 200;

const KIND_CLOSE = 1;

export interface CloseRecord {
  readonly code: number;
  readonly reason: string;
}

/** The header of a data record. */
export function writeHeader(target: Uint8Array, offset: number, length: number): void {
  target[offset] = length >>> 24;
  target[offset + 1] = length >>> 16;
  target[offset + 2] = length >>> 8;
  target[offset + 3] = length;
}

/** Reads a header as an unsigned 32-bit number; see {@link isControl} and {@link lengthOf}. */
export function readHeader(source: Uint8Array, offset: number): number {
  return (
    (((source[offset] as number) << 24) |
      ((source[offset + 1] as number) << 16) |
      ((source[offset + 2] as number) << 8) |
      (source[offset + 3] as number)) >>>
    0
  );
}

export function isControl(header: number): boolean {
  return header >= CONTROL_BIT;
}

export function lengthOf(header: number): number {
  return header & LENGTH_MASK;
}

/** A whole control record that tells the other side why this one closes. */
export function encodeClose({ code, reason }: CloseRecord): Uint8Array {
  const payload = encodeCbor([KIND_CLOSE, code, reason.slice(0, MAX_REASON_CHARACTERS)]);
  const record = new Uint8Array(HEADER_BYTES + payload.length);
  writeHeader(record, 0, CONTROL_BIT | payload.length);
  record.set(payload, HEADER_BYTES);
  return record;
}

/**
 * Reads the payload of a control record; `undefined` for a kind this version does not know.
 *
 * @throws {DecodeError} when it is not a control payload at all.
 */
export function decodeControl(payload: Uint8Array): CloseRecord | undefined {
  const value = decodeCbor(payload, { maxBytes: MAX_CONTROL_BYTES, maxDepth: 8, maxItems: 64 });
  if (!Array.isArray(value)) throw new DecodeError('malformed', 'not an array');
  const [kind, code, reason] = value;
  if (kind !== KIND_CLOSE) return undefined;
  // Not taken for 0: a close that nobody understands must not look like a clean end.
  if (!isCloseCode(code) || typeof reason !== 'string') throw new DecodeError('malformed', 'not a close');
  return { code, reason: reason.slice(0, MAX_REASON_CHARACTERS) };
}

/** Whether a value can be the code of a close: a whole number from 0 to 2^32 - 1. */
export function isCloseCode(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0xffff_ffff;
}
