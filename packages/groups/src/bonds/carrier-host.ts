import type { GroupId, PeerId, Scope } from '@mosaik/primitives';
import type { BondedGroup } from './bond.ts';
import type { Carrier } from './carrier.ts';
import type { BondSettings } from './options.ts';

/** What a carrier needs of the node. */
export interface CarrierHost {
  readonly scope: Scope;
  readonly settings: BondSettings;
  /** How often carriers are ticked, in ms. */
  readonly tickMs: number;
  readonly self: PeerId;
  readonly instance: Uint8Array;
  group(id: GroupId): BondedGroup | undefined;
  channelOf(group: BondedGroup): number;
  /** Whether the peer may be bonded in the group; undefined while too little is known of it. */
  allows(group: BondedGroup, peer: PeerId): boolean | undefined;
  /** The other side has said hello. */
  onGreeted(carrier: Carrier): void;
  /** The other side, or this one, does not want a bond in this group now. */
  onRefused(carrier: Carrier, group: GroupId, code: number, reason: string): void;
  onEnded(carrier: Carrier): void;
  /** What this node says of itself in discovery now, signed. */
  readonly entry: Uint8Array;
  /** The other side has said what it is in discovery; it has proven to be in a group with this node. */
  onEntry(carrier: Carrier, signed: Uint8Array): void;
  /** Something was refused, by this node. */
  count(code: number): void;
}
