import { DecodeError, decodeCbor, encodeCanonical, type Runtime } from '@mosaik/primitives';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';

const ID_BYTES = 16;
const ID_TEXT = /^[0-9a-f]{32}$/;
const FORMAT = 'mosaik group history 1';

/**
 * What a log is a copy of: made once, by whoever founded the group. Messages of the core, and entries, are only
 * exchanged between members of the same history, so that two of them never mix.
 */
export interface History {
  /** 16 random bytes as hexadecimal text. */
  readonly id: string;
  /** When it was founded, by the wall clock of its founder, in whole ms since the Unix epoch. */
  readonly foundedAtMs: number;
}

export function createHistory(runtime: Pick<Runtime, 'randomBytes' | 'wallNow'>): History {
  const id = bytesToHex(runtime.randomBytes(ID_BYTES));
  return { id, foundedAtMs: Math.max(0, Math.floor(runtime.wallNow())) };
}

export function isHistory(value: { readonly id: string; readonly foundedAtMs: unknown }): value is History {
  const { id, foundedAtMs } = value;
  return ID_TEXT.test(id) && Number.isSafeInteger(foundedAtMs) && (foundedAtMs as number) >= 0;
}

/**
 * Negative when `a` stays where the two meet: the one that was founded first, and of two founded in the same
 * millisecond the one with the smaller id. It depends on nothing that changes, so that all members decide alike,
 * whenever they hear of it.
 */
export function compareHistories(a: History, b: History): number {
  if (a.foundedAtMs !== b.foundedAtMs) return a.foundedAtMs - b.foundedAtMs;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** The first chunk of every snapshot: which history it is of. The same on all members. */
export function encodeHistory({ id, foundedAtMs }: History): Uint8Array {
  return encodeCanonical([FORMAT, hexToBytes(id), foundedAtMs]);
}

/** @throws {DecodeError} */
export function decodeHistory(bytes: Uint8Array): History {
  const fields = decodeCbor(bytes, { maxDepth: 2, maxItems: 8, int64: 'number' });
  if (!Array.isArray(fields) || fields[0] !== FORMAT || !(fields[1] instanceof Uint8Array))
    throw new DecodeError('schema', 'no history of a group');
  const history = { id: bytesToHex(fields[1]), foundedAtMs: fields[2] as unknown };
  if (!isHistory(history)) throw new DecodeError('schema', 'no history of a group');
  return history;
}
