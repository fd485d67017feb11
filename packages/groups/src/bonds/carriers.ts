import type { PeerId } from '@mosaik/primitives';
import { GroupCode } from '../codes.ts';
import type { Carrier } from './carrier.ts';

interface CarriersOptions {
  readonly self: PeerId;
  readonly peersMax: number;
}

/**
 * The carriers of a node, one to each peer.
 *
 * Of two between the same two nodes, the one that the smaller id dialled stays; of two that the same side dialled, the newer, as
 * whoever dials again has lost the older; and none of a former life of the peer. Both sides decide alike.
 */
export class Carriers {
  readonly #options: CarriersOptions;
  /** Invariant: these have been greeted, and were not ended. */
  readonly #inForce = new Map<PeerId, Carrier>();
  /** Not greeted yet. */
  readonly #pending = new Set<Carrier>();

  constructor(options: CarriersOptions) {
    this.#options = options;
  }

  /** A copy: what is done with one may end others. */
  get inForce(): readonly Carrier[] {
    return [...this.#inForce.values()];
  }

  /** The same, and those that were not greeted yet. */
  get all(): readonly Carrier[] {
    return [...this.#inForce.values(), ...this.#pending];
  }

  get areNone(): boolean {
    return this.#inForce.size === 0 && this.#pending.size === 0;
  }

  /** Handshakes under way that others began. */
  get handshakesOfOthers(): number {
    return [...this.#pending].filter(({ role }) => role === 'acceptor').length;
  }

  has(peer: PeerId): boolean {
    return this.#inForce.has(peer);
  }

  begin(carrier: Carrier): void {
    this.#pending.add(carrier);
    carrier.start();
  }

  /** The other side has greeted: puts the carrier in force, or ends it; returns whether it is. */
  greeted(carrier: Carrier): boolean {
    this.#pending.delete(carrier);
    const other = this.#inForce.get(carrier.peer);
    if (other === undefined && this.#inForce.size >= this.#options.peersMax) {
      carrier.fail(GroupCode.TooMany, 'too many bonds');
      return false;
    }
    if (other !== undefined && !this.#isPreferred(carrier, other)) {
      carrier.close(GroupCode.AlreadyBonded, 'bonded by another link');
      return false;
    }
    this.#inForce.set(carrier.peer, carrier);
    other?.close(GroupCode.AlreadyBonded, 'bonded by another link');
    return true;
  }

  ended(carrier: Carrier): void {
    this.#pending.delete(carrier);
    if (this.#inForce.get(carrier.peer) === carrier) this.#inForce.delete(carrier.peer);
  }

  /** The carrier that a lane with this token belongs to. */
  ofLane(peer: PeerId, token: Uint8Array): Carrier | undefined {
    return this.all.find((carrier) => carrier.peer === peer && carrier.ownsLane(token));
  }

  #isPreferred(carrier: Carrier, other: Carrier): boolean {
    if (!carrier.isSameInstance(other)) return true;
    if (carrier.role === other.role) return true;
    const smallerDials = this.#options.self < carrier.peer ? 'dialler' : 'acceptor';
    return carrier.role === smallerDials;
  }
}
