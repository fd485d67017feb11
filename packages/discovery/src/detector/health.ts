/** The worst score: 8 as in the paper (Lifeguard §IV-A, S). */
const HEALTH_MAX = 8;

/** Times are stretched by no more than this: a node that doubts itself is to be slow to judge, not blind. */
export const FACTOR_MAX = 4;

/**
 * How much this node has reason to doubt itself: the local health multiplier of Lifeguard (Dadgar, Phillips, Currey 2018,
 * §IV-A). 0 is well. What it did not hear in time may be its own fault, so the higher the score, the longer it waits.
 *
 * Invariant: 0 <= score <= {@link HEALTH_MAX}.
 */
export class Health {
  #score = 0;

  get score(): number {
    return this.#score;
  }

  /** By what timeouts are multiplied now: min(score + 1, 4). */
  get factor(): number {
    return Math.min(this.#score + 1, FACTOR_MAX);
  }

  /** Something speaks against this node: a probe failed that a helper's did not, a helper kept silent, it had to refute. */
  worsen(by = 1): void {
    this.#score = Math.min(this.#score + by, HEALTH_MAX);
  }

  /** A direct probe was answered in time. */
  recover(): void {
    this.#score = Math.max(this.#score - 1, 0);
  }
}
