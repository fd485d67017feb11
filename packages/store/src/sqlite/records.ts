/**
 * What a store knows beside its blocks: a record for the whole, one for its snapshots, one for each log. They are small, and
 * share a page of the database, so that a transaction that appends to some logs writes one page for all that it changes here.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import type { LogIdentity } from '../log/log-storage.ts';
import { damaged } from './failure.ts';

/** Of the store. */
export interface Head {
  /** Random, made with the store; the mark beside it has it too. */
  readonly store: string;
  /** Counts transactions. */
  readonly sequence: number;
}

/** A snapshot of a fold that is current. */
export interface SavedSnapshot {
  readonly number: number;
  readonly chunks: number;
  readonly bytes: number;
}

export interface SnapshotDirectory {
  /** No snapshot has this number or a higher one, also none that is being saved. */
  readonly nextNumber: number;
  readonly folds: readonly (readonly [fold: string, snapshot: SavedSnapshot])[];
}

/** A place in a log: an offset, and the bytes of all blocks that were ever appended before it. */
export interface Place {
  readonly offset: number;
  readonly position: number;
}

export interface LogRecord extends LogIdentity {
  readonly isOwn: boolean;
  /** Its blocks are still being removed; otherwise it is gone. */
  readonly isRemoved: boolean;
  /** The first offset that is kept, by retention. */
  readonly first: number;
  /** Where the first block begins that is kept, the one that covers `first` or the next. Invariant: not after `end`. */
  readonly kept: Place;
  /** Where the last block ends. */
  readonly end: Place;
  readonly newestMs: number;
}

const HEAD_ID = 0;
const SNAPSHOTS_ID = 1;
const FIRST_LOG_ID = 2;

const CREATE = 'CREATE TABLE records (id INTEGER PRIMARY KEY, text TEXT NOT NULL, checksum INTEGER NOT NULL)';

interface Row {
  readonly id: number;
  readonly text: string;
  readonly checksum: number;
}

/** The records in their table. */
export class Records {
  readonly #get: StatementSync;
  readonly #put: StatementSync | undefined;
  readonly #delete: StatementSync | undefined;
  readonly #all: StatementSync;

  constructor(database: DatabaseSync, options: { readonly isReadOnly?: boolean } = {}) {
    this.#get = database.prepare('SELECT id, text, checksum FROM records WHERE id = ?');
    this.#all = database.prepare('SELECT id, text, checksum FROM records WHERE id >= ? ORDER BY id');
    if (options.isReadOnly === true) return;
    this.#put = database.prepare('INSERT OR REPLACE INTO records (id, text, checksum) VALUES (?, ?, ?)');
    this.#delete = database.prepare('DELETE FROM records WHERE id = ?');
  }

  static create(database: DatabaseSync, head: Head): void {
    database.exec(CREATE);
    const records = new Records(database);
    records.putHead(head);
    records.putSnapshots({ nextNumber: 1, folds: [] });
  }

  get head(): Head {
    return this.#read(HEAD_ID) as Head;
  }

  putHead(head: Head): void {
    this.#write(HEAD_ID, head);
  }

  get snapshots(): SnapshotDirectory {
    return this.#read(SNAPSHOTS_ID) as SnapshotDirectory;
  }

  putSnapshots(directory: SnapshotDirectory): void {
    this.#write(SNAPSHOTS_ID, directory);
  }

  log(id: number): LogRecord {
    return this.#read(id) as LogRecord;
  }

  putLog(id: number, record: LogRecord): void {
    this.#write(id, record);
  }

  deleteLog(id: number): void {
    this.#delete?.run(id);
  }

  /** All logs, in the order in which they were begun. */
  logs(): Map<number, LogRecord> {
    const rows = this.#all.all(FIRST_LOG_ID) as unknown as Row[];
    return new Map(rows.map((row) => [row.id, verified(row) as LogRecord]));
  }

  #read(id: number): unknown {
    const row = this.#get.get(id) as unknown as Row | undefined;
    if (row === undefined) throw damaged(`record ${id} is missing`);
    return verified(row);
  }

  #write(id: number, record: object): void {
    const text = JSON.stringify(record);
    this.#put?.run(id, text, checksumOf(id, text));
  }
}

export function firstFreeLog(ids: Iterable<number>): number {
  return Math.max(FIRST_LOG_ID - 1, ...ids) + 1;
}

/** What passes its checksum was written by a store of this format: it is trusted. */
function verified({ id, text, checksum }: Row): unknown {
  if (typeof text !== 'string' || checksumOf(id, text) !== checksum) {
    throw damaged(`the checksum of record ${id} is wrong`);
  }
  return JSON.parse(text);
}

/** Of its place too: a record is not found where another belongs. */
function checksumOf(id: number, text: string): number {
  return crc32(`${id} ${text}`);
}
