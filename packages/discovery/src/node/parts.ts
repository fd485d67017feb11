import {
  createEventStream,
  createLog,
  createScope,
  type EventSource,
  jitter,
  type PeerId,
  type Scope,
} from '@mosaik/primitives';
import type { Address, Transport } from '@mosaik/transport';
import { Announcer } from '../announce/announcer.ts';
import { CatalogBook } from '../catalog/book.ts';
import { Intake } from '../catalog/intake.ts';
import type { Detector, DetectorOptions } from '../detector/contract.ts';
import { createDetector } from '../detector/create-detector.ts';
import { nackAfterMs, resolveDetectorOptions } from '../detector/options.ts';
import type { Starts } from '../detector/probe-protocol.ts';
import { Probes } from '../detector/probes.ts';
import { OwnEntry } from '../entry/own-entry.ts';
import type { EntryVersion, SignedEntry } from '../entry/peer-entry.ts';
import type { DiscoveryEvent } from '../events.ts';
import { type DiscoveryOptions, type Settings, settingsOf } from '../options.ts';
import { peersInUse } from '../overlay/in-use.ts';
import { Overlay } from '../overlay/overlay.ts';
import type { SyncResult } from '../sync/session.ts';
import { NEWS_GOSSIPED_MAX, Syncer } from '../sync/syncer.ts';
import { watchConnections } from './connections.ts';
import { detectorHost } from './detector-host.ts';
import { Gossip } from './gossip.ts';
import { IdentityGuard } from './identity-guard.ts';
import { Releases } from './releases.ts';
import { Roster } from './roster.ts';
import { syncSource } from './sync-source.ts';

const PURGE_EVERY_MS = 10_000;
/** What the transport has measured on its live connections is taken into account this often. */
const LIVE_RTT_EVERY_MS = 2_000;
/** Up to this many nodes everybody announces at the plain interval. */
const PLAIN_ANNOUNCE_NODES = 250;

const log = createLog('discovery');

/** Everything discovery is made of, and who tells whom of what. */
export class DiscoveryParts {
  readonly transport: Transport;
  readonly settings: Settings;
  readonly scope: Scope;
  readonly book: CatalogBook;
  readonly events: EventSource<DiscoveryEvent> = createEventStream<DiscoveryEvent>();
  readonly own: OwnEntry;
  readonly announcer: Announcer;
  readonly guard: IdentityGuard;
  readonly roster: Roster;
  readonly intake: Intake;
  readonly gossip: Gossip;
  readonly probes: Probes;
  readonly detector: Detector;
  readonly overlay: Overlay;
  readonly syncer: Syncer;
  readonly releases: Releases;

  constructor(options: DiscoveryOptions) {
    const { transport } = options;
    const { local } = transport;
    this.transport = transport;
    this.releases = new Releases(transport.connections);
    this.settings = settingsOf(options);
    this.scope = createScope({
      runtime: transport.runtime,
      name: 'discovery',
      onError: (error, where) => log.error('%s: %s', where, error.stack ?? error.message),
    });
    this.book = new CatalogBook(this.settings.maxRttMs);
    this.own = new OwnEntry(local.network, local.peerId);
    this.own.addTags(options.tags ?? []);
    this.announcer = this.#createAnnouncer();
    this.guard = this.#createGuard();
    this.roster = this.#createRoster();
    this.intake = this.#createIntake();
    this.gossip = this.#createGossip();
    const timings = resolveDetectorOptions(options.detector);
    this.probes = new Probes({
      transport,
      scope: this.scope,
      timeoutMs: nackAfterMs(timings),
      onPrune: (peer) => this.#release(peer),
      ownStart: () => this.#ownStart(),
      startOf: (peer) => this.book.get(peer)?.entry.version.start,
      onTwice: (starts) => this.guard.onMet(starts),
      onHeard: (peer) => this.detector.onHeard(peer),
      onSpare: (peer) => this.overlay.spare(peer),
    });
    this.detector = this.#createDetector(timings);
    this.overlay = this.#createOverlay(options.bootstrap ?? []);
    this.syncer = this.#createSyncer();
  }

  /** Begins: signs the first entry, then listens and connects. */
  async start(): Promise<void> {
    const { local } = this.transport;
    this.scope.onClose(local.addresses.subscribe(() => this.announcer.announce()));
    await this.announcer.begin();
    this.gossip.start();
    this.probes.start();
    this.syncer.start();
    watchConnections({
      scope: this.scope,
      transport: this.transport,
      isMember: (peer) => this.book.get(peer) !== undefined,
      wasReleased: (peer) => this.releases.delete(peer),
      onFirst: () => this.announcer.announce(),
      onConnected: (peer, direction) => {
        this.syncer.meet(peer, direction);
        this.overlay.poke();
      },
      onLost: (peer) => this.detector.onConnectionLost(peer),
      onDisconnected: (peer) => {
        this.intake.forget(peer);
        this.overlay.poke();
      },
      pingThrough: (helper, target, signal) => this.probes.pingThrough(helper, target, signal),
    });
    this.detector.start();
    this.overlay.start();
    this.scope.every(PURGE_EVERY_MS, () => this.roster.purge(this.settings.purgeAfterMs));
    this.scope.every(
      () => jitter(this.scope.runtime, LIVE_RTT_EVERY_MS),
      () => this.#takeLiveRtts(),
    );
  }

  #createAnnouncer(): Announcer {
    const { local } = this.transport;
    return new Announcer({
      scope: this.scope,
      sign: (data) => local.sign(data),
      intervalMs: () => this.#announceIntervalMs(),
      build: (version, isDeparted) => this.own.build(version, local.addresses.value, isDeparted),
      publish: (signed) => this.#publish(signed),
    });
  }

  #createGuard(): IdentityGuard {
    const { local, runtime } = this.transport;
    return new IdentityGuard({
      self: local.peerId,
      runtime,
      events: this.events,
      startedAtMs: () => this.#ownStart(),
      tell: (starts) => this.gossip.tell({ kind: 'twice', peer: local.peerId, starts }),
    });
  }

  #createRoster(): Roster {
    return new Roster({
      book: this.book,
      events: this.events,
      transport: this.transport,
      runtime: this.transport.runtime,
      onEntry: (peer, version) => {
        this.detector.onEntry(peer, version);
        this.probes.onStart(peer, version.start);
        this.overlay.found(peer);
        this.overlay.poke();
      },
      onGone: (peer, addresses, reason) => {
        this.detector.onGone(peer);
        if (reason === 'dead' || reason === 'purged') this.overlay.lost(peer, addresses);
        this.overlay.poke();
      },
    });
  }

  #createIntake(): Intake {
    const { local, runtime, metrics } = this.transport;
    return new Intake({
      book: this.book,
      runtime,
      metrics,
      network: local.network,
      self: local.peerId,
      ownStart: () => this.#ownStart(),
      settings: this.settings,
      verify: (peer, data, signature) => this.transport.verify(peer, data, signature),
      onAccepted: (signed, verdict) => this.roster.accept(signed, verdict),
      onSelf: (signed) => this.guard.onOwnEntry(signed.entry.version),
    });
  }

  #ownStart(): number {
    return this.announcer.current.entry.version.start;
  }

  #onTwice(peer: PeerId, starts: Starts): void {
    if (peer === this.transport.local.peerId) this.guard.onTold(starts);
    else this.probes.tellTwice(peer, starts);
  }

  /** Whether a version is further ahead than clocks may differ. */
  #isFuture({ update }: EntryVersion): boolean {
    return update > this.transport.runtime.wallNow() + this.settings.maxTimeDriftMs;
  }

  #createGossip(): Gossip {
    return new Gossip({
      scope: this.scope,
      transport: this.transport,
      metrics: this.transport.metrics,
      onEntry: (bytes, from) => this.intake.take(bytes, from),
      onRumour: (rumour) => this.detector.hear(rumour),
      onTwice: (peer, starts) => this.#onTwice(peer, starts),
      isFuture: (version) => this.#isFuture(version),
    });
  }

  #createDetector(timings: DetectorOptions): Detector {
    const host = detectorHost({
      scope: this.scope,
      transport: this.transport,
      book: this.book,
      probes: this.probes,
      releases: this.releases,
      ownVersion: () => this.announcer.current.entry.version,
      spread: (rumour) => this.gossip.tell({ kind: 'rumour', rumour }),
      declareDead: (peer, version) => this.roster.bury(peer, version, 'dead'),
      refute: () => this.announcer.announce(),
      rtt: (peer, rttMs) => this.roster.measured(peer, rttMs),
    });
    return createDetector(host, timings);
  }

  #createOverlay(bootstrap: readonly Address[]): Overlay {
    return new Overlay({
      scope: this.scope,
      transport: this.transport,
      bootstrap,
      degree: this.settings.degree,
      count: () => this.book.size,
      peers: () => this.book.peers(),
      isKnown: (peer) => this.book.get(peer) !== undefined,
      reach: (peer, signal) => this.probes.ping(peer, signal),
      reachThrough: (helper, peer, signal) => this.probes.pingThrough(helper, peer, signal),
      onReached: (peer) => this.syncer.reached(peer),
      used: () => peersInUse(this.transport),
      prune: (peer) => this.#prune(peer),
      onUnreachable: (peer) => this.detector.onConnectionLost(peer),
    });
  }

  /** A connection is about to be closed, by us or by the peer, as there are too many. */
  #release(peer: PeerId): void {
    this.releases.add(peer);
    this.detector.onReleased(peer);
  }

  async #prune(peer: PeerId): Promise<void> {
    this.#release(peer);
    await this.probes.prune(peer);
  }

  #createSyncer(): Syncer {
    return new Syncer({
      scope: this.scope,
      transport: this.transport,
      source: syncSource({
        book: this.book,
        intake: this.intake,
        roster: this.roster,
        detector: this.detector,
        isFuture: (version) => this.#isFuture(version),
        onNews: (entries) => this.#spreadNews(entries),
      }),
      intervalMs: this.settings.syncIntervalMs,
      isUnknown: (peer) => this.book.get(peer) === undefined,
      onResult: (_, result) => this.#countSync(result),
    });
  }

  async #publish(signed: SignedEntry): Promise<void> {
    this.book.setOwn(signed, this.transport.runtime.now());
    await this.gossip.publish({ kind: 'entry', bytes: signed.bytes });
  }

  #takeLiveRtts(): void {
    const { connections } = this.transport;
    for (const peer of [...connections.value.keys()].sort()) {
      const rttMs = this.transport.rtt(peer);
      if (rttMs !== undefined) this.roster.measured(peer, rttMs);
    }
  }

  /** Whoever has joined through us is known to nobody else yet. */
  #spreadNews(entries: readonly Uint8Array[]): void {
    if (entries.length > NEWS_GOSSIPED_MAX) return;
    for (const bytes of entries) this.gossip.tell({ kind: 'entry', bytes });
  }

  /** In a network of n nodes everybody hears n announcements an interval: large networks take more time for it. */
  #announceIntervalMs(): number {
    const { announceIntervalMs, purgeAfterMs } = this.settings;
    const stretched = announceIntervalMs * Math.max(1, this.book.size / PLAIN_ANNOUNCE_NODES);
    return Math.max(announceIntervalMs, Math.min(stretched, purgeAfterMs / 4));
  }

  #countSync({ sent, received, bytesIn, bytesOut }: SyncResult): void {
    const { metrics } = this.transport;
    metrics.counter('mosaik.discovery.sync.entries').add(sent, { direction: 'out' });
    metrics.counter('mosaik.discovery.sync.entries').add(received, { direction: 'in' });
    metrics.counter('mosaik.discovery.sync.bytes').add(bytesOut, { direction: 'out' });
    metrics.counter('mosaik.discovery.sync.bytes').add(bytesIn, { direction: 'in' });
  }
}
