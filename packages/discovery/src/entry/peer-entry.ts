import type { GroupId, NetworkId, PeerId, StoreId, StreamId, Tag, UniqueId } from '@mosaik/primitives';
import type { Address } from '@mosaik/transport';

/**
 * When an entry was made, by the wall clock of the peer that made it, in ms since the Unix epoch. `start` is when the
 * process started, `update` when this entry was made; of two entries of a peer, the one with the later start is newer,
 * and at the same start the one with the later update.
 */
export interface EntryVersion {
  readonly start: number;
  readonly update: number;
}

/** A right that a peer carries, to be checked by whoever asks for it; opaque to discovery. */
export interface Ticket {
  /** What kind of ticket it is, so that a validator finds its own. */
  readonly class: UniqueId;
  readonly data: Uint8Array;
  /** Wall clock ms after which it is no longer shown; for ever when absent. */
  readonly expiresAtMs?: number | undefined;
}

/** What a peer says of itself. It travels signed; see `SignedEntry`. */
export interface PeerEntry {
  /** Version of the entry's format. */
  readonly format: number;
  readonly network: NetworkId;
  readonly peer: PeerId;
  readonly version: EntryVersion;
  /** Where it can be reached. */
  readonly addresses: readonly Address[];
  readonly tags: readonly Tag[];
  /** Streams it produces. */
  readonly streams: readonly StreamId[];
  /** Groups it is a member of. */
  readonly groups: readonly GroupId[];
  /** Stores it serves. */
  readonly stores: readonly StoreId[];
  readonly tickets: readonly Ticket[];
  /** Names of ids above, for people to read; whoever needs to be sure hashes them. */
  readonly names: Readonly<Record<string, string>>;
  /** The peer has left; this is its last entry. */
  readonly isDeparted: boolean;
}

/** An entry as it travels: the bytes that were signed, kept as they are, so that unknown fields survive. */
export interface SignedEntry {
  readonly entry: PeerEntry;
  /** CBOR `[entry, signature]`: what is gossiped, synced and fed. */
  readonly bytes: Uint8Array;
}

/** Negative when `a` is older than `b`, 0 when they are the same, positive when it is newer. */
export function compareVersions(a: EntryVersion, b: EntryVersion): number {
  return a.start - b.start || a.update - b.update;
}

/** Whether two entries of a peer say the same, whenever they were made: then the newer one only says that it lives. */
export function sayTheSame(a: PeerEntry, b: PeerEntry): boolean {
  return (
    a.isDeparted === b.isDeparted &&
    sameItems(a.addresses, b.addresses) &&
    sameItems(a.tags, b.tags) &&
    sameItems(a.streams, b.streams) &&
    sameItems(a.groups, b.groups) &&
    sameItems(a.stores, b.stores) &&
    sameItems(a.tickets.map(ticketText), b.tickets.map(ticketText)) &&
    sameItems(Object.entries(a.names).map(String).sort(), Object.entries(b.names).map(String).sort())
  );
}

function ticketText(ticket: Ticket): string {
  return `${ticket.class} ${ticket.expiresAtMs} ${ticket.data.join()}`;
}

function sameItems(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
