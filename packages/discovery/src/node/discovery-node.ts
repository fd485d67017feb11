import {
  createEventStream,
  createLog,
  createScope,
  type EventSource,
  type EventStream,
  isUniqueId,
  type PeerId,
  type Scope,
  type WaitOptions,
  type Watch,
} from '@mosaik/primitives';
import type { Address, Transport } from '@mosaik/transport';
import { Announcer } from '../announce/announcer.ts';
import { CatalogBook } from '../catalog/book.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { Intake } from '../catalog/intake.ts';
import { type PeerInfo, peerInfo } from '../catalog/peer-info.ts';
import type { Detector, DetectorOptions } from '../detector/contract.ts';
import { createDetector } from '../detector/create-detector.ts';
import { nackAfterMs, resolveDetectorOptions } from '../detector/options.ts';
import { Probes } from '../detector/probes.ts';
import type { Discovery, DiscoveryStats } from '../discovery.ts';
import { type Offer, OwnEntry } from '../entry/own-entry.ts';
import type { EntryVersion, PeerEntry, SignedEntry, Ticket } from '../entry/peer-entry.ts';
import { readSignedEntry } from '../entry/signed-entry.ts';
import { EntryRefusedError } from '../errors.ts';
import type { DiscoveryEvent } from '../events.ts';
import { type DiscoveryOptions, type Settings, settingsOf } from '../options.ts';
import { Overlay } from '../overlay/overlay.ts';
import type { SyncResult } from '../sync/session.ts';
import { NEWS_GOSSIPED_MAX, Syncer } from '../sync/syncer.ts';
import { watchConnections } from './connections.ts';
import { detectorHost } from './detector-host.ts';
import { Gossip } from './gossip.ts';
import { IdentityGuard } from './identity-guard.ts';
import { Roster } from './roster.ts';
import { syncSource } from './sync-source.ts';

const PURGE_EVERY_MS = 10_000;
/** Up to this many nodes everybody announces at the plain interval. */
const PLAIN_ANNOUNCE_NODES = 250;

const log = createLog('discovery');

/** Everything discovery is made of, put together. */
export class DiscoveryNode implements Discovery {
  readonly #transport: Transport;
  readonly #settings: Settings;
  readonly #scope: Scope;
  readonly #book: CatalogBook;
  readonly #events: EventSource<DiscoveryEvent> = createEventStream<DiscoveryEvent>();
  readonly #own: OwnEntry;
  readonly #announcer: Announcer;
  readonly #guard: IdentityGuard;
  readonly #roster: Roster;
  readonly #intake: Intake;
  readonly #gossip: Gossip;
  readonly #probes: Probes;
  readonly #detector: Detector;
  readonly #overlay: Overlay;
  readonly #syncer: Syncer;
  /** Connected peers that have said that they are about to close the connection. */
  readonly #pruned = new Set<PeerId>();
  #closing: Promise<void> | undefined;

  constructor(options: DiscoveryOptions) {
    const { transport } = options;
    const { local } = transport;
    this.#transport = transport;
    this.#settings = settingsOf(options);
    this.#scope = createScope({
      runtime: transport.runtime,
      name: 'discovery',
      onError: (error, where) => log.error('%s: %s', where, error.stack ?? error.message),
    });
    this.#book = new CatalogBook(this.#settings.maxRttMs);
    this.#own = new OwnEntry(local.network, local.peerId);
    this.#own.addTags(options.tags ?? []);
    this.#announcer = this.#createAnnouncer();
    this.#guard = this.#createGuard();
    this.#roster = this.#createRoster();
    this.#intake = this.#createIntake();
    this.#gossip = this.#createGossip();
    const timings = resolveDetectorOptions(options.detector);
    this.#probes = new Probes({
      transport,
      scope: this.#scope,
      timeoutMs: nackAfterMs(timings),
      onPrune: (peer) => this.#pruned.add(peer),
      onTwice: (starts) => this.#guard.onTold(starts),
      onSpare: (peer) => this.#overlay.spare(peer),
    });
    this.#detector = this.#createDetector(timings);
    this.#overlay = this.#createOverlay(options.bootstrap ?? []);
    this.#syncer = this.#createSyncer();
  }

  #createAnnouncer(): Announcer {
    const { local } = this.#transport;
    return new Announcer({
      scope: this.#scope,
      sign: (data) => local.sign(data),
      intervalMs: () => this.#announceIntervalMs(),
      build: (version, isDeparted) => this.#own.build(version, local.addresses.value, isDeparted),
      publish: (signed) => this.#publish(signed),
    });
  }

  #createGuard(): IdentityGuard {
    const { local, runtime } = this.#transport;
    return new IdentityGuard({
      self: local.peerId,
      runtime,
      events: this.#events,
      startedAtMs: () => this.me.version.start,
      tell: (starts) => this.#gossip.tell({ kind: 'twice', peer: local.peerId, starts }),
    });
  }

  #createRoster(): Roster {
    return new Roster({
      book: this.#book,
      events: this.#events,
      transport: this.#transport,
      runtime: this.#transport.runtime,
      onEntry: (peer, version) => {
        this.#detector.onEntry(peer, version);
        this.#overlay.found(peer);
        this.#overlay.poke();
      },
      onGone: (peer, addresses, reason) => {
        this.#detector.onGone(peer);
        if (reason === 'dead' || reason === 'purged') this.#overlay.lost(peer, addresses);
        this.#overlay.poke();
      },
    });
  }

  #createIntake(): Intake {
    const { local, runtime, metrics } = this.#transport;
    return new Intake({
      book: this.#book,
      runtime,
      metrics,
      network: local.network,
      self: local.peerId,
      ownStart: () => this.me.version.start,
      settings: this.#settings,
      verify: (peer, data, signature) => this.#transport.verify(peer, data, signature),
      onAccepted: (signed, verdict) => this.#roster.accept(signed, verdict),
      onSelf: (signed) => this.#guard.onOwnEntry(signed.entry.version),
    });
  }

  #onTwice(peer: PeerId, starts: readonly [number, number]): void {
    if (peer === this.#transport.local.peerId) this.#guard.onTold(starts);
    else this.#probes.tellTwice(peer, starts);
  }

  /** Whether a version is further ahead than clocks may differ. */
  #isFuture({ update }: EntryVersion): boolean {
    return update > this.#transport.runtime.wallNow() + this.#settings.maxTimeDriftMs;
  }

  #createGossip(): Gossip {
    return new Gossip({
      scope: this.#scope,
      transport: this.#transport,
      metrics: this.#transport.metrics,
      onEntry: (bytes, from) => this.#intake.take(bytes, from),
      onRumour: (rumour) => this.#detector.hear(rumour),
      onTwice: (peer, starts) => this.#onTwice(peer, starts),
      isFuture: (version) => this.#isFuture(version),
    });
  }

  #createDetector(timings: DetectorOptions): Detector {
    const host = detectorHost({
      scope: this.#scope,
      transport: this.#transport,
      book: this.#book,
      probes: this.#probes,
      ownVersion: () => this.me.version,
      spread: (rumour) => this.#gossip.tell({ kind: 'rumour', rumour }),
      declareDead: (peer, version) => this.#roster.bury(peer, version, 'dead'),
      refute: () => this.#announcer.announce(),
      rtt: (peer, rttMs) => this.#roster.measured(peer, rttMs),
    });
    return createDetector(host, timings);
  }

  #createOverlay(bootstrap: readonly Address[]): Overlay {
    return new Overlay({
      scope: this.#scope,
      transport: this.#transport,
      bootstrap,
      degree: this.#settings.degree,
      count: () => this.#book.size,
      peers: () => this.#book.peers(),
      isKnown: (peer) => this.#book.get(peer) !== undefined,
      reach: (peer, signal) => this.#probes.ping(peer, signal),
      reachThrough: (helper, peer, signal) => this.#probes.pingThrough(helper, peer, signal),
      onReached: (peer) => this.#syncer.reached(peer),
      prune: (peer) => this.#probes.prune(peer),
      onUnreachable: (peer) => this.#detector.onConnectionLost(peer),
    });
  }

  #createSyncer(): Syncer {
    return new Syncer({
      scope: this.#scope,
      transport: this.#transport,
      source: syncSource({
        book: this.#book,
        intake: this.#intake,
        roster: this.#roster,
        detector: this.#detector,
        isFuture: (version) => this.#isFuture(version),
        onNews: (entries) => this.#spreadNews(entries),
      }),
      intervalMs: this.#settings.syncIntervalMs,
      isUnknown: (peer) => this.#book.get(peer) === undefined,
      onResult: (_, result) => this.#countSync(result),
    });
  }

  async start(): Promise<void> {
    const { local } = this.#transport;
    this.#scope.onClose(local.addresses.subscribe(() => this.#announcer.announce()));
    await this.#announcer.begin();
    this.#gossip.start();
    this.#probes.start();
    this.#syncer.start();
    watchConnections({
      scope: this.#scope,
      transport: this.#transport,
      isMember: (peer) => this.#book.get(peer) !== undefined,
      wasPruned: (peer) => this.#pruned.delete(peer),
      onFirst: () => this.#announcer.announce(),
      onConnected: (peer, direction) => {
        this.#syncer.meet(peer, direction);
        this.#overlay.poke();
      },
      onLost: (peer) => this.#detector.onConnectionLost(peer),
      onDisconnected: (peer) => {
        this.#intake.forget(peer);
        this.#overlay.poke();
      },
      pingThrough: (helper, target, signal) => this.#probes.pingThrough(helper, target, signal),
    });
    this.#detector.start();
    this.#overlay.start();
    this.#scope.every(PURGE_EVERY_MS, () => this.#roster.purge(this.#settings.purgeAfterMs));
  }

  get me(): PeerEntry {
    return this.#announcer.current.entry;
  }

  get signedMe(): Uint8Array {
    return this.#announcer.current.bytes;
  }

  get catalog(): Catalog {
    return this.#book.snapshot();
  }

  get stats(): DiscoveryStats {
    return {
      known: this.#book.size,
      connected: this.#transport.connections.value.size,
      suspects: this.#detector.suspects,
      health: this.#detector.health,
    };
  }

  watch(): Watch<Catalog> {
    return this.#book.watch;
  }

  events(): EventStream<DiscoveryEvent> {
    return this.#events;
  }

  async dial(target: Address | PeerId, options: WaitOptions = {}): Promise<PeerId> {
    const peer = await this.#connect(target, options);
    await this.#syncer.syncWith(peer, options);
    return peer;
  }

  async #connect(target: Address | PeerId, options: WaitOptions): Promise<PeerId> {
    if (!isUniqueId(target)) return this.#transport.connect(target, options);
    const peer = target as PeerId;
    await this.#probes.ping(peer, options.signal ?? this.#scope.signal);
    return peer;
  }

  syncWith(peer: PeerId, options?: WaitOptions): Promise<SyncResult> {
    return this.#syncer.syncWith(peer, options);
  }

  addTags(...tags: string[]): void {
    if (this.#own.addTags(tags)) this.#announcer.announce();
  }

  removeTags(...tags: string[]): void {
    if (this.#own.removeTags(tags)) this.#announcer.announce();
  }

  addTicket(ticket: Ticket): void {
    this.#own.addTicket(ticket);
    this.#announcer.announce();
  }

  removeTickets(isRemoved: (ticket: Ticket) => boolean): void {
    if (this.#own.removeTickets(isRemoved)) this.#announcer.announce();
  }

  advertise(offer: Offer): Disposable {
    if (this.#own.offer(offer)) this.#announcer.announce();
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        if (this.#own.withdraw(offer.id)) this.#announcer.announce();
      },
    };
  }

  pin(peer: PeerId): Disposable {
    return this.#overlay.pin(peer);
  }

  async feed(signed: Uint8Array): Promise<PeerInfo> {
    const outcome = await this.#intake.take(signed, undefined);
    if (outcome !== 'insert' && outcome !== 'update') {
      if (outcome === 'depart' || outcome === 'self') throw new EntryRefusedError('stale', outcome);
      throw new EntryRefusedError(outcome);
    }
    this.#overlay.poke();
    const { entry } = readSignedEntry(signed);
    return peerInfo(entry, this.#book.get(entry.peer)?.rttMs);
  }

  insert(entry: PeerEntry): void {
    this.#roster.insert(entry);
  }

  remove(peer: PeerId): void {
    this.#roster.remove(peer);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#announcer.depart().catch((error: Error) => log.error('departing: %s', error.message));
    await this.#scope.close();
    this.#events.close();
    this.#book.close();
  }

  async #publish(signed: SignedEntry): Promise<void> {
    this.#book.setOwn(signed, this.#transport.runtime.now());
    await this.#gossip.publish({ kind: 'entry', bytes: signed.bytes });
  }

  /** Whoever has joined through us is known to nobody else yet. */
  #spreadNews(entries: readonly Uint8Array[]): void {
    if (entries.length > NEWS_GOSSIPED_MAX) return;
    for (const bytes of entries) this.#gossip.tell({ kind: 'entry', bytes });
  }

  /** In a network of n nodes everybody hears n announcements an interval: large networks take more time for it. */
  #announceIntervalMs(): number {
    const { announceIntervalMs, purgeAfterMs } = this.#settings;
    const stretched = announceIntervalMs * Math.max(1, this.#book.size / PLAIN_ANNOUNCE_NODES);
    return Math.max(announceIntervalMs, Math.min(stretched, purgeAfterMs / 4));
  }

  #countSync({ sent, received, bytesIn, bytesOut }: SyncResult): void {
    const { metrics } = this.#transport;
    metrics.counter('mosaik.discovery.sync.entries').add(sent, { direction: 'out' });
    metrics.counter('mosaik.discovery.sync.entries').add(received, { direction: 'in' });
    metrics.counter('mosaik.discovery.sync.bytes').add(bytesOut, { direction: 'out' });
    metrics.counter('mosaik.discovery.sync.bytes').add(bytesIn, { direction: 'in' });
  }
}
