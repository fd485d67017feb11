import { type Runtime, sleep } from '@mosaik/primitives';
import type { MemberId } from '../raft/types.ts';

/** An answer that takes longer is taken for lost at first; … */
const PATIENCE_MS = 2_000;
/** … on a slow way longer and longer ones are waited for, up to this. */
const PATIENCE_MAX_MS = 16_000;
/** In a row. Two questions are under way at once, so that it is three times that both are lost. */
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
  readonly #runtime: Runtime;
  #patienceMs = PATIENCE_MS;
  #failures = 0;
  #isUnfit = false;
  #restsUntilMs = 0;
  #heard = Promise.withResolvers<void>();

  constructor(id: MemberId, runtime: Runtime) {
    this.id = id;
    this.#runtime = runtime;
  }

  /** How long its answers may take. */
  get patienceMs(): number {
    return this.#patienceMs;
  }

  get isLeftOut(): boolean {
    return this.#isUnfit || this.#failures >= FAILURES_MAX;
  }

  get isResting(): boolean {
    return this.#runtime.now() < this.#restsUntilMs;
  }

  /** Notes what came of a question after so long. */
  judge(delivery: Delivery, waitedMs: number): void {
    const longerMs = Math.min(2 * waitedMs, PATIENCE_MAX_MS);
    this.#patienceMs = Math.max(this.#patienceMs, longerMs);
    if (delivery === 'unfit') this.#isUnfit = true;
    if (delivery === 'lost') this.#failed(longerMs);
    else this.#answered();
  }

  /** Resolves when it does not rest, or is not asked any more. */
  async rest(signal: AbortSignal): Promise<void> {
    const leftMs = this.#restsUntilMs - this.#runtime.now();
    if (leftMs <= 0 || this.isLeftOut) return;
    const isOver = new AbortController();
    const until = { signal: AbortSignal.any([signal, isOver.signal]) };
    await Promise.race([sleep(this.#runtime, leftMs, until).catch(() => {}), this.#heard.promise]);
    isOver.abort();
  }

  #failed(longerMs: number): void {
    this.#failures++;
    this.#restsUntilMs = this.#runtime.now() + Math.max(longerMs, this.#failures * REST_MS);
  }

  #answered(): void {
    this.#failures = 0;
    this.#restsUntilMs = 0;
    this.#heard.resolve();
    this.#heard = Promise.withResolvers<void>();
  }
}
