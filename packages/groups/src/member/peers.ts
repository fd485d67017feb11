import { DecodeError, type PeerId } from '@mosaik/primitives';
import type { Bond } from '../bonds/bond.ts';
import type { MemberId } from '../raft/types.ts';
import { peerOf } from '../wire/member.ts';
import { decodeStatus, type MemberStatus } from '../wire/status.ts';

/** A bonded member. */
export interface BondedPeer {
  readonly bond: Bond;
  readonly status: MemberStatus;
}

/** The members that this one is bonded with, and what they tell of themselves. */
export class Peers {
  readonly #byPeer = new Map<PeerId, BondedPeer>();
  #sorted: readonly BondedPeer[] | undefined;

  get size(): number {
    return this.#byPeer.size;
  }

  /**
   * Takes over what a bond's other side says of itself; returns what was known before.
   *
   * @throws {DecodeError} when it is no status, or of another peer.
   */
  told(bond: Bond): { readonly before: BondedPeer | undefined; readonly now: BondedPeer } {
    const status = decodeStatus(bond.status);
    if (peerOf(status.member) !== bond.peer) throw new DecodeError('schema', 'the status of another peer');
    const before = this.#byPeer.get(bond.peer);
    const now = { bond, status };
    this.#byPeer.set(bond.peer, now);
    this.#sorted = undefined;
    return { before, now };
  }

  /** Returns who that was; undefined when there is another bond by now. */
  ended(bond: Bond): BondedPeer | undefined {
    const known = this.#byPeer.get(bond.peer);
    if (known?.bond !== bond) return undefined;
    this.#byPeer.delete(bond.peer);
    this.#sorted = undefined;
    return known;
  }

  get(peer: PeerId): BondedPeer | undefined {
    return this.#byPeer.get(peer);
  }

  /** The bond with this very member. */
  of(member: MemberId): BondedPeer | undefined {
    const known = this.#byPeer.get(peerOf(member));
    return known?.status.member === member ? known : undefined;
  }

  /** Ascending by peer, so that decisions do not depend on who came first. */
  all(): readonly BondedPeer[] {
    this.#sorted ??= [...this.#byPeer.values()].sort((a, b) => (a.bond.peer < b.bond.peer ? -1 : 1));
    return this.#sorted;
  }
}
