import type { PeerId } from '@mosaik/primitives';
import type { EntryVersion } from '../entry/peer-entry.ts';

/** What a catalog holds of one peer, as far as reconciliation is concerned. */
export interface SyncItem {
  readonly peer: PeerId;
  readonly version: EntryVersion;
  /** 128 bits of BLAKE3 over (peer, version), as four unsigned 32-bit words; made once per version. */
  readonly fingerprint: readonly [number, number, number, number];
}

/** A claim that a peer was gone at a version: what stands in the place of an entry after a death. */
export interface Tombstone {
  readonly peer: PeerId;
  readonly version: EntryVersion;
}

/** The catalog, as the reconciliation sees it. */
export interface SyncSource {
  /** What is held, ascending by peer id; a snapshot that does not change. Tombstones are not part of it. */
  items(): readonly SyncItem[];
  /** The signed entry of a peer, as it travels. */
  signed(peer: PeerId): Uint8Array | undefined;
  /** The tombstone held for a peer, if there is one. */
  tombstone(peer: PeerId): Tombstone | undefined;
  /**
   * Takes entries from a peer: checks, verifies and inserts them; what is refused is counted there.
   *
   * @returns how many changed the catalog.
   */
  apply(entries: readonly Uint8Array[], from: PeerId): Promise<number>;
  /** Hears that peers are gone; what it makes of that is its own affair. */
  bury(tombstones: readonly Tombstone[], from: PeerId): void;
}
