import type { Runtime, Timer } from '@mosaik/primitives';

/** A runtime whose clock stands until it is told to move. */
export interface ManualRuntime extends Runtime {
  /** Moves the clock, firing what is due in order, with all promises settled in between. */
  advance(ms: number): Promise<void>;
  /** Resolves with `promise`, with turns of the loop given to whoever waits for them, but no time. */
  run<T>(promise: Promise<T>): Promise<T>;
  readonly pendingTimers: number;
}

/** Turns that a promise may take to settle; the tests' need a handful. */
const TURNS_MAX = 1_000;

export function manualRuntime(random: () => number = () => 0.5): ManualRuntime {
  let nowMs = 0;
  let sequence = 0;
  const due: { atMs: number; order: number; callback: () => void }[] = [];

  const setTimer = (delayMs: number, callback: () => void): Timer => {
    const entry = { atMs: nowMs + delayMs, order: sequence++, callback };
    due.push(entry);
    due.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
    return { cancel: () => void (due.includes(entry) && due.splice(due.indexOf(entry), 1)) };
  };

  const runtime: ManualRuntime = {
    now: () => nowMs,
    wallNow: () => 1_700_000_000_000 + nowMs,
    setTimer,
    yieldTo: (callback) => void setTimer(0, callback),
    random,
    randomBytes: (count) => new Uint8Array(count).map(() => Math.floor(random() * 256)),
    get pendingTimers() {
      return due.length;
    },
    async advance(ms) {
      const untilMs = nowMs + ms;
      await settle();
      for (let next = due[0]; next && next.atMs <= untilMs; next = due[0]) {
        due.shift();
        nowMs = next.atMs;
        next.callback();
        await settle();
      }
      nowMs = untilMs;
    },
    async run(promise) {
      let isSettled = false;
      const settled = (): void => {
        isSettled = true;
      };
      promise.then(settled, settled);
      for (let turn = 0; turn < TURNS_MAX && !isSettled; turn++) await runtime.advance(0);
      if (!isSettled) throw new Error(`not settled within ${TURNS_MAX} turns`);
      return promise;
    },
  };
  return runtime;
}

/** Lets every promise that can settle do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
