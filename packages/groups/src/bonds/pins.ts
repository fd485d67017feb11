import type { Discovery } from '@mosaik/discovery';
import type { PeerId } from '@mosaik/primitives';

/** Keeps discovery from letting go of connections to peers that this node is, or is to be, bonded with. */
export class Pins {
  readonly #discovery: Discovery;
  readonly #pins = new Map<PeerId, Disposable>();

  constructor(discovery: Discovery) {
    this.#discovery = discovery;
  }

  /** Pins who is wanted, and lets go of those that are not held any more either. */
  update(wanted: ReadonlySet<PeerId>, isHeld: (peer: PeerId) => boolean): void {
    for (const peer of wanted) if (!this.#pins.has(peer)) this.#pins.set(peer, this.#discovery.pin(peer));
    for (const [peer, pin] of this.#pins) {
      if (wanted.has(peer) || isHeld(peer)) continue;
      this.#pins.delete(peer);
      pin[Symbol.dispose]();
    }
  }

  clear(): void {
    for (const pin of this.#pins.values()) pin[Symbol.dispose]();
    this.#pins.clear();
  }
}
