import { InvalidArgumentError, type Runtime, type Timer } from '@mosaik/primitives';
import { EventKind } from '../clock/event-kind.ts';
import type { HostClock } from '../clock/host-clock.ts';
import type { Random } from '../random/sfc32.ts';
import type { Process } from './process.ts';

/** Platforms round smaller delays up to this; without it a loop over `setTimer(0, …)` would stop virtual time. */
const SHORTEST_DELAY_MS = 1;

/** Of a dead process, or for a time that never comes. */
const INERT_TIMER: Timer = { cancel: () => {} };

/** Time and chance of one process. */
export class SimRuntime implements Runtime {
  readonly #process: Process;
  readonly #clock: HostClock;
  readonly #random: Random;
  #diedAtMs: number | undefined;

  constructor(process: Process, clock: HostClock, random: Random) {
    this.#process = process;
    this.#clock = clock;
    this.#random = random;
    process.onDeath(() => {
      this.#diedAtMs = process.scheduler.nowMs;
    });
  }

  now(): number {
    return this.#clock.monotonicMs(this.#trueNowMs);
  }

  wallNow(): number {
    return this.#clock.wallMs(this.#trueNowMs);
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    if (!(delayMs >= 0)) throw new InvalidArgumentError('delayMs', `a number of 0 or more, not ${delayMs}`);
    if (!this.#process.isAlive || delayMs === Number.POSITIVE_INFINITY) return INERT_TIMER;
    const { scheduler } = this.#process;
    const delay = this.#clock.trueDelayMs(Math.max(delayMs, SHORTEST_DELAY_MS));
    return scheduler.at(scheduler.nowMs + delay, this.#process, EventKind.timer, callback);
  }

  yieldTo(callback: () => void): void {
    if (this.#process.isAlive) this.#process.scheduler.soon(this.#process, EventKind.yield, callback);
  }

  random(): number {
    return this.#random.next();
  }

  randomBytes(count: number): Uint8Array {
    return this.#random.bytes(count);
  }

  /** The clock of a dead process stands still. */
  get #trueNowMs(): number {
    return this.#diedAtMs ?? this.#process.scheduler.nowMs;
  }
}
