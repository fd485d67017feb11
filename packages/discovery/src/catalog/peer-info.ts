import { isUniqueId, type PeerId, type StreamId, type Tag, tag, type UniqueId } from '@mosaik/primitives';
import type { PeerEntry, Ticket } from '../entry/peer-entry.ts';

/** What is known of a peer: what it says of itself, and what was measured here. Does not change. */
export interface PeerInfo extends PeerEntry {
  /** Smoothed round trip in milliseconds; undefined while unmeasured. */
  readonly rttMs: number | undefined;
  /** Whether it carries a tag, given as text or as its id. */
  hasTag(tag: Tag | string): boolean;
  /** Whether it says that it produces a stream. */
  produces(stream: StreamId): boolean;
  /** The tickets of a class that have not expired at `wallNowMs`. */
  ticketsOf(ticketClass: UniqueId, wallNowMs: number): readonly Ticket[];
  /** Whether its round trip is below a bound; true while unmeasured, so that a new peer gets its chance. */
  rttBelow(maxMs: number): boolean;
  /** The name of an id in this entry, for people; its short form when the peer gave none. */
  nameOf(id: UniqueId): string;
}

/** An entry with the measurements of this moment. */
export function peerInfo(entry: PeerEntry, rttMs: number | undefined): PeerInfo {
  return new EntryInfo(entry, rttMs);
}

class EntryInfo implements PeerInfo {
  readonly #entry: PeerEntry;
  readonly rttMs: number | undefined;

  constructor(entry: PeerEntry, rttMs: number | undefined) {
    this.#entry = entry;
    this.rttMs = rttMs;
  }

  get format(): number {
    return this.#entry.format;
  }
  get network(): PeerEntry['network'] {
    return this.#entry.network;
  }
  get peer(): PeerId {
    return this.#entry.peer;
  }
  get version(): PeerEntry['version'] {
    return this.#entry.version;
  }
  get addresses(): PeerEntry['addresses'] {
    return this.#entry.addresses;
  }
  get tags(): PeerEntry['tags'] {
    return this.#entry.tags;
  }
  get streams(): PeerEntry['streams'] {
    return this.#entry.streams;
  }
  get groups(): PeerEntry['groups'] {
    return this.#entry.groups;
  }
  get stores(): PeerEntry['stores'] {
    return this.#entry.stores;
  }
  get tickets(): PeerEntry['tickets'] {
    return this.#entry.tickets;
  }
  get names(): PeerEntry['names'] {
    return this.#entry.names;
  }
  get isDeparted(): boolean {
    return this.#entry.isDeparted;
  }

  hasTag(wanted: Tag | string): boolean {
    return this.#entry.tags.includes(tag(wanted));
  }

  produces(stream: StreamId): boolean {
    return this.#entry.streams.includes(stream);
  }

  ticketsOf(ticketClass: UniqueId, wallNowMs: number): readonly Ticket[] {
    const isValid = ({ expiresAtMs }: Ticket): boolean =>
      expiresAtMs === undefined || expiresAtMs > wallNowMs;
    return this.#entry.tickets.filter((ticket) => ticket.class === ticketClass && isValid(ticket));
  }

  rttBelow(maxMs: number): boolean {
    return this.rttMs === undefined || this.rttMs < maxMs;
  }

  nameOf(id: UniqueId): string {
    return this.#entry.names[id] ?? (isUniqueId(id) ? id.slice(0, 10) : id);
  }

  toJSON(): object {
    return { ...this.#entry, rttMs: this.rttMs };
  }
}
