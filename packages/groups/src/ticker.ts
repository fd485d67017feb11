import type { Scope } from '@mosaik/primitives';

/** One timer for all groups of a node: what they send at a tick leaves together. Runs only while somebody ticks. */
export class Ticker {
  readonly #scope: Scope;
  readonly #tickMs: number;
  readonly #ticking = new Set<() => void>();
  #timer: { cancel(): void } | undefined;

  constructor(scope: Scope, tickMs: number) {
    this.#scope = scope;
    this.#tickMs = tickMs;
  }

  /** Calls `tick` at every tick from now on, until disposed. */
  add(tick: () => void): Disposable {
    const own = (): void => tick();
    this.#ticking.add(own);
    this.#timer ??= this.#scope.every(this.#tickMs, () => {
      for (const each of [...this.#ticking]) each();
    });
    return {
      [Symbol.dispose]: () => {
        this.#ticking.delete(own);
        if (this.#ticking.size > 0) return;
        this.#timer?.cancel();
        this.#timer = undefined;
      },
    };
  }
}
