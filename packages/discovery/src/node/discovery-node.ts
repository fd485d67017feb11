import {
  createLog,
  type EventStream,
  isUniqueId,
  type PeerId,
  type WaitOptions,
  type Watch,
} from '@mosaik/primitives';
import type { Address } from '@mosaik/transport';
import type { Catalog } from '../catalog/catalog.ts';
import { type PeerInfo, peerInfo } from '../catalog/peer-info.ts';
import type { Discovery, DiscoveryStats } from '../discovery.ts';
import type { Offer } from '../entry/own-entry.ts';
import type { PeerEntry, Ticket } from '../entry/peer-entry.ts';
import { readSignedEntry } from '../entry/signed-entry.ts';
import { EntryRefusedError } from '../errors.ts';
import type { DiscoveryEvent } from '../events.ts';
import type { DiscoveryOptions } from '../options.ts';
import type { SyncResult } from '../sync/session.ts';
import { DiscoveryParts } from './parts.ts';

const log = createLog('discovery');

/** The public face of {@link DiscoveryParts}. */
export class DiscoveryNode implements Discovery {
  readonly #parts: DiscoveryParts;
  #closing: Promise<void> | undefined;

  constructor(options: DiscoveryOptions) {
    this.#parts = new DiscoveryParts(options);
  }

  start(): Promise<void> {
    return this.#parts.start();
  }

  get me(): PeerEntry {
    return this.#parts.announcer.current.entry;
  }

  get signedMe(): Uint8Array {
    return this.#parts.announcer.current.bytes;
  }

  get catalog(): Catalog {
    return this.#parts.book.snapshot();
  }

  get stats(): DiscoveryStats {
    return {
      known: this.#parts.book.size,
      connected: this.#parts.transport.connections.value.size,
      suspects: this.#parts.detector.suspects,
      health: this.#parts.detector.health,
    };
  }

  watch(): Watch<Catalog> {
    return this.#parts.book.watch;
  }

  events(): EventStream<DiscoveryEvent> {
    return this.#parts.events;
  }

  async dial(target: Address | PeerId, options: WaitOptions = {}): Promise<PeerId> {
    const peer = await this.#connect(target, options);
    await this.#parts.syncer.syncWith(peer, options);
    return peer;
  }

  async #connect(target: Address | PeerId, options: WaitOptions): Promise<PeerId> {
    if (!isUniqueId(target)) return this.#parts.transport.connect(target, options);
    const peer = target as PeerId;
    await this.#parts.probes.ping(peer, options.signal ?? this.#parts.scope.signal);
    return peer;
  }

  syncWith(peer: PeerId, options?: WaitOptions): Promise<SyncResult> {
    return this.#parts.syncer.syncWith(peer, options);
  }

  addTags(...tags: string[]): void {
    if (this.#parts.own.addTags(tags)) this.#parts.announcer.announce();
  }

  removeTags(...tags: string[]): void {
    if (this.#parts.own.removeTags(tags)) this.#parts.announcer.announce();
  }

  addTicket(ticket: Ticket): void {
    this.#parts.own.addTicket(ticket);
    this.#parts.announcer.announce();
  }

  removeTickets(isRemoved: (ticket: Ticket) => boolean): void {
    if (this.#parts.own.removeTickets(isRemoved)) this.#parts.announcer.announce();
  }

  advertise(offer: Offer): Disposable {
    if (this.#parts.own.offer(offer)) this.#parts.announcer.announce();
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        if (this.#parts.own.withdraw(offer.id)) this.#parts.announcer.announce();
      },
    };
  }

  pin(peer: PeerId): Disposable {
    return this.#parts.overlay.pin(peer);
  }

  async feed(signed: Uint8Array): Promise<PeerInfo> {
    // Whoever gave it may write to it while its signature is checked.
    const bytes = new Uint8Array(signed);
    const outcome = await this.#parts.intake.take(bytes, undefined);
    if (outcome !== 'insert' && outcome !== 'update') {
      if (outcome === 'depart' || outcome === 'self') throw new EntryRefusedError('stale', outcome);
      throw new EntryRefusedError(outcome);
    }
    this.#parts.overlay.poke();
    const { entry } = readSignedEntry(bytes);
    return peerInfo(entry, this.#parts.book.get(entry.peer)?.rttMs);
  }

  insert(entry: PeerEntry): void {
    this.#parts.roster.insert(entry);
  }

  remove(peer: PeerId): void {
    this.#parts.roster.remove(peer);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#parts.announcer.depart().catch((error: Error) => log.error('departing: %s', error.message));
    await this.#parts.scope.close();
    this.#parts.events.close();
    this.#parts.book.close();
  }
}
