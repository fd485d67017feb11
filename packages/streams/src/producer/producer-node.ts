import type { Discovery, PeerInfo } from '@mosaik/discovery';
import {
  createWatch,
  type MosaikError,
  type PeerId,
  type Runtime,
  type Scope,
  type WaitOptions,
  type WatchSource,
} from '@mosaik/primitives';
import type { Link } from '@mosaik/transport';
import { StreamCode } from '../codes.ts';
import { subscribedCondition } from '../conditions/subscription-condition.ts';
import { createWhen, type When } from '../conditions/when.ts';
import type { Filter } from '../criteria/filter.ts';
import type { StreamDefinition } from '../definition.ts';
import { FullError, JournalFailedError, OfflineError, ProducerClosedError } from '../errors.ts';
import type { StreamMetrics } from '../metrics.ts';
import { callUser } from '../user-code.ts';
import { type Epoch, encodeAccepted } from '../wire/messages.ts';
import { Channel } from './channel.ts';
import { type Egress, LimitedEgress, unlimited } from './egress.ts';
import { Fanout } from './fanout.ts';
import { Forbearance } from './forbearance.ts';
import { Intake, type IntakeTarget } from './intake.ts';
import type { Journal } from './journal.ts';
import type { ProducerStats } from './producer.ts';
import { RefusedPeers } from './refused-peers.ts';
import type { ProducerSettings } from './settings.ts';

/** Why a subscription is refused. */
export interface Refusal {
  readonly code: StreamCode;
  readonly reason: string;
}

/** A subscription that asks to be let in. */
export interface Applicant {
  readonly link: Link<Uint8Array>;
  readonly info: PeerInfo;
  readonly filter: Filter | undefined;
}

interface ProducerNodeOptions<In> {
  readonly definition: StreamDefinition<In, unknown>;
  readonly settings: ProducerSettings<In>;
  readonly scope: Scope;
  readonly discovery: Discovery;
  /** What is known of a peer, this node included. */
  readonly lookUp: (peer: PeerId) => PeerInfo | undefined;
  readonly metrics: StreamMetrics;
}

/** What was taken is still delivered for so long when a producer ends. */
const FINISH_MS = 5_000;
/** Subscriptions to one stream by one peer; more are a mistake in its program. */
const CHANNELS_PER_PEER_MAX = 32;

/** The producer of one stream on this node: owns its channels, its sequence and its epoch. */
export class ProducerNode<In> {
  readonly definition: StreamDefinition<In, unknown>;
  readonly settings: ProducerSettings<In>;
  readonly intake: Intake<In>;
  readonly refused: RefusedPeers = new RefusedPeers();
  readonly when: When;
  readonly #scope: Scope;
  readonly #discovery: Discovery;
  readonly #lookUp: (peer: PeerId) => PeerInfo | undefined;
  readonly #metrics: StreamMetrics;
  #fanout: Fanout;
  readonly #egress: Egress;
  readonly #forbearance = new Forbearance();
  /** Told when channels come or go, or when the catalog says something else of a peer. */
  readonly #changes: WatchSource<number> = createWatch(0);
  #epoch: Epoch;
  #hasJournal = false;
  /** Why the journal failed. */
  #failure: Error | undefined;
  #isOnline = false;
  #isClosed = false;
  #taken = 0;
  #takenBytes = 0;
  #droppedTooSlow = 0;
  #refusedCount = 0;
  #undelivered = 0;

  constructor({ definition, settings, scope, discovery, lookUp, metrics }: ProducerNodeOptions<In>) {
    this.definition = definition;
    this.settings = settings;
    this.#scope = scope;
    this.#discovery = discovery;
    this.#lookUp = lookUp;
    this.#metrics = metrics;
    this.#epoch = freshEpoch(scope.runtime);
    const { maxEgressBytesPerSecond: egress } = settings;
    this.#egress = Number.isFinite(egress) ? new LimitedEgress(scope, egress) : unlimited;
    this.#fanout = this.#newFanout(undefined);
    this.intake = new Intake(definition, this.#target());
    this.when = createWhen(subscribedCondition(this.#subscribers(), 'consumer'), settings.onlineWhen);
    this.#follow();
  }

  get epoch(): Epoch {
    return this.#epoch;
  }

  get next(): number {
    return this.#fanout.next;
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get channels(): ReadonlySet<Channel> {
    return this.#fanout.channels;
  }

  get stats(): ProducerStats {
    return {
      datums: this.#taken,
      bytes: this.#takenBytes,
      droppedTooSlow: this.#droppedTooSlow,
      refused: this.#refusedCount,
      undelivered: this.#undelivered,
    };
  }

  /**
   * Keeps what is sent from now on in a journal, in its sequence, or with undefined no longer. Consumers learn that the
   * sequence of before has ended, and come back.
   */
  setJournal(journal: Journal | undefined): void {
    const former = this.#fanout;
    this.#hasJournal = journal !== undefined;
    this.#failure = undefined;
    this.#epoch = journal?.epoch ?? freshEpoch(this.#scope.runtime);
    this.#fanout = this.#newFanout(journal);
    this.#scope.spawn('end of a sequence', () => former.finish(FINISH_MS));
    this.#changed();
    this.#updateOnline();
  }

  /** Opens a channel, or says why not. */
  admit(applicant: Applicant): Refusal | undefined {
    const refusal = this.#refusalOf(applicant.info);
    if (refusal !== undefined) {
      this.#refusedCount++;
      this.refused.add(applicant.info.peer, refusal.code);
      return refusal;
    }
    this.refused.delete(applicant.info.peer);
    this.#open(applicant);
    return undefined;
  }

  flushed(options?: WaitOptions): Promise<void> {
    return this.#fanout.flushed(options);
  }

  /** Delivers what was taken, tells the consumers that nothing follows, and ends. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.intake.update();
    await this.#fanout.finish(FINISH_MS);
    await this.#scope.close();
    this.#changes.close();
  }

  #newFanout(journal: Journal | undefined): Fanout {
    const { disconnectLagging, blockDatums } = this.settings;
    return new Fanout({
      scope: this.#scope,
      disconnectLagging,
      blockDatums,
      journal,
      onUndelivered: this.settings.onUndelivered && ((datum) => this.#giveBack(datum)),
      onHeld: () => this.intake.update(),
      onTooSlow: (channel) => this.#onTooSlow(channel),
      onJournalFailed: (error) => this.#onJournalFailed(error),
    });
  }

  #target(): IntakeTarget<In> {
    const node = this;
    return {
      obstacle: <T>(datum: T) => this.#obstacle(datum),
      get isOpen() {
        return node.#isOnline && !node.#fanout.isHeld && !this.isOver;
      },
      get isOver() {
        return node.#isClosed || node.#failure !== undefined;
      },
      put: (encoded, datum) => {
        this.#fanout.append(encoded);
        return this.#onTaken(datum, encoded.length);
      },
      encode: (datum) => this.#fanout.encode(datum, this.definition.codec),
      taken: (datum, bytes) => this.#onTaken(datum, bytes),
      setWanted: (isWanted) => this.#fanout.setWanted(isWanted),
    };
  }

  #onTaken(datum: unknown, bytes: number): Promise<void> | undefined {
    this.#taken++;
    this.#takenBytes += bytes;
    return this.#fanout.taken(datum);
  }

  #obstacle<T>(datum: T): (MosaikError & { readonly datum: T }) | undefined {
    if (this.#isClosed) return new ProducerClosedError(this.definition.name, datum);
    if (this.#failure !== undefined) return new JournalFailedError(datum, this.#failure);
    if (!this.#isOnline) return new OfflineError(datum, this.when.online().description);
    return this.#fanout.isHeld ? new FullError(datum) : undefined;
  }

  #subscribers(): Parameters<typeof subscribedCondition>[0] {
    return {
      peers: () => this.#peers(),
      changes: this.#changes,
      closed: `the producer of ${this.definition.name} is closed`,
      scope: this.#scope,
    };
  }

  *#peers(): Iterable<PeerInfo> {
    for (const { info } of this.channels) yield info;
  }

  #follow(): void {
    this.#scope.onClose(this.when.online().subscribe(() => this.#updateOnline()));
    this.#scope.onClose(this.#discovery.watch().subscribe(() => this.#onCatalog()));
    this.#updateOnline();
  }

  /** A journal is a consumer that is always there, unless `onlineWhen` says what is needed. */
  #updateOnline(): void {
    const isKept = this.#hasJournal && this.settings.onlineWhen === undefined;
    this.#isOnline = isKept || this.when.online().isMet;
    this.intake.update();
  }

  /** Whoever does not qualify any more is let go; what is known of the others is brought up to date. */
  #onCatalog(): void {
    if (this.#isClosed) return;
    let isChanged = false;
    for (const channel of [...this.channels]) {
      const info = this.#lookUp(channel.info.peer);
      if (info === undefined || isSame(info, channel.info)) continue;
      channel.info = info;
      isChanged = true;
      if (this.#accepts(info)) continue;
      this.#remove(channel);
      channel.close(StreamCode.NotAllowed);
    }
    if (isChanged) this.#changed();
  }

  #accepts(info: PeerInfo): boolean {
    const call = (): boolean => this.settings.acceptIf(info);
    return callUser(this.#scope, 'acceptIf', { call, otherwise: false });
  }

  #refusalOf(info: PeerInfo): Refusal | undefined {
    const { maxConsumers } = this.settings;
    if (this.#isClosed) return { code: StreamCode.StreamNotFound, reason: 'the producer has ended' };
    if (!this.#accepts(info)) return { code: StreamCode.NotAllowed, reason: 'not allowed by acceptIf' };
    if (this.channels.size >= maxConsumers) {
      return { code: StreamCode.NoCapacity, reason: `no capacity: ${maxConsumers} consumers at most` };
    }
    if (this.#channelsOf(info.peer) >= CHANNELS_PER_PEER_MAX) {
      return {
        code: StreamCode.NoCapacity,
        reason: `${CHANNELS_PER_PEER_MAX} subscriptions of one peer at most`,
      };
    }
    return undefined;
  }

  #channelsOf(peer: PeerId): number {
    let count = 0;
    for (const { info } of this.channels) if (info.peer === peer) count++;
    return count;
  }

  #open({ link, info, filter }: Applicant): void {
    const fanout = this.#fanout;
    fanout.seal();
    const channel: Channel = new Channel({
      runtime: this.#scope.runtime,
      link,
      info,
      filter,
      bounds: this.settings.bounds,
      egress: this.#egress,
      ledger: fanout.ledger,
      patience: this.#forbearance.take(info.peer, this.#scope.runtime.now()),
      next: this.next,
      onLevel: () => fanout.levelChanged(),
      onIdle: () => fanout.idled(),
      onSent: (datums, bytes) => this.#metrics.sent(datums, bytes),
    });
    // An empty link has room for it, and what follows queues behind it.
    link.trySendEncoded(encodeAccepted({ epoch: this.epoch, next: this.next }));
    fanout.add(channel, filter !== undefined);
    void link.ended.then(() => {
      if (fanout.remove(channel)) this.#onRemoved(channel);
    });
    this.#changed();
  }

  #remove(channel: Channel): void {
    if (this.#fanout.remove(channel)) this.#onRemoved(channel);
  }

  #onRemoved({ info, patience }: Channel): void {
    this.#forbearance.keep(info.peer, patience, this.#scope.runtime.now());
    this.#changed();
  }

  #onTooSlow(channel: Channel): void {
    this.#droppedTooSlow++;
    this.#metrics.tooSlow();
    this.#onRemoved(channel);
  }

  #changed(): void {
    this.#metrics.consumers(this.channels.size);
    if (!this.#changes.isClosed) this.#changes.update((count) => count + 1);
  }

  #onJournalFailed(error: Error): void {
    this.#failure ??= error;
    this.intake.update();
  }

  #giveBack(encoded: Uint8Array): void {
    this.#undelivered++;
    this.#metrics.undelivered();
    const call = (): void => this.settings.onUndelivered?.(this.definition.codec.decode(encoded));
    callUser(this.#scope, 'onUndelivered', { call, otherwise: undefined });
  }
}

function freshEpoch(runtime: Pick<Runtime, 'randomBytes'>): Epoch {
  const bytes = runtime.randomBytes(8);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('') as Epoch;
}

/** Whether the catalog says and measures the same of a peer as before. */
function isSame(a: PeerInfo, b: PeerInfo): boolean {
  return a.version.start === b.version.start && a.version.update === b.version.update && a.rttMs === b.rttMs;
}
