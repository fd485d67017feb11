/** Snapshots of folds, in chunks: those that are current, and those that are being saved or removed. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { damaged } from './failure.ts';
import type { SavedSnapshot } from './records.ts';

/** Chunks of a snapshot have numbers in a row; so many there can be. */
const CHUNKS_MAX = 2 ** 24;
/** Removed in one go. */
const SWEEP_CHUNKS = 4;

export const CHUNK_TABLE =
  'CREATE TABLE chunks (key INTEGER PRIMARY KEY, checksum INTEGER NOT NULL, bytes BLOB NOT NULL)';

function keyOf(snapshot: number, position: number): number {
  return snapshot * CHUNKS_MAX + position;
}

function checksumOf(key: number, bytes: Uint8Array): number {
  return crc32(bytes, crc32(String(key)));
}

/** The writing end. */
export class ChunkTable {
  readonly #put: StatementSync;
  readonly #numbers: StatementSync;
  readonly #sweep: StatementSync;

  constructor(database: DatabaseSync) {
    this.#put = database.prepare('INSERT INTO chunks (key, checksum, bytes) VALUES (?, ?, ?)');
    this.#numbers = database.prepare(`SELECT DISTINCT key / ${CHUNKS_MAX} AS number FROM chunks`);
    this.#sweep = database.prepare(`DELETE FROM chunks WHERE key IN
      (SELECT key FROM chunks WHERE key >= ? AND key < ? ORDER BY key LIMIT ${SWEEP_CHUNKS})`);
  }

  put(snapshot: number, position: number, bytes: Uint8Array): void {
    const key = keyOf(snapshot, position);
    this.#put.run(key, checksumOf(key, bytes), bytes);
  }

  /** The snapshots of which there are chunks. */
  numbers(): number[] {
    return this.#numbers.all().map(({ number }) => Number(number));
  }

  /** Removes some chunks of a snapshot; whether there may be more. */
  sweep(snapshot: number): boolean {
    return Number(this.#sweep.run(keyOf(snapshot, 0), keyOf(snapshot + 1, 0)).changes) === SWEEP_CHUNKS;
  }
}

/** All of a snapshot. @throws {FailureError} when it is damaged. */
export function readSnapshot(
  database: DatabaseSync,
  { number, chunks, bytes: size }: SavedSnapshot,
): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(size);
  let offset = 0;
  const get = database.prepare('SELECT checksum, bytes FROM chunks WHERE key = ?');
  for (let position = 0; position < chunks; position++) {
    const key = keyOf(number, position);
    const row = get.get(key) as { checksum: number; bytes: Uint8Array } | undefined;
    if (!(row?.bytes instanceof Uint8Array) || checksumOf(key, row.bytes) !== row.checksum) {
      throw damaged(`chunk ${position} of a snapshot is not what was written`);
    }
    if (offset + row.bytes.length > size) throw damaged('a snapshot is longer than what was saved');
    whole.set(row.bytes, offset);
    offset += row.bytes.length;
  }
  if (offset !== size) throw damaged('a snapshot is shorter than what was saved');
  return whole;
}
