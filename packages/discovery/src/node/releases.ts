import type { PeerId } from '@mosaik/primitives';

/**
 * Connections that one of the two sides is closing because it has too many: both live on, so their end is no reason to
 * doubt that, and nobody is to be probed over them any more.
 */
export class Releases {
  readonly #peers = new Set<PeerId>();
  #changes = 0;

  /** Grows with each change. */
  get changes(): number {
    return this.#changes;
  }

  has(peer: PeerId): boolean {
    return this.#peers.has(peer);
  }

  add(peer: PeerId): void {
    this.#peers.add(peer);
    this.#changes++;
  }

  /** Returns whether it was one. */
  delete(peer: PeerId): boolean {
    this.#changes++;
    return this.#peers.delete(peer);
  }
}
