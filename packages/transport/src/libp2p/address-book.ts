import type { PeerId } from '@mosaik/primitives';
import type { Address } from '../transport.ts';

/** Peers found on the local network that are remembered; the one seen longest ago goes first. */
const MAX_FOUND = 1_000;

/** Where peers can be reached: as we were told, and as was found on the local network and proved right. */
export class AddressBook {
  readonly #told = new Map<PeerId, readonly Address[]>();
  readonly #found = new Map<PeerId, readonly Address[]>();

  /** All that is known, what was told first. */
  of(peer: PeerId): readonly Address[] {
    return [...new Set([...(this.#told.get(peer) ?? []), ...(this.#found.get(peer) ?? [])])];
  }

  /** Replaces what was told; nothing forgets the peer. */
  tell(peer: PeerId, addresses: readonly Address[]): void {
    if (addresses.length > 0) this.#told.set(peer, [...addresses]);
    else {
      this.#told.delete(peer);
      this.#found.delete(peer);
    }
  }

  /** Replaces what was found; to be called once the peer has answered there, for anyone can claim to be it. */
  find(peer: PeerId, addresses: readonly Address[]): void {
    this.#found.delete(peer);
    this.#found.set(peer, [...addresses]);
    const [oldest] = this.#found.keys();
    if (this.#found.size > MAX_FOUND && oldest !== undefined) this.#found.delete(oldest);
  }
}
