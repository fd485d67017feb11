import type { PeerEntry } from '../entry/peer-entry.ts';
import type { SyncItem } from '../sync/source.ts';

/** What is held of one peer. Replaced as a whole, never changed: snapshots share it. */
export interface PeerRecord {
  readonly entry: PeerEntry;
  /** As it travels; undefined for what was inserted by hand, which stays on this node. */
  readonly signed: Uint8Array | undefined;
  readonly item: SyncItem;
  /** {@link Runtime.now} when something newer of this peer was last taken. */
  readonly heardAtMs: number;
  readonly rttMs: number | undefined;
}
