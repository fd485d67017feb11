/** The table of one log, as the thread that writes it sees it. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { invariant } from '@mosaik/primitives';
import {
  BLOCK_TABLE,
  type BlockRow,
  blockTable,
  endOf,
  HEAD_COLUMNS,
  type HeadRow,
  headChecksumOf,
  isDataSound,
  isHeadSound,
} from '../block-row.ts';
import { damaged } from '../failure.ts';
import type { LogRecord } from '../records.ts';

/** A block that is to be appended. */
export interface NewBlock {
  readonly first: number;
  readonly next: number;
  readonly timeMs: number;
  readonly position: number;
  readonly bytes: Uint8Array;
}

export class LogTable {
  readonly #log: number;
  readonly #insert: StatementSync;
  readonly #last: StatementSync;
  readonly #headUpTo: StatementSync;
  readonly #headAfter: StatementSync;
  readonly #sweep: StatementSync;

  constructor(database: DatabaseSync, log: number) {
    const table = blockTable(log);
    this.#log = log;
    this.#insert = database.prepare(
      `INSERT INTO ${table} (${HEAD_COLUMNS}, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#last = database.prepare(`SELECT ${HEAD_COLUMNS}, bytes FROM ${table} ORDER BY first DESC LIMIT 1`);
    this.#headUpTo = database.prepare(
      `SELECT ${HEAD_COLUMNS} FROM ${table} WHERE first <= ? ORDER BY first DESC LIMIT 1`,
    );
    this.#headAfter = database.prepare(
      `SELECT ${HEAD_COLUMNS} FROM ${table} WHERE first > ? ORDER BY first LIMIT 1`,
    );
    this.#sweep = database.prepare(`DELETE FROM ${table} WHERE first IN
      (SELECT first FROM ${table} WHERE first < ? ORDER BY first LIMIT ?)`);
  }

  static create(database: DatabaseSync, log: number): void {
    database.exec(`CREATE TABLE ${blockTable(log)} ${BLOCK_TABLE}`);
  }

  static drop(database: DatabaseSync, log: number): void {
    database.exec(`DROP TABLE ${blockTable(log)}`);
  }

  /** The record of the log with the block in it. */
  append(record: LogRecord, { first, next, timeMs, position, bytes }: NewBlock): LogRecord {
    const { end } = record;
    invariant(first >= end.offset && next > first, 'a block is appended at the end');
    invariant(position === end.position, 'no block is left out');
    const head = { first, next, timeMs, position, size: bytes.length, dataChecksum: crc32(bytes) };
    const checksum = headChecksumOf(this.#log, head);
    this.#insert.run(first, next, timeMs, position, head.size, head.dataChecksum, checksum, bytes);
    const grown = { ...record, end: { offset: next, position: endOf(head) }, newestMs: timeMs };
    // Of a log without blocks the first one says where it begins.
    return record.first === end.offset ? { ...grown, first, kept: { offset: first, position } } : grown;
  }

  /** The record of the log without what is below an offset; its blocks stay until they are swept. */
  trim(record: LogRecord, below: number): LogRecord {
    const { end } = record;
    const first = Math.min(Math.max(below, record.first), end.offset);
    if (first === end.offset) return { ...record, first, kept: end };
    const { first: offset, position } = this.#blockAt(first);
    return { ...record, first, kept: { offset, position } };
  }

  /** The head of the block that covers an offset, or of the next one after it. */
  #blockAt(offset: number): HeadRow {
    const before = this.#sound(this.#headUpTo.get(offset), offset);
    if (before !== undefined && before.next > offset) return before;
    const after = this.#sound(this.#headAfter.get(offset), offset);
    const isNext = before === undefined || after?.position === endOf(before);
    if (after === undefined || !isNext) throw damaged(`the block at ${offset} is missing`);
    return after;
  }

  #sound(found: object | undefined, offset: number): HeadRow | undefined {
    const row = found as HeadRow | undefined;
    if (row !== undefined && !isHeadSound(this.#log, row))
      throw damaged(`the block at ${offset} is not found`);
    return row;
  }

  /** @throws {FailureError} when the last block is not the one that was acknowledged last. */
  verifyEnd({ first, end, newestMs }: LogRecord): void {
    if (first === end.offset) return;
    const row = this.#last.get() as unknown as BlockRow | undefined;
    const range = { first: row === undefined ? first : Math.max(first, row.first), next: end.offset };
    if (row === undefined || !isHeadSound(this.#log, row)) throw damaged('the last block is missing', range);
    if (row.next !== end.offset || endOf(row) !== end.position || row.timeMs !== newestMs) {
      throw damaged('blocks are missing at the end', { first: row.next, next: end.offset });
    }
    if (!isDataSound(row)) throw damaged('the last block is not what was appended', range);
  }

  /** Whether there are blocks that are not kept. */
  hasLeftovers({ kept }: LogRecord): boolean {
    return this.#headUpTo.get(kept.offset - 1) !== undefined;
  }

  /** Removes up to `count` blocks that begin below an offset; whether there may be more. */
  sweep(below: number, count: number): boolean {
    return Number(this.#sweep.run(below, count).changes) === count;
  }
}
