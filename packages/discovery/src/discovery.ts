import type { EventStream, PeerId, WaitOptions, Watch } from '@mosaik/primitives';
import type { Address } from '@mosaik/transport';
import type { Catalog } from './catalog/catalog.ts';
import type { PeerInfo } from './catalog/peer-info.ts';
import type { Offer } from './entry/own-entry.ts';
import type { PeerEntry, Ticket } from './entry/peer-entry.ts';
import type { DiscoveryEvent } from './events.ts';
import type { SyncResult } from './sync/session.ts';

/** A look inside. */
export interface DiscoveryStats {
  readonly known: number;
  readonly connected: number;
  readonly suspects: readonly PeerId[];
  /** 0 when this node is well, up to 8 the more it doubts itself. */
  readonly health: number;
}

/** Who is there: a catalog of the network's peers that keeps itself up to date. */
export interface Discovery extends AsyncDisposable {
  /** What this node says of itself now. */
  readonly me: PeerEntry;
  /** The same, signed: to be given to others out of band, see {@link Discovery.feed}. */
  readonly signedMe: Uint8Array;
  /** The peers known now; a snapshot that does not change, taken in O(1). */
  readonly catalog: Catalog;
  readonly stats: DiscoveryStats;
  /** The newest snapshot after each change. */
  watch(): Watch<Catalog>;
  /** Who came, changed and went; a subscriber that is too slow is told how much it missed. */
  events(): EventStream<DiscoveryEvent>;
  /**
   * Connects to an address, or to a peer of the catalog, and compares catalogs with it.
   *
   * @throws {PeerUnreachableError} when nobody answers.
   */
  dial(target: Address | PeerId, options?: WaitOptions): Promise<PeerId>;
  /** Compares catalogs with a peer now. */
  syncWith(peer: PeerId, options?: WaitOptions): Promise<SyncResult>;
  addTags(...tags: string[]): void;
  removeTags(...tags: string[]): void;
  addTicket(ticket: Ticket): void;
  /** Removes all tickets for which `isRemoved` holds. */
  removeTickets(isRemoved: (ticket: Ticket) => boolean): void;
  /** Shows in this node's entry what a layer above offers, until disposed; counted, so that several may. */
  advertise(offer: Offer): Disposable;
  /** Keeps the connection to a peer from being let go by the overlay while it is needed, until disposed. */
  pin(peer: PeerId): Disposable;
  /**
   * Takes a signed entry that came by another way.
   *
   * @throws {EntryRefusedError} with the reason, when it is not taken.
   */
  feed(signed: Uint8Array): Promise<PeerInfo>;
  /** Puts in an entry that nobody signed: it stays on this node, until something signed replaces it. */
  insert(entry: PeerEntry): void;
  /** Takes a peer out of this node's catalog; it comes back with its next announcement. */
  remove(peer: PeerId): void;
  /** Announces that this node leaves, and ends. The transport stays open: it is its owner's. */
  close(): Promise<void>;
}
