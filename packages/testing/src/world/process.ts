import type { Runtime } from '@mosaik/primitives';
import { EventKind } from '../clock/event-kind.ts';
import type { SimEvent } from '../clock/event-queue.ts';
import type { HostClock } from '../clock/host-clock.ts';
import type { Scheduler } from '../clock/scheduler.ts';
import type { Random } from '../random/sfc32.ts';
import { SimRuntime } from './runtime.ts';

/** What a process is made of. */
export interface ProcessOptions {
  readonly scheduler: Scheduler;
  readonly name: string;
  /** Small and unique in the world; stands for the process in the trace. */
  readonly index: number;
  readonly clock: HostClock;
  readonly random: Random;
}

/**
 * One life of a program: it owns events, which do not run once it is dead and wait while it is stalled.
 *
 * Invariant: what a process does to the world goes through `isAlive`, so a dead one cannot act, whatever its code,
 * woken by a promise of somebody else, still tries.
 */
export class Process {
  readonly name: string;
  readonly index: number;
  readonly scheduler: Scheduler;
  readonly runtime: Runtime;
  #isAlive = true;
  #stalledUntilMs = 0;
  /** Events that fell due while it was stalled, in order. */
  #late: SimEvent[] = [];
  readonly #onDeath: (() => void)[] = [];

  constructor(options: ProcessOptions) {
    this.name = options.name;
    this.index = options.index;
    this.scheduler = options.scheduler;
    this.runtime = new SimRuntime(this, options.clock, options.random);
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Whether its event loop stands still, by a stall or by what piled up during one. */
  get isHeldUp(): boolean {
    return this.#late.length > 0 || this.isStalled;
  }

  get isStalled(): boolean {
    return this.scheduler.nowMs < this.#stalledUntilMs;
  }

  /** Ends it; nothing of it runs from here on. */
  die(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#late = [];
    for (const callback of this.#onDeath) callback();
    this.#onDeath.length = 0;
  }

  onDeath(callback: () => void): void {
    this.#onDeath.push(callback);
  }

  /** Holds back its events for a while; `keeper` runs what is late once the stall is over. */
  stall(durationMs: number, keeper: Process, onEnd: () => void): void {
    const untilMs = this.scheduler.nowMs + durationMs;
    if (untilMs <= this.#stalledUntilMs) return;
    this.#stalledUntilMs = untilMs;
    this.scheduler.at(untilMs, keeper, EventKind.wake, () => {
      if (this.isStalled) return;
      onEnd();
      this.#catchUp(keeper);
    });
  }

  /** Keeps an event that is due for later. */
  holdUp(event: SimEvent): void {
    this.#late.push(event);
  }

  /** One late event a turn, so that its microtasks run before the next; what falls due meanwhile queues up behind. */
  #catchUp(keeper: Process): void {
    const event = this.#late.shift();
    if (event === undefined) return;
    if (this.#late.length > 0) {
      this.scheduler.soon(keeper, EventKind.wake, () => {
        if (!this.isStalled) this.#catchUp(keeper);
      });
    }
    this.scheduler.run(event);
  }
}
