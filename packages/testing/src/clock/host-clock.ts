/** How a host's clocks differ from true time. */
export interface ClockOptions {
  /** How far its wall clock is ahead of true time when the world begins, in milliseconds; may be negative. Default 0. */
  readonly skewMs?: number | undefined;
  /** How much faster than true time its clocks run, in millionths; may be negative. Default 0. */
  readonly driftPpm?: number | undefined;
}

/** The wall clock reads this when a world begins: 2026-01-01T00:00:00Z. */
export const WORLD_EPOCH_MS: number = 1_767_225_600_000;

/** One quartz for both clocks of a host: they start at different values and run at the same, slightly wrong, rate. */
export class HostClock {
  readonly #rate: number;
  readonly #skewMs: number;
  readonly #originMs: number;

  /** @param originMs what the monotonic clock reads when the world begins. */
  constructor(options: ClockOptions, originMs: number) {
    this.#rate = 1 + (options.driftPpm ?? 0) / 1e6;
    this.#skewMs = options.skewMs ?? 0;
    this.#originMs = originMs;
  }

  /** The monotonic clock at a true time. */
  monotonicMs(trueMs: number): number {
    return this.#originMs + trueMs * this.#rate;
  }

  /** The wall clock at a true time: whole milliseconds, as the platform's. */
  wallMs(trueMs: number): number {
    return Math.floor(WORLD_EPOCH_MS + this.#skewMs + trueMs * this.#rate);
  }

  /** How much true time passes while this clock counts `localMs`. */
  trueDelayMs(localMs: number): number {
    return localMs / this.#rate;
  }
}
