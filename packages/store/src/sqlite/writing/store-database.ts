/** The store in its database, as the thread that writes sees it: synchronous, each of its methods one transaction. */

import type { StatementSync } from 'node:sqlite';
import { killerAt, rollBack } from '@mosaik/groups/sqlite-kit';
import type { LogIdentity } from '../../log/log-storage.ts';
import { type AppendWork, HEAD_NUMBERS, type OpenedLog, type OpenWork, type Trimmed } from '../messages.ts';
import type { Point } from '../points.ts';
import { firstFreeLog, type Head, type LogRecord, type SavedSnapshot } from '../records.ts';
import { ChunkTable } from '../snapshot-table.ts';
import { LogTable } from './log-table.ts';
import { type OpenDatabase, openDatabase } from './opening.ts';
import { Sweeper } from './sweeper.ts';

export class StoreDatabase {
  readonly #open: OpenDatabase;
  readonly #reach: (point: Point) => void;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #tables = new Map<number, LogTable>();
  readonly #chunks: ChunkTable;
  readonly #sweeper: Sweeper;
  /** As they are in the database, never ahead of it. */
  readonly #logs: Map<number, LogRecord>;
  #head: Head;

  /** @throws {FailureError}, or what SQLite throws. */
  constructor(work: OpenWork) {
    this.#reach = killerAt(work.killAt);
    this.#open = openDatabase(work);
    this.#reach('created');
    const { database, records, head } = this.#open;
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
    this.#head = head;
    this.#logs = records.logs();
    this.#chunks = new ChunkTable(database);
    this.#sweeper = new Sweeper(this.#chunks);
    const { folds } = records.snapshots;
    this.#sweeper.findLeftovers(this.#logs, new Set(folds.map(([, { number }]) => number)));
  }

  /** Those that are not removed. */
  get logs(): readonly OpenedLog[] {
    const all = Array.from(this.#logs, ([log, record]) => ({ log, record }));
    return all.filter(({ record }) => !record.isRemoved);
  }

  begin(identity: LogIdentity, isOwn: boolean): OpenedLog {
    const log = firstFreeLog(this.#logs.keys());
    const start = { offset: 0, position: 0 };
    const record: LogRecord = {
      ...identity,
      isOwn,
      isRemoved: false,
      first: 0,
      kept: start,
      end: start,
      newestMs: 0,
    };
    this.#transaction(() => {
      LogTable.create(this.#open.database, log);
      this.#open.records.putLog(log, record);
    });
    this.#logs.set(log, record);
    return { log, record };
  }

  /** @throws {FailureError} when the end of the log is not the one that was acknowledged. */
  verify(log: number): OpenedLog {
    const record = this.#record(log);
    const table = this.#table(log);
    table.verifyEnd(record);
    if (table.hasLeftovers(record)) this.#sweeper.addLog(log);
    return { log, record };
  }

  /** Blocks of all given work, in one transaction. */
  append(works: readonly AppendWork[]): void {
    const changed = new Map<number, LogRecord>();
    this.#transaction(() => {
      for (const work of works) this.#insert(work, changed);
      for (const [log, record] of changed) this.#open.records.putLog(log, record);
    });
    for (const [log, record] of changed) this.#logs.set(log, record);
    for (const { heads } of works) this.#sweeper.noteAppended(heads.length / HEAD_NUMBERS);
  }

  #insert({ heads, bytes }: AppendWork, changed: Map<number, LogRecord>): void {
    let offset = 0;
    for (let at = 0; at < heads.length; at += HEAD_NUMBERS) {
      const [log, first, next, timeMs, position, size] = heads.subarray(at, at + HEAD_NUMBERS) as unknown as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      const data = bytes.subarray(offset, offset + size);
      offset += size;
      const record = changed.get(log) ?? this.#record(log);
      const block = { first, next, timeMs, position, bytes: data };
      changed.set(log, this.#table(log).append(record, block));
    }
  }

  trim(log: number, below: number): Trimmed {
    const record = this.#table(log).trim(this.#record(log), below);
    this.#put(log, record);
    this.#sweeper.addLog(log);
    return { first: record.first, kept: record.kept };
  }

  remove(log: number): void {
    const record = this.#record(log);
    this.#put(log, { ...record, isRemoved: true, first: record.end.offset, kept: record.end });
    this.#sweeper.addLog(log);
  }

  #put(log: number, record: LogRecord): void {
    this.#transaction(() => this.#open.records.putLog(log, record));
    this.#logs.set(log, record);
  }

  /** Removes some of what is not kept any more; whether there may be more. */
  sweep(): boolean {
    if (this.#sweeper.isIdle) return false;
    const removed: number[] = [];
    this.#transaction(() => {
      const log = this.#sweeper.step((id) => ({ table: this.#table(id), record: this.#record(id) }));
      if (log === undefined) return;
      LogTable.drop(this.#open.database, log);
      this.#open.records.deleteLog(log);
      removed.push(log);
    });
    this.#reach('swept');
    for (const log of removed) {
      this.#logs.delete(log);
      this.#tables.delete(log);
    }
    return !this.#sweeper.isIdle;
  }

  /** What cannot be swept stays where it is. */
  stopSweeping(): void {
    this.#sweeper.stop();
  }

  /** The number of a snapshot that is to be saved. */
  stage(): number {
    const directory = this.#open.records.snapshots;
    const number = directory.nextNumber;
    this.#transaction(() => this.#open.records.putSnapshots({ ...directory, nextNumber: number + 1 }));
    return number;
  }

  putChunk(snapshot: number, position: number, bytes: Uint8Array): void {
    this.#transaction(() => this.#chunks.put(snapshot, position, bytes));
  }

  /** Gives a snapshot up that was staged. */
  discard(snapshot: number): void {
    this.#sweeper.addSnapshot(snapshot);
  }

  /** Makes a snapshot whose chunks are there the one of a fold. */
  save(fold: string, snapshot: SavedSnapshot): void {
    const { nextNumber, folds } = this.#open.records.snapshots;
    const known = new Map(folds);
    const before = known.get(fold);
    known.set(fold, snapshot);
    this.#transaction(() => this.#open.records.putSnapshots({ nextNumber, folds: [...known] }));
    if (before !== undefined) this.#sweeper.addSnapshot(before.number);
  }

  /** Copies what was written into the database, so that the write-ahead log can begin anew. */
  checkpoint(): void {
    this.#open.database.exec('PRAGMA wal_checkpoint(RESTART)');
    this.#reach('checkpointed');
  }

  /** Undoes a transaction that failed. */
  rollBack(): void {
    rollBack(this.#open.database);
  }

  close(): void {
    this.#open.close();
  }

  #transaction(write: () => void): void {
    const { records, mark } = this.#open;
    this.#begin.run();
    this.#reach('begun');
    write();
    const head = { ...this.#head, sequence: this.#head.sequence + 1 };
    records.putHead(head);
    this.#reach('written');
    this.#commit.run();
    this.#head = head;
    this.#reach('committed');
    mark.write(head.sequence);
    this.#reach('marked');
  }

  #record(log: number): LogRecord {
    return this.#logs.get(log) ?? this.#open.records.log(log);
  }

  #table(log: number): LogTable {
    let table = this.#tables.get(log);
    if (table === undefined) {
      table = new LogTable(this.#open.database, log);
      this.#tables.set(log, table);
    }
    return table;
  }
}
