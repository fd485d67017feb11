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
import { ENTRY_FORMAT, ENTRY_LIMITS } from './entry-codec.ts';
import type { EntryVersion, PeerEntry, Ticket } from './peer-entry.ts';

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
    return fresh.length > 0;
  }

  removeTags(tags: readonly string[]): boolean {
    return tags.map((text) => this.#tags.delete(tag(text))).includes(true);
  }

  addTicket(ticket: Ticket): void {
    requireRoom('tickets', this.#tickets.length + 1, ENTRY_LIMITS.tickets);
    requireRoom('ticket data', ticket.data.length, ENTRY_LIMITS.ticketBytes);
    this.#tickets.push(ticket);
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
    return true;
  }

  /** Returns whether that was the last holder. */
  withdraw(id: UniqueId): boolean {
    const known = this.#offers.get(id);
    if (known === undefined || --known.holders > 0) return false;
    return this.#offers.delete(id);
  }

  build(version: EntryVersion, addresses: readonly Address[], isDeparted = false): PeerEntry {
    const offers = [...this.#offers.values()].map(({ offer }) => offer);
    return {
      format: ENTRY_FORMAT,
      network: this.#network,
      peer: this.#peer,
      version,
      addresses: addresses.slice(0, ENTRY_LIMITS.addresses),
      tags: [...this.#tags.keys()],
      streams: offers.flatMap((offer) => (offer.kind === 'stream' ? offer.id : [])),
      groups: offers.flatMap((offer) => (offer.kind === 'group' ? offer.id : [])),
      stores: offers.flatMap((offer) => (offer.kind === 'store' ? offer.id : [])),
      tickets: [...this.#tickets],
      names: this.#names(offers),
      isDeparted,
    };
  }

  #names(offers: readonly Offer[]): Record<string, string> {
    const named: [string, string | undefined][] = [
      ...this.#tags,
      ...offers.map((offer): [string, string | undefined] => [offer.id, offer.name]),
    ];
    return Object.fromEntries(
      named.flatMap(([id, name]) => (name ? [[id, name.slice(0, ENTRY_LIMITS.nameCharacters)]] : [])),
    );
  }
}

function requireRoom(what: string, wanted: number, limit: number): void {
  if (wanted > limit) throw new InvalidArgumentError(what, `at most ${limit} in an entry, not ${wanted}`);
}
