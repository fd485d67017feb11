import type { PeerId } from '@mosaik/primitives';

/** Whom we remember having refused, for `why()`. */
const REMEMBERED_MAX = 256;

/** Peers whose last subscription was refused, and the code they were given. */
export class RefusedPeers {
  readonly #codes = new Map<PeerId, number>();

  get size(): number {
    return this.#codes.size;
  }

  add(peer: PeerId, code: number): void {
    this.#codes.delete(peer);
    this.#codes.set(peer, code);
    const [oldest] = this.#codes.keys();
    if (this.#codes.size > REMEMBERED_MAX && oldest !== undefined) this.#codes.delete(oldest);
  }

  delete(peer: PeerId): void {
    this.#codes.delete(peer);
  }

  /** How many were given `code`. */
  countOf(code: number): number {
    let count = 0;
    for (const given of this.#codes.values()) if (given === code) count++;
    return count;
  }
}
