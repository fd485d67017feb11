import {
  type GroupId,
  InvalidArgumentError,
  type NetworkId,
  type PeerId,
  type StoreId,
  type StreamId,
  type Tag,
  tag,
  type UniqueId,
} from '@mosaik/primitives';
import type { Address } from '@mosaik/transport';
import { ENTRY_FORMAT, ENTRY_LIMITS, encodeEntry } from './entry-codec.ts';
import type { EntryVersion, PeerEntry, Ticket } from './peer-entry.ts';
import { MAX_ENTRY_BYTES } from './signed-entry.ts';

/** Of a signed entry, what is left beside its signature. */
const PAYLOAD_BYTES_MAX = MAX_ENTRY_BYTES - 96;
/** Kept free for addresses, which come and go by themselves. */
const ADDRESSES_BYTES_MAX = 8_192;

/** What the layers above offer through this node. */
export type Offer =
  | { readonly kind: 'stream'; readonly id: StreamId; readonly name?: string }
  | { readonly kind: 'group'; readonly id: GroupId; readonly name?: string }
  | { readonly kind: 'store'; readonly id: StoreId; readonly name?: string };

/** What this node says of itself, while it is being put together. */
export class OwnEntry {
  readonly #network: NetworkId;
  readonly #peer: PeerId;
  readonly #tags = new Map<Tag, string | undefined>();
  readonly #offers = new Map<UniqueId, { readonly offer: Offer; holders: number }>();
  readonly #tickets: Ticket[] = [];

  constructor(network: NetworkId, peer: PeerId) {
    this.#network = network;
    this.#peer = peer;
  }

  /** Returns whether anything is new. */
  addTags(tags: readonly string[]): boolean {
    const fresh = tags.filter((text) => !this.#tags.has(tag(text)));
    requireRoom('tags', this.#tags.size + fresh.length, ENTRY_LIMITS.ids);
    // A tag given by its id has no name to tell.
    for (const text of fresh) this.#tags.set(tag(text), tag(text) === text ? undefined : text);
    this.#requireFit('tags', () => this.removeTags(fresh));
    return fresh.length > 0;
  }

  removeTags(tags: readonly string[]): boolean {
    return tags.map((text) => this.#tags.delete(tag(text))).includes(true);
  }

  addTicket(ticket: Ticket): void {
    requireRoom('tickets', this.#tickets.length + 1, ENTRY_LIMITS.tickets);
    requireRoom('ticket data', ticket.data.length, ENTRY_LIMITS.ticketBytes);
    this.#tickets.push(ticket);
    this.#requireFit('ticket', () => this.#tickets.pop());
  }

  /** Removes tickets; returns whether there were any. */
  removeTickets(isRemoved: (ticket: Ticket) => boolean): boolean {
    const kept = this.#tickets.filter((ticket) => !isRemoved(ticket));
    const wasAny = kept.length < this.#tickets.length;
    this.#tickets.splice(0, this.#tickets.length, ...kept);
    return wasAny;
  }

  /** Counts the holders of an offer; returns whether it is new. */
  offer(offer: Offer): boolean {
    const known = this.#offers.get(offer.id);
    if (known !== undefined) {
      known.holders++;
      return false;
    }
    requireRoom(`${offer.kind}s`, this.#offers.size + 1, ENTRY_LIMITS.ids);
    this.#offers.set(offer.id, { offer, holders: 1 });
    this.#requireFit(offer.kind, () => this.withdraw(offer.id));
    return true;
  }

  /** Returns whether that was the last holder. */
  withdraw(id: UniqueId): boolean {
    const known = this.#offers.get(id);
    if (known === undefined || --known.holders > 0) return false;
    return this.#offers.delete(id);
  }

  /** Names, which are only for people, and addresses are left out where there is no room for them. */
  build(version: EntryVersion, addresses: readonly Address[], isDeparted = false): PeerEntry {
    const usable = addresses.filter(({ length }) => length <= ENTRY_LIMITS.addressCharacters);
    const fitting = withinBytes(usable, ADDRESSES_BYTES_MAX, (address) => 3 * address.length + 3);
    const entry = this.#nameless(version, fitting.slice(0, ENTRY_LIMITS.addresses), isDeparted);
    return { ...entry, names: this.#names(PAYLOAD_BYTES_MAX - encodeEntry(entry).length) };
  }

  #nameless(version: EntryVersion, addresses: readonly Address[], isDeparted: boolean): PeerEntry {
    const offers = [...this.#offers.values()].map(({ offer }) => offer);
    return {
      format: ENTRY_FORMAT,
      network: this.#network,
      peer: this.#peer,
      version,
      addresses,
      tags: [...this.#tags.keys()],
      streams: offers.flatMap((offer) => (offer.kind === 'stream' ? offer.id : [])),
      groups: offers.flatMap((offer) => (offer.kind === 'group' ? offer.id : [])),
      stores: offers.flatMap((offer) => (offer.kind === 'store' ? offer.id : [])),
      tickets: [...this.#tickets],
      names: {},
      isDeparted,
    };
  }

  #names(bytesMax: number): Record<string, string> {
    const offered = Array.from(this.#offers.values(), ({ offer }) => [offer.id, offer.name] as const);
    const named = [...this.#tags, ...offered].flatMap(([id, name]): [string, string][] =>
      name ? [[id, name.slice(0, ENTRY_LIMITS.nameCharacters).toWellFormed()]] : [],
    );
    const fitting = withinBytes(named, bytesMax, nameBytes);
    return Object.fromEntries(fitting.slice(0, ENTRY_LIMITS.names));
  }

  /** What others would refuse is not taken in: `undo` takes it back. */
  #requireFit(what: string, undo: () => void): void {
    const bytes = encodeEntry(this.#nameless({ start: 0, update: 0 }, [], false)).length;
    if (bytes <= PAYLOAD_BYTES_MAX - ADDRESSES_BYTES_MAX) return;
    undo();
    throw new InvalidArgumentError(what, `what fits into an entry of ${MAX_ENTRY_BYTES} bytes`);
  }
}

/** Those at the beginning that need no more than `bytesMax` together. */
function withinBytes<T>(items: readonly T[], bytesMax: number, bytesOf: (item: T) => number): T[] {
  let left = bytesMax;
  return items.filter((item) => {
    left -= bytesOf(item);
    return left >= 0;
  });
}

/** An upper bound: three bytes of UTF-8 a unit of UTF-16, and the heads. */
function nameBytes([id, name]: readonly [string, string]): number {
  return id.length + 3 * name.length + 6;
}

function requireRoom(what: string, wanted: number, limit: number): void {
  if (wanted > limit) throw new InvalidArgumentError(what, `at most ${limit} in an entry, not ${wanted}`);
}
