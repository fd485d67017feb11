import type { Runtime } from '@mosaik/primitives';

/**
 * While others talk, bulk may write so much in a period, which comes to 130 MB/s. Both ends then have most of their time for
 * everything else. Unpaced at 500 MB/s a receiver collects garbage an eighth of its time and is never done with
 * what has come: one round trip in a hundred took 9 ms, at 210 MB/s 8 ms, with this 4.
 */
const BYTES_PER_PERIOD = 128 * 1024;
const PERIOD_MS = 1;

/** So many small frames within {@link TALK_MS} are a talk: somebody waits for answers, again and again. */
const TALK_FRAMES = 4;
const TALK_MS = 50;

/** Notices whether small messages go to and fro, and has bulk leave time to them while they do. */
export class Pacer {
  readonly #runtime: Pick<Runtime, 'now'>;
  #frames = 0;
  #countingSinceMs = Number.NEGATIVE_INFINITY;
  #talkUntilMs = Number.NEGATIVE_INFINITY;
  #bytes = 0;
  #periodEndMs = Number.NEGATIVE_INFINITY;

  constructor(runtime: Pick<Runtime, 'now'>) {
    this.#runtime = runtime;
  }

  /** A small frame has left, of a link that is not for control, and that sends no bulk itself. */
  small(): void {
    const nowMs = this.#runtime.now();
    if (nowMs - this.#countingSinceMs > TALK_MS) {
      this.#frames = 0;
      this.#countingSinceMs = nowMs;
    }
    if (++this.#frames >= TALK_FRAMES) this.#talkUntilMs = nowMs + TALK_MS;
  }

  /** Bytes of bulk have left. */
  spend(bytes: number): void {
    const nowMs = this.#runtime.now();
    if (nowMs >= this.#periodEndMs) {
      this.#periodEndMs = nowMs + PERIOD_MS;
      this.#bytes = 0;
    }
    this.#bytes += bytes;
    // What goes over is owed: one large frame takes as many periods as small ones would.
    while (this.#bytes >= 2 * BYTES_PER_PERIOD) {
      this.#bytes -= BYTES_PER_PERIOD;
      this.#periodEndMs += PERIOD_MS;
    }
  }

  /** For how long no bulk should leave; 0 when it may. */
  get restMs(): number {
    if (this.#bytes < BYTES_PER_PERIOD) return 0;
    const nowMs = this.#runtime.now();
    return nowMs < this.#talkUntilMs ? Math.max(0, this.#periodEndMs - nowMs) : 0;
  }
}
