/** The tables of a log, and the statements on them. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { APPLICATION_ID, FORMAT_VERSION } from './layout.ts';

/** Chunks of a snapshot have numbers in a row; so many there can be. */
const CHUNKS_MAX = 2 ** 24;

/*
 * head       one row, see `Head`
 * runs       entries in a row, as they were written together; see `encodeEntries`
 * snapshots  what was committed; see `encodeSnapshot`
 * chunks     of snapshots, also of those not committed yet; verified by the hashes in the snapshot
 */
const TABLES = `
  CREATE TABLE head (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
  CREATE TABLE runs (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, bytes BLOB NOT NULL);
  CREATE TABLE snapshots (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
  CREATE TABLE chunks (key INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT_VERSION};
`;

export function createTables(database: DatabaseSync): void {
  database.exec(TABLES);
}

/** The number of a chunk among those of all snapshots. */
export function chunkKey(snapshot: number, position: number): number {
  return snapshot * CHUNKS_MAX + position;
}

/** The keys of the chunks of a snapshot: from the first up to, without, the second. */
export function chunkRange(snapshot: number): [from: number, until: number] {
  return [chunkKey(snapshot, 0), chunkKey(snapshot + 1, 0)];
}

/** The snapshot that a chunk is of. */
export function snapshotOf(key: number): number {
  return Math.floor(key / CHUNKS_MAX);
}

/** A row of `runs`. */
export interface RunRow {
  readonly first: number;
  readonly last: number;
  readonly bytes: Uint8Array;
}

/** Prepared once. */
export type Statements = ReturnType<typeof prepareAll>;

export function prepareAll(database: DatabaseSync): Readonly<Record<StatementName, StatementSync>> {
  const prepared = Object.entries(STATEMENTS).map(([name, sql]) => [name, database.prepare(sql)]);
  return Object.fromEntries(prepared) as Record<StatementName, StatementSync>;
}

type StatementName = keyof typeof STATEMENTS;

const STATEMENTS = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  getHead: 'SELECT bytes FROM head WHERE id = 1',
  putHead: 'INSERT INTO head (id, bytes) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes',
  allRuns: 'SELECT first, last, bytes FROM runs ORDER BY first',
  runsFrom: `SELECT first, last, bytes FROM runs
    WHERE first >= coalesce((SELECT max(first) FROM runs WHERE first <= ?), 0) AND first <= ? ORDER BY first`,
  addRun: 'INSERT INTO runs (first, last, bytes) VALUES (?, ?, ?)',
  runAt: 'SELECT first, last, bytes FROM runs WHERE first < ? ORDER BY first DESC LIMIT 1',
  cutRun: 'UPDATE runs SET last = ?, bytes = ? WHERE first = ?',
  dropRunsFrom: 'DELETE FROM runs WHERE first >= ?',
  dropRunsUpTo: 'DELETE FROM runs WHERE last <= ?',
  dropAllRuns: 'DELETE FROM runs',
  getSnapshot: 'SELECT bytes FROM snapshots WHERE id = ?',
  addSnapshot: 'INSERT INTO snapshots (id, bytes) VALUES (?, ?)',
  dropSnapshotsBut: 'DELETE FROM snapshots WHERE id <> ?',
  dropSnapshot: 'DELETE FROM snapshots WHERE id = ?',
  getChunk: 'SELECT bytes FROM chunks WHERE key = ?',
  addChunk: 'INSERT INTO chunks (key, bytes) VALUES (?, ?)',
  countChunks: 'SELECT count(*) AS count FROM chunks WHERE key >= ? AND key < ?',
  lastChunk: 'SELECT max(key) AS key FROM chunks',
  dropSomeChunks: `DELETE FROM chunks WHERE key IN
    (SELECT key FROM chunks WHERE key >= ? AND key < ? ORDER BY key LIMIT 16)`,
  dropChunksBut: 'DELETE FROM chunks WHERE key < ? OR key >= ?',
} as const;
