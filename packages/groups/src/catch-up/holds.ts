import type { Runtime } from '@mosaik/primitives';
import type { LogIndex } from '../raft/types.ts';

/** How long what was asked for counts: longer than the most patient member waits, and hears out, before it asks again. */
const HOLD_MS = 60_000;
/** What is asked for within one such span is noted once. */
const GRAIN_MS = 1_000;

interface Hold {
  readonly after: LogIndex;
  readonly atMs: number;
}

/**
 * What others are pulling from this member: the entries after the lowest index that was asked for lately. They are kept for
 * them, or a member whose snapshot takes longer than entries are kept would never catch up: the log is pruned behind it.
 */
export class Holds {
  readonly #runtime: Runtime;
  /** Invariant: ascending in both; one that is not lower than a newer one says nothing (a sliding minimum). */
  #holds: Hold[] = [];

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Somebody has asked for what follows an index, or for the snapshot there, which is no use without. */
  asked(after: LogIndex): void {
    const atMs = this.#runtime.now();
    this.#holds = this.#holds.filter((hold) => hold.after < after);
    const newest = this.#holds.at(-1);
    if (newest === undefined || atMs - newest.atMs >= GRAIN_MS) this.#holds.push({ after, atMs });
  }

  /** Entries after this are to be kept; undefined when nobody pulls. */
  get after(): LogIndex | undefined {
    const sinceMs = this.#runtime.now() - HOLD_MS;
    this.#holds = this.#holds.filter(({ atMs }) => atMs >= sinceMs);
    return this.#holds[0]?.after;
  }
}
