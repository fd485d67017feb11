/** A timer that was set; cancelling one that has fired or was cancelled does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * The only door to time and chance.
 *
 * Everything in mosaik takes its clock, timers and randomness from here, so that a whole system runs in virtual time
 * from one seed under the simulator. Only the system implementation touches the world.
 */
export interface Runtime {
  /** Monotonic clock in milliseconds, with fractions; its origin is arbitrary, its rate may drift from true time. */
  now(): number;
  /** Wall clock in milliseconds since the Unix epoch; may jump either way. */
  wallNow(): number;
  /**
   * Calls `callback` once, `delayMs` or more from now, never synchronously.
   *
   * @param delayMs 0 or more; what is larger than a platform timer can hold is split by the implementation.
   */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Calls `callback` after the events that are ready now have been handled: the way for bulk work to yield. */
  yieldTo(callback: () => void): void;
  /** A uniform number in [0, 1); for jitter and sampling, not for secrets. */
  random(): number;
  /** `count` bytes, unpredictable to others in the system implementation. */
  randomBytes(count: number): Uint8Array;
}
