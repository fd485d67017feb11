import type { Scope, Timer } from '@mosaik/primitives';

/**
 * Timers that notice when this process did not run: one that fires late means that the event loop stood still, and that
 * what others sent meanwhile has not been read yet. A node must not judge others by what it did not hear then.
 *
 * A stall is noticed before anything else is done with the turn: by the timer that fires late, or, when something from
 * outside comes first, by the pulse that is overdue. Stalls shorter than the threshold go unnoticed; those longer than
 * threshold + pulse are always noticed.
 */
export class StallWatch {
  readonly #scope: Scope;
  readonly #thresholdMs: number;
  readonly #onStall: (stalledMs: number) => void;
  #pulseDueMs = Number.POSITIVE_INFINITY;
  /** What was due before this time and is late is so because of a stall that was noticed already. */
  #noticedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(scope: Scope, thresholdMs: number, onStall: (stalledMs: number) => void) {
    this.#scope = scope;
    this.#thresholdMs = thresholdMs;
    this.#onStall = onStall;
  }

  /** A timer of the scope; a stall that delayed it is told of before `callback` runs. */
  after(delayMs: number, callback: () => void): Timer {
    const dueMs = this.#scope.runtime.now() + delayMs;
    return this.#scope.after(delayMs, () => {
      this.#judge(dueMs);
      callback();
    });
  }

  /** The timer that is always set, one at a time: its being overdue shows a stall before it can fire. */
  pulse(delayMs: number, callback: () => void): void {
    this.#pulseDueMs = this.#scope.runtime.now() + delayMs;
    this.after(delayMs, callback);
  }

  /** To be called first of all when something comes in from outside. */
  look(): void {
    this.#judge(this.#pulseDueMs);
  }

  #judge(dueMs: number): void {
    const nowMs = this.#scope.runtime.now();
    const lateMs = nowMs - Math.max(dueMs, this.#noticedUntilMs);
    if (!(lateMs > this.#thresholdMs)) return;
    this.#noticedUntilMs = nowMs;
    this.#onStall(lateMs);
  }
}
