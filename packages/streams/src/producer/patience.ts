/** A consumer may hold up the others for this share of the time… */
const SHARE = 0.02;
/** …and for this long at a stretch. */
export const BURST_MS = 250;

/**
 * How long a producer still waits for one consumer that holds up others: a token bucket of waiting time. So consumers
 * of about the same speed are never dropped for running unevenly, while one that is stuck costs the others a quarter
 * of a second once, and one that is slow at most a fiftieth of their throughput.
 */
export class Patience {
  #leftMs = BURST_MS;
  #isWaiting = false;
  #atMs: number;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  /** Says whether others are being held up from now on. */
  setWaiting(isWaiting: boolean, nowMs: number): void {
    this.#settle(nowMs);
    this.#isWaiting = isWaiting;
  }

  /**
   * Milliseconds of waiting that are left, should it go on. Below 0 when a wait took longer than it should, as timers do:
   * that is made up for, or a thousand short waits would add up to more than the share.
   */
  leftMs(nowMs: number): number {
    this.#settle(nowMs);
    return this.#leftMs;
  }

  #settle(nowMs: number): void {
    const elapsedMs = nowMs - this.#atMs;
    const changed = this.#leftMs + elapsedMs * (this.#isWaiting ? SHARE - 1 : SHARE);
    this.#leftMs = Math.min(BURST_MS, Math.max(-BURST_MS, changed));
    this.#atMs = nowMs;
  }
}
