import type { PeerId } from '@mosaik/primitives';
import { BURST_MS, Patience } from './patience.ts';

/** Peers that are remembered; the one that went first is forgotten first. */
const REMEMBERED_MAX = 1_024;

/**
 * What is left of the patience with peers that are gone. Who was dropped as too slow comes back at once, and would hold
 * up the others again each time if it were met with full patience.
 */
export class Forbearance {
  readonly #left = new Map<PeerId, Patience>();

  /** A subscription of this peer has ended. */
  keep(peer: PeerId, patience: Patience, nowMs: number): void {
    patience.setWaiting(false, nowMs);
    const held = this.#left.get(peer);
    if (held !== undefined && held.leftMs(nowMs) <= patience.leftMs(nowMs)) return;
    this.#left.delete(peer);
    this.#left.set(peer, patience);
    const [oldest] = this.#left.keys();
    if (this.#left.size > REMEMBERED_MAX && oldest !== undefined) this.#left.delete(oldest);
  }

  /** A subscription of this peer begins. */
  take(peer: PeerId, nowMs: number): Patience {
    const held = this.#left.get(peer);
    this.#left.delete(peer);
    return held !== undefined && held.leftMs(nowMs) < BURST_MS ? held : new Patience(nowMs);
  }
}
