import type { MemberId } from '../raft/types.ts';

/** An answer that takes longer is taken for lost at first; … */
const PATIENCE_MS = 2_000;
/** … on a slow way longer and longer ones are waited for, up to this. */
const PATIENCE_MAX_MS = 16_000;
/** Entries asked for at once, at most and at first; an answer is bounded by bytes besides. */
export const ENTRIES_MAX = 2_048;
/** After an answer that did not come in time, a part of that is asked for; … */
const LESS = 4;
/** … twice as much again after each that came in such a part of the time. */
const IN_GOOD_TIME = 2;
/** Questions to one member that are under way at once, unless it is slow. */
const PARALLEL = 2;

/**
 * How long answers of one member may take, and how much it is asked for at once. Known from one pull to the next: on a way
 * that is too slow for what is asked at first, each pull would ask the same again, behind what is on its way already.
 */
export class Pace {
  #patienceMs = PATIENCE_MS;
  #entries = ENTRIES_MAX;

  get patienceMs(): number {
    return this.#patienceMs;
  }

  /** How many it is asked for at once, at most. */
  get entries(): number {
    return this.#entries;
  }

  get parallel(): number {
    return this.#entries < ENTRIES_MAX ? 1 : PARALLEL;
  }

  /** An answer has come after so long, maybe later than it was waited for. */
  answered(waitedMs: number): void {
    const isSwift = waitedMs * IN_GOOD_TIME <= this.#patienceMs;
    if (isSwift && this.parallel === PARALLEL) this.#patienceMs = Math.max(PATIENCE_MS, this.#patienceMs / 2);
    if (isSwift) this.#entries = Math.min(ENTRIES_MAX, 2 * this.#entries);
    this.#allow(waitedMs);
  }

  /** None has come for so long. One that could not even be asked says nothing of its pace. */
  timedOut(waitedMs: number): void {
    if (waitedMs >= this.#patienceMs) this.#entries = Math.max(1, this.#entries / LESS);
    this.#allow(waitedMs);
  }

  #allow(waitedMs: number): void {
    this.#patienceMs = Math.max(this.#patienceMs, Math.min(2 * waitedMs, PATIENCE_MAX_MS));
  }
}

/** The pace of each member. */
export class Paces {
  readonly #known = new Map<MemberId, Pace>();

  of(id: MemberId): Pace {
    const pace = this.#known.get(id) ?? new Pace();
    this.#known.set(id, pace);
    return pace;
  }

  /** Forgets the others. */
  keep(ids: readonly MemberId[]): void {
    for (const id of this.#known.keys()) if (!ids.includes(id)) this.#known.delete(id);
  }
}
