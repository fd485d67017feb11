/** Reads the table of one log, and verifies what it reads: every head, every block, and that none is missing between. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { DamagedRange } from '../../log/errors.ts';
import type { KeptBlock } from '../../log/log-storage.ts';
import {
  type BlockHead,
  type BlockRow,
  blockTable,
  endOf,
  HEAD_COLUMNS,
  type HeadRow,
  isDataSound,
  isHeadSound,
} from '../block-row.ts';
import { damaged, failureOf } from '../failure.ts';
import type { LogRecord, Place } from '../records.ts';

/** Read at once, whatever is asked for: others wait meanwhile. */
const READ_BYTES_MAX = 4 * 1024 * 1024;

/** What there is of a log. */
export interface Bounds {
  readonly record: LogRecord;
  /** Where it ended for the one who asks: what is after that is not acknowledged yet. */
  readonly end: Place;
}

export class LogReader {
  readonly #log: number;
  readonly #range: StatementSync;
  readonly #headUpTo: StatementSync;
  readonly #headAfter: StatementSync;

  constructor(database: DatabaseSync, log: number) {
    const table = blockTable(log);
    this.#log = log;
    this.#range = database.prepare(
      `SELECT ${HEAD_COLUMNS}, bytes FROM ${table}
       WHERE first >= coalesce((SELECT max(first) FROM ${table} WHERE first <= ?), 0) AND first < ? ORDER BY first`,
    );
    this.#headUpTo = database.prepare(
      `SELECT ${HEAD_COLUMNS} FROM ${table} WHERE first <= ? ORDER BY first DESC LIMIT 1`,
    );
    this.#headAfter = database.prepare(
      `SELECT ${HEAD_COLUMNS} FROM ${table} WHERE first > ? ORDER BY first LIMIT 1`,
    );
  }

  /** Blocks in order up to the first that is damaged. @throws {FailureError} when that is the one to begin with. */
  read(bounds: Bounds, from: number, maxBytes: number): readonly KeptBlock[] {
    const begin = Math.max(from, bounds.record.first);
    const blocks: KeptBlock[] = [];
    if (begin >= bounds.end.offset) return blocks;
    try {
      for (const block of this.#blocks(bounds, begin, Math.min(maxBytes, READ_BYTES_MAX))) blocks.push(block);
    } catch (thrown) {
      if (blocks.length > 0) return blocks;
      const failure = failureOf(thrown);
      if (failure.kind !== 'damaged' || failure.range !== undefined) throw thrown;
      throw damaged(failure.detail, this.#damagedRange(begin, bounds.end));
    }
    return blocks;
  }

  *#blocks(bounds: Bounds, begin: number, maxBytes: number): Generator<KeptBlock, void, void> {
    let bytes = 0;
    let before: BlockHead | undefined;
    for (const found of this.#range.iterate(begin, bounds.end.offset)) {
      const row = found as unknown as BlockRow;
      this.#requireNext({ row, before, begin }, bounds);
      // The one before a gap only tells that nothing else is missing in it.
      if (row.next > begin) {
        bytes += row.size;
        if (bytes > maxBytes && bytes > row.size) return;
        const { first, next, timeMs } = row;
        yield { first, next, count: next - first, timeMs, bytes: row.bytes };
      }
      before = row;
    }
    if (before?.next === bounds.end.offset && endOf(before) === bounds.end.position) return;
    const first = Math.max(before?.next ?? begin, begin);
    throw damaged('blocks are missing', { first, next: bounds.end.offset });
  }

  /** Whether a row is what was appended, right after the one before it. */
  #requireNext(
    { row, before, begin }: { row: BlockRow; before: BlockHead | undefined; begin: number },
    { record, end }: Bounds,
  ): void {
    const isSound = isHeadSound(this.#log, row);
    if (!(isSound && isDataSound(row))) {
      const next = isSound ? row.next : this.#nextFirst(row.first, end);
      throw damaged('it is not what was appended', { first: Math.max(row.first, begin), next });
    }
    if (before === undefined && row.first <= begin) return;
    const expected = before === undefined ? record.kept.position : endOf(before);
    if (row.position === expected) return;
    throw damaged('blocks are missing', { first: Math.max(before?.next ?? begin, begin), next: row.first });
  }

  /** Of a block that SQLite itself cannot read. */
  #damagedRange(first: number, end: Place): DamagedRange {
    return { first, next: this.#nextFirst(first, end) };
  }

  #nextFirst(first: number, { offset }: Place): number {
    try {
      const row = this.#headAfter.get(first) as HeadRow | undefined;
      if (row !== undefined && isHeadSound(this.#log, row)) return Math.min(row.first, offset);
    } catch {
      // The table cannot be read from there on either.
    }
    return offset;
  }

  offsetAt(bounds: Bounds, timeMs: number): number {
    const found = this.#find(bounds, (head) => head.timeMs >= timeMs);
    return found === undefined ? bounds.end.offset : Math.max(found.first, bounds.record.first);
  }

  offsetWithin(bounds: Bounds, maxBytes: number): number {
    const { record, end } = bounds;
    const found = this.#find(bounds, (head) => end.position - head.position <= maxBytes);
    if (found === undefined) return end.offset;
    return found.position === record.kept.position ? record.first : found.first;
  }

  /** The first block that is kept for which something holds that holds for all after it. */
  #find({ record, end }: Bounds, holds: (head: BlockHead) => boolean): BlockHead | undefined {
    let found: BlockHead | undefined;
    let low = record.kept.offset;
    let high = end.offset;
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2);
      const head = this.#headUpTo.get(middle) as unknown as HeadRow | undefined;
      if (head === undefined || !isHeadSound(this.#log, head)) {
        throw damaged('it is not found', this.#damagedRange(middle, end));
      }
      if (holds(head)) {
        found = head;
        high = head.first;
      } else low = Math.max(head.next, middle + 1);
    }
    return found;
  }
}
