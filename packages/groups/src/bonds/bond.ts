import type { PeerInfo } from '@mosaik/discovery';
import type { GroupId, PeerId } from '@mosaik/primitives';
import type { Direction } from '@mosaik/transport';

/** An authenticated link to another member of a group: both sides have proven that they have its key. */
export interface Bond {
  readonly peer: PeerId;
  readonly group: GroupId;
  /** Which side dialled, seen from here. */
  readonly direction: Direction;
  /** {@link Runtime.now} when it was made. */
  readonly bondedAtMs: number;
  /** What the other member told of itself last. */
  readonly status: Uint8Array;
  readonly isAlive: boolean;
  /** How long nothing has come of the peer, in any group, in ms; beats are signs of life. */
  readonly silentMs: number;
  /**
   * Sends a frame whose first bytes are the group's message head, ahead of everything bulky.
   *
   * @returns false when it was not taken: the bond is over, or the other side does not keep up.
   */
  send(frame: Uint8Array): boolean;
  /** As {@link Bond.send}, behind what is bulky already. In order with itself, not with `send`. */
  sendBulk(frame: Uint8Array): boolean;
  /** Bytes of bulk that have not left yet. */
  readonly unsentBulkBytes: number;
  /** Ends it; the other side is told the code and may come back. */
  end(code: number, reason: string): void;
}

/** Why a bond is over. */
export interface BondEnd {
  /** `left`: the other member has left the group; `refused`: by either side, with a code; `lost`: the link broke. */
  readonly kind: 'left' | 'refused' | 'lost' | 'closed';
  readonly code: number;
  readonly reason: string;
}

/** A group of this node, as its bonds see it. */
export interface BondedGroup {
  readonly id: GroupId;
  readonly proofKey: Uint8Array;
  /** What this member tells of itself now; at most 4 KiB. */
  status(): Uint8Array;
  /** Whether a peer may be a member; asked again whenever what is known of it changes. */
  acceptIf(peer: PeerInfo): boolean;
  /** Whether `acceptIf` may refuse anybody: if so, who is not in the catalog yet has to wait. */
  readonly isSelective: boolean;
  onBonded(bond: Bond): void;
  onEnded(bond: Bond, end: BondEnd): void;
  /** The peer has missed beats: it may be gone, the bond stands until that is sure. */
  onSilent(bond: Bond): void;
  /** The other member has told something new of itself. */
  onStatus(bond: Bond): void;
  /** `payload` is a view of what arrived, and is not written to again. */
  onMessage(bond: Bond, payload: Uint8Array): void;
  /** One of these calls threw: a bug, which must not end the bonds of other groups. */
  onFault(error: Error): void;
  /** A handshake over this group came to nothing. */
  onRefused(peer: PeerId, code: number, reason: string): void;
}

/** The bonds of one group of this node. */
export interface GroupBonds {
  readonly group: GroupId;
  /** Stands for the group in frames that this node sends: see `writeMessageHead`. */
  readonly channel: number;
  readonly bonds: ReadonlyMap<PeerId, Bond>;
  /** Tells the other members the status anew. */
  statusChanged(): void;
  /** Says goodbye to the other members, and ends all bonds. */
  leave(reason: string): void;
}
