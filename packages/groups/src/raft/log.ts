import { invariant } from './invariant.ts';
import type { Entry, LogIndex, LogPosition, Term } from './types.ts';

/** What an entry counts for in bounds: its data, and about what it costs in a message and in memory. */
export function sizeOf(entry: Entry): number {
  return entry.data.byteLength + 32;
}

/**
 * The part of the log that is in memory: everything after `base`.
 *
 * Invariant: entries are consecutive; terms never fall; `base.index <= appliedIndex <= last.index`.
 */
export interface Log {
  /** The position before the first entry in memory. */
  readonly base: LogPosition;
  readonly last: LogPosition;
  /** Bytes of entries that are not applied yet. */
  readonly unappliedBytes: number;
  /** The term at an index from `base.index` to `last.index`; undefined outside. */
  termAt(index: LogIndex): Term | undefined;
  append(entry: Entry): void;
  /** Lets go of entries from an index on. */
  truncateFrom(index: LogIndex): void;
  /** Entries from an index on, up to another (inclusive), as many as fit, and at least one. */
  slice(from: LogIndex, to: LogIndex, bytesMax: number): Entry[];
  /** Counts entries as applied, and returns their bytes; keeps them while there is room. */
  applied(upTo: LogIndex): number;
  /** Starts anew after a position; keeps what follows it, if the log has it. */
  restart(after: LogPosition): void;
}

interface LogOptions {
  readonly base: LogPosition;
  readonly entries: readonly Entry[];
  readonly retainedBytesMax: number;
}

export function createLog({ base, entries, retainedBytesMax }: LogOptions): Log {
  return new MemoryLog(base, entries, retainedBytesMax);
}

class MemoryLog implements Log {
  base: LogPosition;
  unappliedBytes = 0;
  #entries: Entry[] = [];
  /** Where the first entry is; what is before has been let go of, and is cut off from time to time. */
  #head = 0;
  #appliedIndex: LogIndex;
  #retainedBytes = 0;
  readonly #retainedBytesMax: number;

  constructor(base: LogPosition, entries: readonly Entry[], retainedBytesMax: number) {
    this.base = base;
    this.#appliedIndex = base.index;
    this.#retainedBytesMax = retainedBytesMax;
    for (const entry of entries) this.append(entry);
  }

  get last(): LogPosition {
    return this.#entries.length > this.#head ? (this.#entries[this.#entries.length - 1] as Entry) : this.base;
  }

  termAt(index: LogIndex): Term | undefined {
    if (index === this.base.index) return this.base.term;
    return index > this.base.index ? this.#entries[this.#placeOf(index)]?.term : undefined;
  }

  append(entry: Entry): void {
    const { last } = this;
    invariant(entry.index === last.index + 1, `entry ${entry.index} does not follow ${last.index}`);
    invariant(entry.term >= last.term, `the term falls from ${last.term} to ${entry.term} at ${entry.index}`);
    this.#entries.push(entry);
    this.unappliedBytes += sizeOf(entry);
  }

  truncateFrom(index: LogIndex): void {
    invariant(index > this.#appliedIndex, `entry ${index} has been applied and cannot go`);
    const place = this.#placeOf(index);
    for (let each = place; each < this.#entries.length; each++) {
      this.unappliedBytes -= sizeOf(this.#entries[each] as Entry);
    }
    this.#entries.length = Math.min(this.#entries.length, place);
  }

  slice(from: LogIndex, to: LogIndex, bytesMax: number): Entry[] {
    invariant(from > this.base.index, `entry ${from} is not in memory any more`);
    const first = this.#placeOf(from);
    const end = Math.min(this.#placeOf(to) + 1, this.#entries.length);
    let bytes = 0;
    let place = first;
    for (; place < end; place++) {
      bytes += sizeOf(this.#entries[place] as Entry);
      if (bytes > bytesMax && place > first) break;
    }
    return this.#entries.slice(first, place);
  }

  applied(upTo: LogIndex): number {
    if (upTo <= this.#appliedIndex) return 0;
    const bytes = this.#bytesOf(this.#appliedIndex, upTo);
    this.unappliedBytes -= bytes;
    this.#retainedBytes += bytes;
    this.#appliedIndex = upTo;
    while (this.#retainedBytes > this.#retainedBytesMax) this.#dropFirst();
    this.#cutOff();
    return bytes;
  }

  restart(after: LogPosition): void {
    const keepsRest = this.termAt(after.index) === after.term;
    if (keepsRest) {
      if (after.index > this.#appliedIndex) this.applied(after.index);
      while (this.base.index < after.index) this.#dropFirst();
      this.#cutOff();
      return;
    }
    this.#entries = [];
    this.#head = 0;
    this.unappliedBytes = 0;
    this.#retainedBytes = 0;
    this.#appliedIndex = after.index;
    this.base = { index: after.index, term: after.term };
  }

  #placeOf(index: LogIndex): number {
    return this.#head + (index - this.base.index) - 1;
  }

  /** Bytes of the entries after one index, up to another. */
  #bytesOf(after: LogIndex, upTo: LogIndex): number {
    let bytes = 0;
    const end = this.#placeOf(upTo);
    for (let place = this.#placeOf(after) + 1; place <= end; place++) {
      bytes += sizeOf(this.#entries[place] as Entry);
    }
    return bytes;
  }

  #dropFirst(): void {
    const entry = this.#entries[this.#head] as Entry;
    invariant(entry.index <= this.#appliedIndex, `entry ${entry.index} is still needed in memory`);
    this.#retainedBytes -= sizeOf(entry);
    this.#head++;
    this.base = { index: entry.index, term: entry.term };
  }

  /** Half of the array at a time, so that letting go costs a constant time per entry. */
  #cutOff(): void {
    if (this.#head < 64 || this.#head * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }
}
