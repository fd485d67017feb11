import type { Discovery, PeerInfo } from '@mosaik/discovery';
import {
  createWatch,
  type PeerId,
  type Scope,
  shortId,
  type Timer,
  type WaitOptions,
  type WatchSource,
} from '@mosaik/primitives';
import type { Link } from '@mosaik/transport';
import { StreamCode } from '../codes.ts';
import { subscribedCondition } from '../conditions/subscription-condition.ts';
import { createWhen, type When } from '../conditions/when.ts';
import type { StreamDefinition } from '../definition.ts';
import type { StreamMetrics } from '../metrics.ts';
import { callUser } from '../user-code.ts';
import { Inbox, Source } from './inbox.ts';
import { Position } from './position.ts';
import { Reader } from './reader.ts';
import { Selection } from './selection.ts';
import type { ConsumerSettings } from './settings.ts';
import { Subscription } from './subscription.ts';

interface ConsumerNodeOptions<Out> {
  readonly definition: StreamDefinition<never, Out>;
  readonly settings: ConsumerSettings;
  readonly scope: Scope;
  readonly discovery: Discovery;
  readonly metrics: StreamMetrics;
  readonly open: (peer: PeerId, options: WaitOptions) => Promise<Link<Uint8Array>>;
  /** This node, while it produces the stream itself. */
  readonly ownProducer: () => PeerInfo | undefined;
}

/** What stays of a producer when its subscription ends. */
interface Known {
  readonly source: Source;
  readonly position: Position;
  failedAtMs: number | undefined;
}

/** Producers that are remembered, so that a gap is seen when they come back. */
const KNOWN_MAX = 4_096;

/** One consumer: finds the producers that qualify, keeps them subscribed, and merges what they send. */
export class ConsumerNode<Out> {
  readonly definition: StreamDefinition<never, Out>;
  readonly settings: ConsumerSettings;
  readonly reader: Reader<Out>;
  readonly when: When;
  readonly #options: ConsumerNodeOptions<Out>;
  readonly #inbox = new Inbox();
  readonly #selection: Selection;
  readonly #subscriptions = new Map<PeerId, Subscription>();
  readonly #known = new Map<PeerId, Known>();
  readonly #changes: WatchSource<number> = createWatch(0);
  #candidates: readonly PeerInfo[] = [];
  #producersKnown = 0;
  #isEvaluationPending = false;
  #again: Timer | undefined;
  #isOnline = false;
  /** Of subscriptions that have ended. */
  #datums = 0;
  #bytes = 0;

  constructor(options: ConsumerNodeOptions<Out>) {
    const { definition, settings, scope, discovery, metrics } = options;
    this.#options = options;
    this.definition = definition;
    this.settings = settings;
    const { prefer } = settings;
    const compare =
      prefer &&
      ((a: PeerInfo, b: PeerInfo): number =>
        callUser(scope, 'prefer', { call: () => prefer(a, b), otherwise: 0 }));
    this.#selection = new Selection(settings.maxProducers, compare);
    this.reader = new Reader(definition as StreamDefinition<unknown, Out>, this.#inbox, metrics);
    this.when = createWhen(
      subscribedCondition(
        {
          scope,
          peers: () => this.#livePeers(),
          changes: this.#changes,
          closed: `the consumer of ${definition.name} is closed`,
        },
        'producer',
      ),
      settings.onlineWhen,
    );
    scope.onClose(
      this.when.online().subscribe((isMet) => {
        this.#isOnline = isMet;
      }),
    );
    scope.onClose(discovery.watch().subscribe(() => this.evaluate()));
    this.#isOnline = this.when.online().isMet;
    this.#evaluate();
  }

  get isClosed(): boolean {
    return this.#inbox.isClosed;
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  get subscriptions(): readonly Subscription[] {
    return [...this.#subscriptions.values()];
  }

  /** How many produce the stream, and how many of them `subscribeIf` wants. */
  get counts(): { readonly known: number; readonly wanted: number } {
    return { known: this.#producersKnown, wanted: this.#candidates.length };
  }

  get received(): { readonly datums: number; readonly bytes: number } {
    const { subscriptions } = this;
    return {
      datums: subscriptions.reduce((sum, { datums }) => sum + datums, this.#datums),
      bytes: subscriptions.reduce((sum, { bytes }) => sum + bytes, this.#bytes),
    };
  }

  /** Something has changed: looks again whom to subscribe to, once in this turn. */
  evaluate(): void {
    if (this.#isEvaluationPending || this.#options.scope.isClosing) return;
    this.#isEvaluationPending = true;
    this.#options.scope.runtime.yieldTo(() => {
      this.#isEvaluationPending = false;
      if (!this.#options.scope.isClosing) this.#evaluate();
    });
  }

  async close(): Promise<void> {
    this.#inbox.close();
    await Promise.all(this.subscriptions.map((subscription) => subscription.close()));
    await this.#options.scope.close();
    this.reader.close();
    this.#changes.close();
  }

  #evaluate(): void {
    const { scope } = this.#options;
    this.#candidates = this.#findCandidates();
    const byPeer = new Map(this.#candidates.map((info) => [info.peer, info]));
    this.#refresh(byPeer);
    const { chosen, againInMs } = this.#selection.choose(this.#candidates, {
      nowMs: scope.runtime.now(),
      isLive: (peer) => this.#subscriptions.get(peer)?.state === 'live',
      failedAtMs: (peer) => this.#known.get(peer)?.failedAtMs,
    });
    for (const [peer, subscription] of this.#subscriptions) {
      if (!chosen.has(peer)) this.#end(peer, subscription, byPeer.has(peer));
    }
    for (const peer of chosen) if (!this.#subscriptions.has(peer)) this.#start(byPeer.get(peer) as PeerInfo);
    this.#again?.cancel();
    this.#again = againInMs === undefined ? undefined : scope.after(againInMs, () => this.#evaluate());
    this.#changed();
  }

  /**
   * Who produces the stream and is wanted; also who does not say so any more, while there is a link: what a producer sent last, and
   * before that its answer, may be on its way when the word of its end is here already.
   */
  #findCandidates(): PeerInfo[] {
    const { discovery, ownProducer } = this.#options;
    const producers = discovery.catalog.producersOf(this.definition.id).concat(ownProducer() ?? []);
    this.#producersKnown = producers.length;
    const known = new Set(producers.map(({ peer }) => peer));
    const leaving = this.subscriptions.filter(({ mayReceive, info }) => mayReceive && !known.has(info.peer));
    return producers.concat(leaving.map(({ info }) => info)).filter((info) => this.#wants(info));
  }

  #wants(info: PeerInfo): boolean {
    const call = (): boolean => this.settings.subscribeIf(info);
    return callUser(this.#options.scope, 'subscribeIf', { call, otherwise: false });
  }

  /** What the catalog says anew of a producer is worth another attempt. */
  #refresh(byPeer: ReadonlyMap<PeerId, PeerInfo>): void {
    for (const [peer, subscription] of this.#subscriptions) {
      const info = byPeer.get(peer);
      if (info === undefined) continue;
      const isNews = info.version.start !== subscription.info.version.start;
      subscription.info = info;
      if (isNews) subscription.retry();
    }
  }

  #start(info: PeerInfo): void {
    const { scope, discovery, metrics, open } = this.#options;
    const { source, position } = this.#knownOf(info.peer);
    const subscription = new Subscription({
      scope: scope.child(shortId(info.peer)),
      info,
      stream: this.definition.id,
      criteria: this.settings.criteria,
      backoff: this.settings.backoff,
      source,
      position,
      metrics,
      open,
      signedMe: () => discovery.signedMe,
      onChange: (changed) => this.#onChange(changed),
    });
    this.#subscriptions.set(info.peer, subscription);
  }

  #end(peer: PeerId, subscription: Subscription, isCandidate: boolean): void {
    this.#subscriptions.delete(peer);
    this.#datums += subscription.datums;
    this.#bytes += subscription.bytes;
    const reason = isCandidate ? 'another producer is preferred' : 'not wanted by subscribeIf';
    void subscription.close(StreamCode.NotWanted, reason);
  }

  #onChange(subscription: Subscription): void {
    if (subscription.state === 'waiting') {
      const known = this.#known.get(subscription.info.peer);
      if (known !== undefined) known.failedAtMs = this.#options.scope.runtime.now();
      // One that fails makes room for another; one that is gone from the catalog is not tried again.
      this.evaluate();
    }
    this.#changed();
  }

  #changed(): void {
    if (!this.#changes.isClosed) this.#changes.update((count) => count + 1);
  }

  *#livePeers(): Iterable<PeerInfo> {
    for (const { state, info } of this.#subscriptions.values()) if (state === 'live') yield info;
  }

  #knownOf(peer: PeerId): Known {
    const known = this.#known.get(peer) ?? {
      source: new Source(peer, this.settings.bufferBytes, this.#inbox.onReady),
      position: new Position(peer),
      failedAtMs: undefined,
    };
    this.#known.delete(peer);
    this.#known.set(peer, known);
    this.#forgetOldest();
    return known;
  }

  #forgetOldest(): void {
    if (this.#known.size <= KNOWN_MAX) return;
    for (const peer of this.#known.keys()) {
      if (this.#subscriptions.has(peer)) continue;
      this.#known.delete(peer);
      return;
    }
  }
}
