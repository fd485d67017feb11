/** Nothing having arrived for so long, datums were lost. */
const PATIENCE_MS = 20_000;

/** Counts datums as they arrive. */
export interface Arrivals {
  arrived(count: number): void;
  /** Resolves when so many have arrived since the last call. @throws {Error} when no more come. */
  next(count: number): Promise<void>;
  /** How many there were. */
  total(): number;
}

export function countArrivals(): Arrivals {
  let total = 0;
  let target = 0;
  let reached = (): void => {};
  return {
    arrived(count) {
      total += count;
      if (total >= target) reached();
    },
    total: () => total,
    async next(count) {
      target += count;
      if (total >= target) return;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      reached = resolve;
      let before = total;
      const timer = setInterval(() => {
        if (total === before) reject(new Error(`${target - total} of ${count} datums did not arrive`));
        before = total;
      }, PATIENCE_MS);
      await promise.finally(() => clearInterval(timer));
    },
  };
}
