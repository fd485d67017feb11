/**
 * Opens the database of a store: makes it where there is none, refuses what is not right.
 *
 * `records` has what is known of the store, its snapshots and each log; `blocks_<number>` the blocks of a log, a row each;
 * `chunks` the snapshots of folds, in pieces.
 */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import {
  FailureError,
  failureOfOurs,
  isNewDatabase,
  Mark,
  type MarkContent,
  readMark,
  syncFile,
} from '@mosaik/groups/sqlite-kit';
import { blockTable } from '../block-row.ts';
import { damaged, failureOf } from '../failure.ts';
import type { OpenWork } from '../messages.ts';
import { type Head, Records } from '../records.ts';
import { CHUNK_TABLE } from '../snapshot-table.ts';

/** SQLite's `application_id`: "mosS". */
const APPLICATION_ID = 0x6d6f7353;
/** Of the whole file; in SQLite's `user_version`. */
const FORMAT_VERSION = 1;
/** Waited for readers when the write-ahead log is to begin anew: one lets go of it after each read. */
const BUSY_TIMEOUT_MS = 200;
/** A block fills a few pages, a record shares one: larger ones waste more on small blocks, smaller ones take longer to copy. */
const PAGE_BYTES = 16 * 1024;

/** A database that is open, locked, and found to be well as far as that is known without reading its blocks. */
export interface OpenDatabase {
  readonly database: DatabaseSync;
  readonly records: Records;
  readonly mark: Mark;
  readonly head: Head;
  close(): void;
}

/** @throws {FailureError}, or what SQLite throws. */
export function openDatabase(asked: OpenWork): OpenDatabase {
  // One lock, whatever name it is known by.
  const path = existsSync(asked.path) ? realpathSync(asked.path) : asked.path;
  const work = { ...asked, path };
  const lock = acquireLock(work.path);
  const closers = [(): void => lock.close()];
  const close = (): void => {
    for (const closer of closers.splice(0).reverse()) closer();
  };
  try {
    const marked = readMark(work.path);
    if (marked !== undefined && !existsSync(work.path)) throw damaged('it is missing, its mark is there');
    const { database, records, head } = connectOurs(work, marked);
    closers.push(() => database.close());
    syncFile(`${work.path}-wal`);
    const { store: owner, sequence } = head;
    const mark = new Mark(work.path, { format: FORMAT_VERSION, owner, sequence });
    closers.push(() => mark.close());
    return { database, records, mark, head, close };
  } catch (thrown) {
    close();
    throw thrown;
  }
}

function connectOurs(
  work: OpenWork,
  marked: MarkContent | undefined,
): Pick<OpenDatabase, 'database' | 'records' | 'head'> {
  let database: DatabaseSync | undefined;
  try {
    database = connect(work, marked);
    const records = new Records(database);
    const { head } = records;
    requireMarked(head, marked);
    requireTables(database, records);
    return { database, records, head };
  } catch (thrown) {
    database?.close();
    if (marked === undefined || thrown instanceof FailureError) throw thrown;
    throw new FailureError(failureOfOurs(work.path, thrown));
  }
}

/**
 * Held by whoever has the store open, and released by the operating system when it dies: a database of its own, so that
 * readers of the store itself are not kept out.
 */
function acquireLock(path: string): DatabaseSync {
  const lock = new DatabaseSync(`${path}-lock`);
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (thrown) {
    lock.close();
    throw thrown;
  }
}

function connect(work: OpenWork, marked: MarkContent | undefined): DatabaseSync {
  const isThere = existsSync(work.path) && statSync(work.path).size > 0;
  const database = new DatabaseSync(work.path);
  try {
    const isNew = isNewDatabase(database, {
      what: 'store',
      applicationId: APPLICATION_ID,
      version: FORMAT_VERSION,
      markedVersion: marked?.format,
    });
    if (isNew && marked !== undefined) throw damaged('it is empty, its mark is there');
    if (!isThere) database.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0');
    database.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON');
    database.exec(`PRAGMA journal_size_limit = 67108864; PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    if (isNew) create(database, work.store);
    if (work.maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${work.maxPages}`);
    return database;
  } catch (thrown) {
    database.close();
    const failure = failureOf(thrown);
    // A file that never was a database is not damaged: it is somebody else's.
    if (failure.kind !== 'damaged' || marked !== undefined) throw thrown;
    throw new FailureError({ kind: 'format', detail: `not a store: ${failure.detail}` });
  }
}

function create(database: DatabaseSync, store: string): void {
  database.exec('BEGIN EXCLUSIVE');
  database.exec(CHUNK_TABLE);
  Records.create(database, { store, sequence: 1 });
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT_VERSION}`);
  database.exec('COMMIT');
}

function requireMarked(head: Head, marked: MarkContent | undefined): void {
  if (marked === undefined) {
    // A crash right after the store was made, before its mark was.
    if (head.sequence > 1) throw damaged('its mark is missing');
    return;
  }
  if (marked.owner !== head.store) throw damaged('its mark is of another store');
  if (marked.sequence > head.sequence) {
    throw damaged(`${marked.sequence - head.sequence} writes that were acknowledged are gone`);
  }
}

/** Each log has a table, and each table a log. */
function requireTables(database: DatabaseSync, records: Records): void {
  const rows = database.prepare("SELECT name FROM sqlite_schema WHERE name LIKE 'blocks%'").all();
  const found = new Set(rows.map(({ name }) => String(name)));
  const expected = new Set([...records.logs().keys()].map(blockTable));
  if (found.symmetricDifference(expected).size > 0) throw damaged('its tables are not those of its logs');
}
