import { compareIds, decodeCbor, encodeCbor, MosaikError } from '@mosaik/primitives';
import { blake3 } from '@noble/hashes/blake3.js';
import { malformed, readArray, readBytes } from '../wire/fields.ts';
import {
  CHUNK_BYTES,
  type FoldPosition,
  readPositions,
  type SnapshotOffer,
  writePositions,
} from '../wire/snapshots.ts';

/** What a snapshot takes at most, positions and state. */
export const SNAPSHOT_BYTES_MAX: number = 1024 * 1024 * 1024;
const LIMITS = { maxBytes: SNAPSHOT_BYTES_MAX, maxDepth: 4, maxItems: 100_000, int64: 'number' } as const;

/** A state that is too large for a snapshot. */
export class SnapshotTooLargeError extends MosaikError {
  override readonly name = 'SnapshotTooLargeError';

  constructor(bytes: number) {
    super('ERR_SNAPSHOT_TOO_LARGE', `a state of ${bytes} bytes: at most ${SNAPSHOT_BYTES_MAX} are exchanged`);
  }
}

/** What a snapshot says: the encoded state, and what it covers. */
export interface Snapshot {
  readonly positions: readonly FoldPosition[];
  readonly state: Uint8Array;
}

/** A snapshot, ready to be given to others: equal ones are equal bytes. */
export function offerOf({ positions, state }: Snapshot): SnapshotOffer {
  const sorted = sortPositions(positions);
  if (state.length > SNAPSHOT_BYTES_MAX - 1024 * 1024) throw new SnapshotTooLargeError(state.length);
  const data = encodeCbor([writePositions(sorted), state]);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += CHUNK_BYTES)
    chunks.push(blake3(data.subarray(at, at + CHUNK_BYTES)));
  return { head: { positions: sorted, bytes: data.length, hash: blake3(data), chunks }, data };
}

/**
 * Reads what {@link offerOf} wrote.
 *
 * @throws {DecodeError}
 */
export function readSnapshot(data: Uint8Array): Snapshot {
  const [positions, state] = readArray(decodeCbor(data, { ...LIMITS, copyBytes: false }), 2);
  return { positions: readPositions(positions), state: readBytes(state) };
}

/** As it is saved: what was folded, so that another version is not taken for it, and a hash against damage. */
export function encodeSaved(version: string, data: Uint8Array): Uint8Array {
  return encodeCbor([1, version, blake3(data), data]);
}

/**
 * @returns the version, and the data where it is the one asked for.
 * @throws {DecodeError} when it is damaged.
 */
export function decodeSaved(saved: Uint8Array): { readonly version: string; readonly data: Uint8Array } {
  const [format, version, hash, data] = readArray(decodeCbor(saved, { ...LIMITS, copyBytes: false }), 4);
  if (format !== 1 || typeof version !== 'string') throw malformed('a snapshot of another format');
  const bytes = readBytes(data);
  if (!isSameHash(readBytes(hash, 32), blake3(bytes))) throw malformed('a snapshot that is damaged');
  return { version, data: bytes };
}

export function isSameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** How many places positions cover together. */
export function coveredBy(positions: readonly { readonly next: number }[]): number {
  return positions.reduce((sum, { next }) => sum + next, 0);
}

/** Whether two snapshots are of the same data. */
export function isSamePlace(a: readonly FoldPosition[], b: readonly FoldPosition[]): boolean {
  return (
    a.length === b.length &&
    a.every((position, index) => {
      const other = b[index] as FoldPosition;
      return (
        position.producer === other.producer && position.log === other.log && position.next === other.next
      );
    })
  );
}

function sortPositions(positions: readonly FoldPosition[]): FoldPosition[] {
  return [...positions].sort(
    (a, b) => compareIds(a.producer, b.producer) || (a.log < b.log ? -1 : a.log > b.log ? 1 : 0),
  );
}
