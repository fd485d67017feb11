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

/** Peers that were bonded once, at most, of which it is known since when they are not. */
const GONE_MAX = 1_024;

/** The members that this one is bonded with, and what they tell of themselves. */
export class Peers {
  readonly #byPeer = new Map<PeerId, BondedPeer>();
  /** When the bond with a peer that has none now ended, in the order in which that was. */
  readonly #goneAtMs = new Map<PeerId, number>();
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
    this.#goneAtMs.delete(bond.peer);
    this.#sorted = undefined;
    return { before, now };
  }

  /** Returns who that was; undefined when there is another bond by now. */
  ended(bond: Bond, nowMs: number): BondedPeer | undefined {
    const known = this.#byPeer.get(bond.peer);
    if (known?.bond !== bond) return undefined;
    this.#byPeer.delete(bond.peer);
    this.#sorted = undefined;
    this.#gone(bond.peer, nowMs);
    return known;
  }

  /** Monotonic time when the bond with a peer ended; undefined for one that is bonded, or never was. */
  goneAtMs(peer: PeerId): number | undefined {
    return this.#goneAtMs.get(peer);
  }

  #gone(peer: PeerId, nowMs: number): void {
    this.#goneAtMs.set(peer, nowMs);
    const [oldest] = this.#goneAtMs.keys();
    if (this.#goneAtMs.size > GONE_MAX && oldest !== undefined) this.#goneAtMs.delete(oldest);
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
