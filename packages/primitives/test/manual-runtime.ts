import type { Runtime, Timer } from '../src/runtime/runtime.ts';

/** A runtime whose clock stands until it is told to move: enough for the tests of this package. */
export interface ManualRuntime extends Runtime {
  /** Moves the clock, firing what is due in order, with all promises settled in between. */
  advance(ms: number): Promise<void>;
  readonly pendingTimers: number;
}

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

  return {
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
  };
}

/** Lets every promise that can settle do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
