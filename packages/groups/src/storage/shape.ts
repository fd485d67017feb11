import { invariant } from '@mosaik/primitives';
import type { LogIndex, LogPosition, SnapshotMeta, Term } from '../raft/types.ts';
import type { LogBatch } from './storage.ts';

/** The position before the first entry of a new log. */
const ORIGIN: LogPosition = { index: 0 as LogIndex, term: 0 as Term };

/** Entries of one term in a row, from `first` up to the next run. */
export interface TermRun {
  readonly first: LogIndex;
  readonly term: Term;
}

/** A log without its data: where it begins and ends, and of which term each entry is. */
export interface ShapeOptions {
  readonly base: LogPosition;
  readonly lastIndex: LogIndex;
  readonly runs: readonly TermRun[];
  readonly snapshot: SnapshotMeta | undefined;
}

/**
 * Where a log begins and ends, of which term each entry is, and where its snapshot stands; holds whoever changes it to the
 * contract of `LogStorage`. Small whatever the log: terms never fall, so that runs of them are few.
 */
export class LogShape {
  #base: LogPosition;
  #lastIndex: LogIndex;
  /** Invariant: ascending in both fields; the first begins right after the base, unless there is none. */
  #runs: TermRun[];
  #snapshot: SnapshotMeta | undefined;

  constructor(
    options: ShapeOptions = { base: ORIGIN, lastIndex: ORIGIN.index, runs: [], snapshot: undefined },
  ) {
    this.#base = options.base;
    this.#lastIndex = options.lastIndex;
    this.#runs = [...options.runs];
    this.#snapshot = options.snapshot;
  }

  get base(): LogPosition {
    return this.#base;
  }

  get last(): LogPosition {
    return { index: this.#lastIndex, term: this.#runs.at(-1)?.term ?? this.#base.term };
  }

  get snapshot(): SnapshotMeta | undefined {
    return this.#snapshot;
  }

  get runs(): readonly TermRun[] {
    return this.#runs;
  }

  /** The term of an entry, or of the base; undefined for what is not there. */
  termAt(index: LogIndex): Term | undefined {
    if (index === this.#base.index) return this.#base.term;
    if (index < this.#base.index || index > this.#lastIndex) return undefined;
    return this.#runs[this.#runAt(index)]?.term;
  }

  /** Checks a batch and takes it in; nothing has changed when it throws. */
  append({ truncateFrom, entries = [] }: LogBatch): void {
    if (truncateFrom !== undefined) this.#requireTruncatable(truncateFrom);
    const lastIndex = truncateFrom === undefined ? this.#lastIndex : truncateFrom - 1;
    const lastTerm = this.termAt(lastIndex as LogIndex);
    invariant(lastTerm !== undefined, 'what a batch follows is in the log');
    requireFollowing(entries, { index: lastIndex as LogIndex, term: lastTerm });
    if (truncateFrom !== undefined) this.#truncate(truncateFrom);
    for (const { index, term } of entries) this.#push(index, term);
  }

  /** Whether the log goes on after this snapshot, or is replaced by it (Raft §7, figure 13, steps 6 and 7). */
  holds(meta: LogPosition): boolean {
    return this.termAt(meta.index) === meta.term;
  }

  requireNewer(meta: SnapshotMeta): void {
    // A founder's is at 0: what its new log begins after.
    const newest = Math.max(this.#snapshot?.index ?? -1, this.#base.index > 0 ? this.#base.index : -1);
    invariant(meta.index > newest, `a snapshot at ${meta.index} is not newer than the one at ${newest}`);
  }

  /** Takes in a snapshot that was committed. */
  adopt(meta: SnapshotMeta): void {
    this.requireNewer(meta);
    if (!this.holds(meta)) {
      this.#base = { index: meta.index, term: meta.term };
      this.#lastIndex = meta.index;
      this.#runs = [];
    }
    this.#snapshot = meta;
  }

  /** Moves the base up; false when it is there already. */
  prune(upTo: LogIndex): boolean {
    if (upTo <= this.#base.index) return false;
    invariant(upTo <= (this.#snapshot?.index ?? 0), 'only what a snapshot holds is pruned');
    const term = this.termAt(upTo);
    invariant(term !== undefined, 'what is pruned is in the log');
    const at = this.#runAt(upTo);
    this.#runs.splice(0, at);
    this.#base = { index: upTo, term };
    if (upTo === this.#lastIndex) this.#runs = [];
    else if (this.#runs[1]?.first === upTo + 1) this.#runs.shift();
    else this.#runs[0] = { first: (upTo + 1) as LogIndex, term };
    return true;
  }

  #requireTruncatable(from: LogIndex): void {
    invariant(from > this.#base.index, `entry ${from} is in the snapshot and cannot be truncated`);
    invariant(
      from <= this.#lastIndex + 1,
      `entry ${from} cannot be truncated: the last one is ${this.#lastIndex}`,
    );
  }

  #truncate(from: LogIndex): void {
    while ((this.#runs.at(-1)?.first ?? 0) >= from) this.#runs.pop();
    this.#lastIndex = (from - 1) as LogIndex;
  }

  #push(index: LogIndex, term: Term): void {
    if (this.#runs.at(-1)?.term !== term) this.#runs.push({ first: index, term });
    this.#lastIndex = index;
  }

  /** The place of the run that an entry is in, by bisection. */
  #runAt(index: LogIndex): number {
    let [low, high] = [0, this.#runs.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#runs[middle] as TermRun).first <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function requireFollowing(entries: NonNullable<LogBatch['entries']>, after: LogPosition): void {
  let { index, term } = after;
  for (const entry of entries) {
    invariant(entry.index === index + 1, `entry ${entry.index} does not follow ${index}`);
    invariant(entry.term >= term && entry.term > 0, `term ${entry.term} does not follow ${term}`);
    ({ index, term } = entry);
  }
}
