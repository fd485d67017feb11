/** Removes what is not kept any more, some at a time, so that nobody waits long behind it. */

import type { LogRecord } from '../records.ts';
import type { ChunkTable } from '../snapshot-table.ts';
import type { LogTable } from './log-table.ts';

/** Blocks removed in one go, at least: what is appended meanwhile waits for no more. */
const STEP_BLOCKS_MIN = 32;

export class Sweeper {
  readonly #chunks: ChunkTable;
  /** Logs that may have blocks that are not kept. */
  readonly #logs = new Set<number>();
  /** Snapshots that are not current. */
  readonly #snapshots = new Set<number>();
  #appendedSinceStep = 0;

  constructor(chunks: ChunkTable) {
    this.#chunks = chunks;
  }

  get isIdle(): boolean {
    return this.#logs.size + this.#snapshots.size === 0;
  }

  /** What an earlier process did not get to. */
  findLeftovers(logs: ReadonlyMap<number, LogRecord>, currentSnapshots: ReadonlySet<number>): void {
    for (const [log, { isRemoved }] of logs) {
      if (isRemoved) this.#logs.add(log);
    }
    for (const number of this.#chunks.numbers()) {
      if (!currentSnapshots.has(number)) this.#snapshots.add(number);
    }
  }

  /** Blocks were appended: twice as many are removed in the next step, so that what is trimmed does not pile up. */
  noteAppended(blocks: number): void {
    this.#appendedSinceStep += blocks;
  }

  addLog(log: number): void {
    this.#logs.add(log);
  }

  addSnapshot(number: number): void {
    this.#snapshots.add(number);
  }

  stop(): void {
    this.#logs.clear();
    this.#snapshots.clear();
  }

  /** Does some work; returns a log that was removed and has no blocks any more. */
  step(find: (log: number) => { readonly table: LogTable; readonly record: LogRecord }): number | undefined {
    const [log] = this.#logs;
    if (log === undefined) {
      const [snapshot] = this.#snapshots;
      if (snapshot !== undefined && !this.#chunks.sweep(snapshot)) this.#snapshots.delete(snapshot);
      return undefined;
    }
    const { table, record } = find(log);
    const count = Math.max(STEP_BLOCKS_MIN, 2 * this.#appendedSinceStep);
    this.#appendedSinceStep = 0;
    if (table.sweep(record.isRemoved ? Number.MAX_SAFE_INTEGER : record.kept.offset, count)) return undefined;
    this.#logs.delete(log);
    return record.isRemoved ? log : undefined;
  }
}
