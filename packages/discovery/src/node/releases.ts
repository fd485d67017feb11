import type { PeerId, Watch } from '@mosaik/primitives';
import type { Connection } from '@mosaik/transport';

type Connections = Watch<ReadonlyMap<PeerId, Connection>>;

/**
 * Connections that one of the two sides is closing because it has too many: both live on, so their end is no reason to
 * doubt that, and nobody is to be probed over them any more. Another connection to the same peer is not one of them.
 */
export class Releases {
  readonly #connections: Connections;
  readonly #released = new Map<PeerId, Connection>();
  #changes = 0;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  /** Grows with each change. */
  get changes(): number {
    return this.#changes;
  }

  /** Whether the connection to a peer is one. */
  has(peer: PeerId): boolean {
    const released = this.#released.get(peer);
    return released !== undefined && released === this.#connections.value.get(peer);
  }

  /** Releases the connection to a peer, if there is one. */
  add(peer: PeerId): void {
    const connection = this.#connections.value.get(peer);
    if (connection === undefined) return;
    this.#released.set(peer, connection);
    this.#changes++;
  }

  /** There is no connection to a peer any more; returns whether the last one was released. */
  delete(peer: PeerId): boolean {
    this.#changes++;
    return this.#released.delete(peer);
  }
}
