import { InvalidArgumentError } from './errors.ts';
import type { Runtime } from './runtime/runtime.ts';

/** How long to wait between attempts. */
export interface BackoffOptions {
  /** Upper end of the first delay in milliseconds. */
  readonly baseMs: number;
  /** No delay is longer, in milliseconds. */
  readonly maxMs: number;
  /** What the upper end grows by at each attempt; default 2. */
  readonly factor?: number | undefined;
}

/** Delays between the attempts at something that keeps failing. */
export interface Backoff {
  /** Delays given since the last reset. */
  readonly attempts: number;
  /** The delay before the next attempt, in milliseconds. */
  next(): number;
  /** Starts over, because an attempt succeeded. */
  reset(): void;
}

/**
 * Exponential backoff with full jitter: delay n is uniform in [0, min(maxMs, baseMs × factor^n)).
 *
 * Full jitter spreads the attempts of many nodes that failed at the same moment, with the least work for all of them
 * together: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. A single delay may be close to 0.
 *
 * @throws {InvalidArgumentError} unless 0 < baseMs <= maxMs and factor >= 1.
 */
export function createBackoff(runtime: Pick<Runtime, 'random'>, options: BackoffOptions): Backoff {
  const { baseMs, maxMs, factor = 2 } = options;
  if (!(baseMs > 0 && baseMs <= maxMs)) throw new InvalidArgumentError('baseMs', 'above 0 and at most maxMs');
  if (!(factor >= 1)) throw new InvalidArgumentError('factor', '1 or more');
  let attempts = 0;
  let ceilingMs = baseMs;
  return {
    get attempts() {
      return attempts;
    },
    next() {
      const delayMs = runtime.random() * ceilingMs;
      attempts += 1;
      ceilingMs = Math.min(maxMs, ceilingMs * factor);
      return delayMs;
    },
    reset() {
      attempts = 0;
      ceilingMs = baseMs;
    },
  };
}
