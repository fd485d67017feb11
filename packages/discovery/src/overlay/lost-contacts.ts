import type { PeerId, Runtime } from '@mosaik/primitives';
import type { Address } from '@mosaik/transport';

/** Those that are remembered at once; beyond, the one lost first is forgotten. */
const MAX_CONTACTS = 1_024;
const REMEMBERED_MS = 24 * 3_600_000;

interface Contact {
  readonly addresses: readonly Address[];
  readonly lostAtMs: number;
}

/** Peers that disappeared without a goodbye, and where they were: the way back after a partition. */
export class LostContacts {
  readonly #runtime: Runtime;
  readonly #contacts = new Map<PeerId, Contact>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  add(peer: PeerId, addresses: readonly Address[]): void {
    if (addresses.length === 0) return;
    this.#contacts.delete(peer);
    this.#contacts.set(peer, { addresses, lostAtMs: this.#runtime.now() });
    if (this.#contacts.size <= MAX_CONTACTS) return;
    const [oldest] = this.#contacts.keys();
    if (oldest !== undefined) this.#contacts.delete(oldest);
  }

  delete(peer: PeerId): void {
    this.#contacts.delete(peer);
  }

  addressesOf(peer: PeerId): readonly Address[] {
    return this.#contacts.get(peer)?.addresses ?? [];
  }

  /** Those that may still come back, in the order in which they were lost. */
  peers(): PeerId[] {
    const beforeMs = this.#runtime.now() - REMEMBERED_MS;
    for (const [peer, { lostAtMs }] of this.#contacts) {
      if (lostAtMs >= beforeMs) break;
      this.#contacts.delete(peer);
    }
    return [...this.#contacts.keys()];
  }
}
