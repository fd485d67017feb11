import { type Runtime, sleep } from '@mosaik/primitives';
import type { MemberId } from '../raft/types.ts';
import type { Pace } from './pace.ts';

/** In a row. Two questions are under way at once, so that it is three times that both are lost; one that was alone counts for two. */
const FAILURES_MAX = 6;
/** After each failure in a row it is left alone for so much longer: its bond may be made anew. */
const REST_MS = 500;

/** How a piece came: not in time; or not at all, as the member has it not, or another in its place. */
export type Delivery = 'came' | 'lost' | 'unfit';

/**
 * A member that is pulled from. One lost answer does not end that; many in a row do, and one that is wrong.
 *
 * After a failure it rests: as long as an answer may take by now, or until one comes late. On a slow way the same would be
 * sent again and again otherwise, behind what is on its way already.
 */
export class Source {
  readonly id: MemberId;
  readonly pace: Pace;
  /** Who asks it, one question at a time each. */
  askers = 0;
  readonly #runtime: Runtime;
  #failures = 0;
  /** Questions that nobody waits for any more, though their answers may be on their way. */
  #owed = 0;
  #isUnfit = false;
  #restsUntilMs = 0;
  #heard = Promise.withResolvers<void>();

  constructor(id: MemberId, pace: Pace, runtime: Runtime) {
    this.id = id;
    this.pace = pace;
    this.#runtime = runtime;
  }

  get isLeftOut(): boolean {
    return this.#isUnfit || this.#failures >= FAILURES_MAX;
  }

  /** What it was asked may still come. */
  get isOwing(): boolean {
    return this.#owed > 0 && !this.#isUnfit;
  }

  get isResting(): boolean {
    return this.#runtime.now() < this.#restsUntilMs;
  }

  /** Notes what came of a question after so long. */
  judge(delivery: Delivery, waitedMs: number): void {
    if (delivery === 'unfit') this.#isUnfit = true;
    if (delivery === 'lost') this.#failed(waitedMs);
    else this.#answered(waitedMs);
  }

  /** Notes what came of a question of which it was noted that nothing did. */
  judgeLate(delivery: Delivery, afterMs: number): void {
    this.#owed = Math.max(0, this.#owed - 1);
    this.judge(delivery, afterMs);
  }

  /** Resolves when it does not rest, or is not asked any more. */
  async rest(signal: AbortSignal): Promise<void> {
    const leftMs = this.#restsUntilMs - this.#runtime.now();
    if (leftMs > 0 && !this.isLeftOut) await this.heard(leftMs, signal);
  }

  /** Resolves with the next answer, or after so long. */
  async heard(leftMs: number, signal: AbortSignal): Promise<void> {
    const isOver = new AbortController();
    const until = { signal: AbortSignal.any([signal, isOver.signal]) };
    await Promise.race([sleep(this.#runtime, leftMs, until).catch(() => {}), this.#heard.promise]);
    isOver.abort();
  }

  #failed(waitedMs: number): void {
    this.#failures += this.askers > 1 ? 1 : 2;
    // One that could not be asked at all, without a bond, fails at once.
    if (waitedMs > 0) this.#owed++;
    this.pace.timedOut(waitedMs);
    const restMs = Math.min(2 * waitedMs, this.pace.patienceMs);
    this.#restsUntilMs = this.#runtime.now() + Math.max(restMs, this.#failures * REST_MS);
  }

  #answered(waitedMs: number): void {
    this.pace.answered(waitedMs);
    this.#failures = 0;
    this.#restsUntilMs = 0;
    this.#heard.resolve();
    this.#heard = Promise.withResolvers<void>();
  }
}
