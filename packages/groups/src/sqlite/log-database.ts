/** The log in its database, as the worker sees it: synchronous, one transaction for all work that is there. */
import { holderAt, killerAt, rollBack } from '../sqlite-kit/index.ts';
import { damaged, type Failure, failureOf } from './failure.ts';
import { decodeEntries, encodeHead, type Head } from './layout.ts';
import type {
  AppendWork,
  CommitWork,
  LogWork,
  Opened,
  OpenWork,
  ReadWork,
  Value,
  WriteWork,
} from './messages.ts';
import { type OpenDatabase, openDatabase } from './opening.ts';
import { type Deed, deedOf, type Point, type Reach } from './points.ts';
import { chunkKey, chunkRange, type RunRow } from './schema.ts';

/** What a piece of work came to. */
export type Result = { readonly value: Value } | { readonly failure: Failure };

/** Entries that are written together are one row, up to this; a row is also what is read at once. */
const ROW_BYTES_MAX = 1024 * 1024;
/** Of an entry in a row besides its data, at most. */
const ENTRY_HEAD_BYTES_MAX = 32;

const DONE: Result = { value: undefined };

export class LogDatabase {
  readonly opened: Opened;
  readonly #open: OpenDatabase;
  readonly #killer: Reach;
  readonly #holder: Reach;
  readonly #killedDeed: Deed | undefined;
  #isAtKilledDeed = true;
  #head: Head;
  /** Appended, and not in a row yet. */
  #pending: RunRow[] = [];
  #pendingBytes = 0;
  #failure: Failure | undefined;

  /** @throws {FailureError}, or what SQLite throws. */
  constructor(work: OpenWork) {
    this.#killer = killerAt(work.killAt);
    this.#holder = holderAt<Point>(work.holdAt);
    this.#killedDeed = work.killAt?.deed;
    this.#open = openDatabase(work, this.#killer);
    this.#head = this.#open.head;
    this.opened = this.#open.opened;
  }

  /** Does some work in order, all writes of it in one transaction. */
  run(works: readonly LogWork[]): readonly Result[] {
    if (this.#failure !== undefined) return works.map(() => ({ failure: this.#failure as Failure }));
    const hasWrites = works.some(isWrite);
    if (this.#killedDeed !== undefined)
      this.#isAtKilledDeed = works.some((work) => deedOf(work) === this.#killedDeed);
    try {
      if (hasWrites) this.#open.statements.begin.run();
      if (hasWrites) this.#reach('begun');
      const results = works.map((work) => this.#do(work));
      if (hasWrites) this.#commit();
      return results;
    } catch (thrown) {
      return this.#fail(works, failureOf(thrown));
    }
  }

  #reach(point: Point): void {
    this.#holder(point);
    if (this.#isAtKilledDeed) this.#killer(point);
  }

  /** Nothing is written any more: what of the failed transaction is on the disk, nobody knows. */
  #fail(works: readonly LogWork[], failure: Failure): readonly Result[] {
    this.#failure = failure;
    rollBack(this.#open.database);
    return works.map(() => ({ failure }));
  }

  #commit(): void {
    const { statements, mark } = this.#open;
    this.#writePending();
    this.#head = { ...this.#head, sequence: this.#head.sequence + 1 };
    statements.putHead.run(encodeHead(this.#head));
    this.#reach('written');
    statements.commit.run();
    this.#reach('committed');
    mark.write(this.#head.sequence);
    this.#reach('marked');
  }

  #do(work: LogWork): Result {
    if (isRead(work)) {
      this.#writePending();
      return this.#read(work);
    }
    if (work.kind === 'close') this.#head = { ...this.#head, commit: work.commit };
    else return this.#write(work);
    return DONE;
  }

  #write(work: WriteWork): Result {
    if (work.kind !== 'append' || work.truncateFrom !== undefined) this.#writePending();
    const { statements } = this.#open;
    switch (work.kind) {
      case 'append':
        this.#append(work);
        return DONE;
      case 'commit':
        this.#adopt(work);
        return DONE;
      case 'chunk':
        statements.addChunk.run(chunkKey(work.snapshot, work.position), work.bytes);
        return DONE;
      case 'drop':
        return { value: this.#dropSome(work.snapshot) };
      case 'prune':
        statements.dropRunsUpTo.run(work.base.index);
        this.#head = { ...this.#head, base: work.base };
        return DONE;
    }
  }

  #append({ hardState, truncateFrom, run, commit }: AppendWork): void {
    if (truncateFrom !== undefined) this.#truncate(truncateFrom);
    const lastIndex = run?.last ?? (truncateFrom === undefined ? this.#head.lastIndex : truncateFrom - 1);
    this.#head = {
      ...this.#head,
      hardState: hardState ?? this.#head.hardState,
      lastIndex: lastIndex as Head['lastIndex'],
      commit,
    };
    if (run === undefined) return;
    if (this.#pendingBytes + run.bytes.length > ROW_BYTES_MAX) this.#writePending();
    this.#pending.push(run);
    this.#pendingBytes += run.bytes.length;
  }

  /** What was appended in a row goes into one. */
  #writePending(): void {
    const [head] = this.#pending;
    const tail = this.#pending.at(-1);
    if (head === undefined || tail === undefined) return;
    const bytes =
      this.#pending.length === 1 ? head.bytes : Buffer.concat(this.#pending.map((run) => run.bytes));
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#open.statements.addRun.run(head.first, tail.last, bytes);
  }

  #truncate(from: number): void {
    const { statements } = this.#open;
    statements.dropRunsFrom.run(from);
    const row = statements.runAt.get(from) as unknown as RunRow | undefined;
    if (row === undefined || row.last < from) return;
    for (const { index, offset } of decodeEntries(row.bytes)) {
      if (index !== from) continue;
      statements.cutRun.run(from - 1, row.bytes.subarray(0, offset), row.first);
      return;
    }
    throw damaged(`entry ${from} is missing`);
  }

  #adopt({ snapshot, record, position, holdsLog }: CommitWork): void {
    const { statements } = this.#open;
    statements.addSnapshot.run(snapshot, record);
    const commit = Math.max(this.#head.commit, position.index) as Head['commit'];
    this.#head = { ...this.#head, snapshot, commit };
    if (holdsLog) return;
    statements.dropAllRuns.run();
    this.#head = { ...this.#head, base: position, lastIndex: position.index };
  }

  /** Returns `more` while chunks are left: a large snapshot is removed in several goes, others in between. */
  #dropSome(snapshot: number): Value {
    const { statements } = this.#open;
    if (Number(statements.dropSomeChunks.run(...chunkRange(snapshot)).changes) > 0) return 'more';
    statements.dropSnapshot.run(snapshot);
    return undefined;
  }

  #read(work: ReadWork): Result {
    try {
      return { value: work.kind === 'read' ? this.#readRuns(work) : this.#readChunk(work) };
    } catch (thrown) {
      return { failure: failureOf(thrown) };
    }
  }

  #readRuns({ from, to, maxBytes }: Extract<ReadWork, { kind: 'read' }>): readonly Uint8Array[] {
    const rows: Uint8Array[] = [];
    let bytes = 0;
    for (const row of this.#open.statements.runsFrom.iterate(from, to)) {
      const { first, last, bytes: data } = row as unknown as RunRow;
      rows.push(data);
      // The first row may begin long before `from`: it does not count.
      if (rows.length > 1) bytes += data.length - (last - first + 1) * ENTRY_HEAD_BYTES_MAX;
      if (bytes > maxBytes) break;
    }
    return rows;
  }

  #readChunk({ snapshot, position }: Extract<ReadWork, { kind: 'readChunk' }>): readonly Uint8Array[] {
    const row = this.#open.statements.getChunk.get(chunkKey(snapshot, position)) as
      | { bytes: Uint8Array }
      | undefined;
    if (row === undefined) throw damaged(`chunk ${position} of the snapshot is missing`);
    return [row.bytes];
  }

  close(): void {
    this.#open.mark.close();
    this.#open.database.close();
  }
}

function isRead(work: LogWork): work is ReadWork {
  return work.kind === 'read' || work.kind === 'readChunk';
}

function isWrite(work: LogWork): boolean {
  return !isRead(work);
}
