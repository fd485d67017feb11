import type { PeerId, Runtime } from '@mosaik/primitives';
import type { DetectorOptions } from './contract.ts';

/** Each step is shortened by up to this share of itself, so that nodes that began together do not stay in step. */
const JITTER_SHARE = 0.1;

/**
 * Whose turn it is to be probed: the neighbours in random order, round and round, one a step (SWIM §4.3). A new one is
 * put in at a random place. Unlike in SWIM the order is not shuffled again after each round: that would let nearly two
 * rounds pass between two probes of the same peer, and here a round is the time within which each is to be probed.
 */
export class ProbeRing {
  readonly #runtime: Runtime;
  readonly #intervalMs: number;
  readonly #stepMaxMs: number;
  readonly #order: PeerId[] = [];
  /** Invariant: 0 <= next <= order.length. */
  #next = 0;
  #idleSteps = 0;

  constructor(runtime: Runtime, options: DetectorOptions) {
    this.#runtime = runtime;
    this.#intervalMs = options.probeIntervalMs;
    this.#stepMaxMs = options.probeTimeoutMs / 2;
  }

  /** Until the next step: with n neighbours an n-th of the interval, or a whole fraction of that when it is long. */
  stepMs(): number {
    const turnMs = this.#intervalMs / Math.max(this.#order.length, 1);
    return (turnMs / this.#stepsPerTurn()) * (1 - JITTER_SHARE * this.#runtime.random());
  }

  /** One step on; the peer to be probed in it, if any. */
  step(neighbours: readonly PeerId[]): PeerId | undefined {
    this.#update(neighbours);
    if (++this.#idleSteps < this.#stepsPerTurn()) return undefined;
    this.#idleSteps = 0;
    if (this.#next >= this.#order.length) this.#next = 0;
    return this.#order[this.#next++];
  }

  #stepsPerTurn(): number {
    const turnMs = this.#intervalMs / Math.max(this.#order.length, 1);
    return Math.max(1, Math.ceil(turnMs / this.#stepMaxMs));
  }

  #update(neighbours: readonly PeerId[]): void {
    const present = new Set(neighbours);
    for (let index = this.#order.length - 1; index >= 0; index--) {
      if (present.delete(this.#order[index] as PeerId)) continue;
      this.#order.splice(index, 1);
      if (index < this.#next) this.#next--;
    }
    for (const added of present) {
      const index = Math.floor(this.#runtime.random() * (this.#order.length + 1));
      this.#order.splice(index, 0, added);
      if (index < this.#next) this.#next++;
    }
  }
}
