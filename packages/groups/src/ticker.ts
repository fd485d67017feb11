import type { Scope } from '@mosaik/primitives';

/** How often it is looked whether a pause is over, in ms. */
const PAUSES_MS = 1_000;

/** What ticks: a group of this node. */
export interface Ticked {
  tick(): void;
  /** A pause is over; it ticks again from now on. */
  onPauseOver(): void;
}

/** The ticking of one group. */
export interface Ticking extends Disposable {
  /** No tick for so long, or until resumed. */
  pause(durationMs: number): void;
  resume(): void;
}

/**
 * One timer for all groups of a node: what they send at a tick leaves together. Runs only while somebody ticks; those that
 * pause have a slow one, for all of them.
 */
export class Ticker {
  readonly #scope: Scope;
  readonly #tickMs: number;
  readonly #ticking = new Set<Ticked>();
  readonly #paused = new Map<Ticked, number>();
  #timer: Cancellable | undefined;
  #pauseTimer: Cancellable | undefined;

  constructor(scope: Scope, tickMs: number) {
    this.#scope = scope;
    this.#tickMs = tickMs;
  }

  /** Ticks it from now on, until disposed. */
  add(ticked: Ticked): Ticking {
    this.#move(ticked, 'ticking');
    return {
      pause: (durationMs) => this.#move(ticked, this.#scope.runtime.now() + durationMs),
      resume: () => {
        if (this.#paused.has(ticked)) this.#move(ticked, 'ticking');
      },
      [Symbol.dispose]: () => this.#move(ticked, 'nowhere'),
    };
  }

  #move(ticked: Ticked, to: 'ticking' | 'nowhere' | number): void {
    this.#ticking.delete(ticked);
    this.#paused.delete(ticked);
    if (to === 'ticking') this.#ticking.add(ticked);
    else if (to !== 'nowhere') this.#paused.set(ticked, to);
    this.#timer = keep(this.#timer, this.#ticking.size > 0, () =>
      this.#scope.every(this.#tickMs, () => this.#tick()),
    );
    this.#pauseTimer = keep(this.#pauseTimer, this.#paused.size > 0, () =>
      this.#scope.every(PAUSES_MS, () => this.#endPauses()),
    );
  }

  #tick(): void {
    for (const each of [...this.#ticking]) each.tick();
  }

  #endPauses(): void {
    const nowMs = this.#scope.runtime.now();
    for (const [ticked, untilMs] of [...this.#paused]) {
      if (untilMs > nowMs) continue;
      this.#move(ticked, 'ticking');
      ticked.onPauseOver();
    }
  }
}

interface Cancellable {
  cancel(): void;
}

/** Starts a timer when it is needed, and stops it when it is not any more. */
function keep(
  running: Cancellable | undefined,
  isNeeded: boolean,
  start: () => Cancellable,
): Cancellable | undefined {
  if (isNeeded) return running ?? start();
  running?.cancel();
  return undefined;
}
