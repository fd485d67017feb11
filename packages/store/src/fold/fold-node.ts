import {
  type Condition,
  createEventStream,
  createWatch,
  deriveId,
  type EventSource,
  type PeerId,
  type Scope,
  type StoreId,
  sample,
  toError,
  type WatchSource,
  watchCondition,
  yieldNow,
} from '@mosaik/primitives';
import type { StreamDefinition, Why } from '@mosaik/streams';
import type { StoreContext } from '../context.ts';
import { LogReplacedError } from '../errors.ts';
import { type Cursor, checkCursor } from '../replay/cursor.ts';
import type { Replay, ReplayedDatum, ReplayFrom, ReplayRecord } from '../replay/replay.ts';
import type { ServedFold } from '../serve/server.ts';
import { foldIdOf, storeIdOf } from '../wire/protocol.ts';
import type { FoldPosition, SnapshotOffer } from '../wire/snapshots.ts';
import { askHeads, fetchSnapshot, newestOf } from './fetch.ts';
import type { FoldEvent, FoldStats, FoldWhen } from './fold.ts';
import type { FoldSettings } from './settings.ts';
import {
  coveredBy,
  decodeSaved,
  encodeSaved,
  isSameHash,
  isSamePlace,
  offerOf,
  readSnapshot,
} from './snapshot.ts';

/** Own snapshots that are remembered, for comparing with those of others; the newest two are served. */
const REMEMBERED = 16;
const SERVED = 2;
/** How often others are asked whether they came to the same. */
const COMPARE_EVERY_MS = 30_000;
/** How many of the others are asked: by who joins, and for comparing. */
const JOIN_PEERS = 16;
const COMPARE_PEERS = 4;
/** Data that are applied before others get their turn. */
const RUN_DATA = 4_096;

interface FoldNodeOptions<State, Out> {
  readonly definition: StreamDefinition<never, Out>;
  readonly settings: FoldSettings<State, Out>;
  readonly scope: Scope;
  readonly context: StoreContext;
  readonly replay: (from: ReplayFrom) => Replay<Out>;
  /** This node keeps logs of the stream itself. */
  readonly isKeptHere: () => boolean;
}

/** One view of a stream: takes over a snapshot, applies what follows, and makes snapshots for others. */
export class FoldNode<State, Out> implements ServedFold {
  readonly id: StoreId;
  readonly settings: FoldSettings<State, Out>;
  readonly events: EventSource<FoldEvent> = createEventStream<FoldEvent>();
  readonly versions: WatchSource<number> = createWatch(0);
  readonly #options: FoldNodeOptions<State, Out>;
  readonly #key: string;
  readonly #offers: SnapshotOffer[] = [];
  #state: State;
  #positions: Map<string, FoldPosition> = new Map();
  #offset = 0;
  #nextSnapshotAt: number;
  #isCaughtUp = false;
  #isClosing = false;
  #replay: Replay<Out> | undefined;
  #saving: Promise<void> = Promise.resolve();
  #failure: Error | undefined;
  readonly #stats = { applied: 0, snapshots: 0, gaps: 0, invalid: 0, divergences: 0, restored: 0 };

  constructor(options: FoldNodeOptions<State, Out>) {
    const { definition, settings, scope } = options;
    this.#options = options;
    this.settings = settings;
    this.id = foldIdOf(definition.id, settings.name, settings.version);
    this.#key = deriveId(definition.id, 'saved fold', settings.name);
    this.#state = settings.initial();
    this.#nextSnapshotAt = settings.snapshotEvery;
    scope.spawn('fold', (signal) => this.#run(signal));
  }

  get state(): State {
    return this.#state;
  }

  get offset(): number {
    return this.#offset;
  }

  get acceptIf(): FoldSettings<State, Out>['acceptIf'] {
    return this.settings.acceptIf;
  }

  get cursor(): Cursor {
    const positions = [...this.#positions.values()].map(({ producer, log, next, isOver }) =>
      isOver ? { producer, log, next, isOver } : { producer, log, next },
    );
    return { version: 1, stream: this.#options.definition.id, positions };
  }

  get stats(): FoldStats {
    return { ...this.#stats, invalid: this.#replay?.stats.invalid ?? 0 };
  }

  get when(): FoldWhen {
    const conditionOf = (check: () => boolean, description: string): Condition =>
      watchCondition({ watch: this.versions, check, description, closed: `the fold ${name} is closed` });
    const { name } = this.settings;
    return {
      caughtUp: () => conditionOf(() => this.#isCaughtUp, `the fold ${name} is caught up`),
      reaches: (place) => {
        const wanted = typeof place === 'number' ? place : checkCursor(place, this.#options.definition.id);
        return conditionOf(() => this.#covers(wanted), `the fold ${name} reaches a place`);
      },
    };
  }

  why(): Why {
    if (this.#failure !== undefined) return { isOnline: false, text: this.#failure.message, facts: {} };
    const why = this.#replay?.why();
    if (why !== undefined) return { ...why, isOnline: this.#isCaughtUp };
    return { isOnline: false, text: 'waiting for a holder of the stream or of a snapshot', facts: {} };
  }

  readonly snapshot = async (hash?: Uint8Array): Promise<SnapshotOffer | undefined> => {
    const served = this.#offers.slice(0, SERVED);
    return hash === undefined
      ? served[0]
      : (served.find(({ head }) => isSameHash(head.hash, hash)) ?? served[0]);
  };

  /** Makes a snapshot of what there is, and keeps it. */
  async takeSnapshot(): Promise<void> {
    this.#makeSnapshot();
    await this.#saving;
  }

  async close(): Promise<void> {
    // Or it would begin another replay when this one ends.
    this.#isClosing = true;
    await this.#replay?.close();
    if (this.settings.storage !== undefined && this.#stats.applied > 0 && this.#failure === undefined)
      await this.takeSnapshot().catch(() => {});
    await this.#options.scope.close();
    this.events.close();
    this.versions.close();
  }

  async #run(signal: AbortSignal): Promise<void> {
    try {
      await this.#restoreSaved();
      await this.#holderKnown(signal);
      await this.#restoreFromPeers(signal);
      const { discovery } = this.#options.context;
      const { name } = this.settings;
      const advertised = discovery.advertise({ kind: 'store', id: this.id, name });
      this.#options.scope.onClose(() => advertised[Symbol.dispose]());
      this.#options.scope.every(COMPARE_EVERY_MS, () => this.#compareSoon());
      while (!signal.aborted && !this.#isClosing) await this.#follow(signal);
    } catch (thrown) {
      if (signal.aborted || this.#isClosing) return;
      this.#failure = toError(thrown);
      this.events.emit({ type: 'failed', error: this.#failure });
      this.#changed();
      throw thrown;
    }
  }

  /** Until somebody is known who has the stream, or a snapshot: a node that has just come knows nobody. */
  async #holderKnown(signal: AbortSignal): Promise<void> {
    const { context, definition, isKeptHere } = this.#options;
    if (isKeptHere()) return;
    const store = storeIdOf(definition.id);
    await context.discovery
      .watch()
      .until(
        (catalog) =>
          isKeptHere() ||
          catalog.filter(({ stores }) => stores.includes(store) || stores.includes(this.id)).length > 0,
        { signal },
      );
  }

  async #restoreSaved(): Promise<void> {
    const saved = await this.settings.storage?.loadSnapshot(this.#key);
    if (saved === undefined) return;
    try {
      const { version, data } = decodeSaved(saved);
      if (version === this.settings.version) this.#restore(data, 'storage');
      else this.events.emit({ type: 'rebuilt', version });
    } catch (error) {
      // There is still the log.
      this.#options.context.log.error('the saved snapshot of %s is damaged: %o', this.settings.name, error);
      this.events.emit({ type: 'rebuilt', version: undefined });
    }
  }

  async #restoreFromPeers(signal: AbortSignal): Promise<void> {
    const fetching = this.#fetching(signal);
    const held = await askHeads(fetching, this.#peers(JOIN_PEERS));
    for (let rest = held; rest.length > 0 && !signal.aborted; ) {
      const newest = newestOf(rest);
      if (newest === undefined || coveredBy(newest.head.positions) <= this.#offset) return;
      const data = await fetchSnapshot(fetching, newest);
      if (data !== undefined && this.#tryRestore(data, newest.peers[0] as PeerId)) return;
      rest = rest.filter(({ head }) => !isSameHash(head.hash, newest.head.hash));
    }
  }

  #tryRestore(data: Uint8Array, peer: PeerId): boolean {
    try {
      this.#restore(data, peer);
      return true;
    } catch (thrown) {
      this.events.emit({ type: 'refused', peer, error: toError(thrown) });
      return false;
    }
  }

  #restore(data: Uint8Array, from: PeerId | 'storage'): void {
    const { positions, state } = readSnapshot(data);
    this.#state = this.settings.codec.decode(state);
    this.#positions = new Map(positions.map((position) => [keyOf(position), position]));
    this.#offset = coveredBy(positions);
    this.#nextSnapshotAt =
      this.#offset - (this.#offset % this.settings.snapshotEvery) + this.settings.snapshotEvery;
    this.#offers.unshift(offerOf({ positions, state }));
    this.#stats.restored = this.#offset;
    this.events.emit({ type: 'restored', from, offset: this.#offset });
    this.#changed();
  }

  /** Some of those who hold this fold, too. */
  #peers(count: number): PeerId[] {
    const { discovery } = this.#options.context;
    const holders = discovery.catalog.filter(({ stores }) => stores.includes(this.id));
    return sample(this.#options.scope.runtime, holders, count).map(({ peer }) => peer);
  }

  #fetching(signal: AbortSignal): Parameters<typeof askHeads>[0] {
    return {
      reach: this.#options.context.reach,
      fold: this.id,
      signal,
      onRefused: (peer, error) => this.events.emit({ type: 'refused', peer, error }),
    };
  }

  async #follow(signal: AbortSignal): Promise<void> {
    await using replay = this.#options.replay(this.#positions.size > 0 ? this.cursor : { offset: 0 });
    this.#replay = replay;
    try {
      for await (const run of replay.recordBatches({ signal, maxRecords: RUN_DATA })) {
        for (const record of run) this.#take(record);
        this.#changed();
        if (run.length === RUN_DATA) await yieldNow(this.#options.scope.runtime);
      }
    } catch (error) {
      if (!(error instanceof LogReplacedError)) throw error;
      this.#over(error);
    }
  }

  /** What the state holds of a log that is gone stays in it; that its end may be missing is told. */
  #over({ identity: { producer, log }, offset }: LogReplacedError): void {
    this.#position({ producer, log, next: offset, isOver: true });
    this.#stats.gaps++;
    const gap = { type: 'gap', producer, log, from: offset, to: undefined } as const;
    this.events.emit({ type: 'missing', gap });
  }

  #take(record: ReplayRecord<Out>): void {
    if (record.type === 'datum') {
      this.#apply(record);
    } else if (record.type === 'caughtUp') {
      this.#isCaughtUp = true;
      this.#makeSnapshot();
    } else {
      const { producer, log, from, to } = record;
      this.#stats.gaps++;
      this.#position({ producer, log, next: to ?? from, isOver: to === undefined });
      this.events.emit({ type: 'missing', gap: record });
    }
  }

  #apply({ datum, producer, log, offset, timeMs }: ReplayedDatum<Out>): void {
    this.#state = this.settings.apply(this.#state, datum, { producer, log, offset, timeMs });
    this.#position({ producer, log, next: offset + 1, isOver: false });
    this.#stats.applied++;
    // After the same number of places everywhere, so that snapshots of several holders can be compared.
    if (this.#offset >= this.#nextSnapshotAt) this.#makeSnapshot();
  }

  #position(position: FoldPosition): void {
    const key = keyOf(position);
    this.#offset += position.next - (this.#positions.get(key)?.next ?? 0);
    this.#positions.set(key, position);
  }

  #makeSnapshot(): void {
    const { codec, snapshotEvery } = this.settings;
    this.#nextSnapshotAt = this.#offset - (this.#offset % snapshotEvery) + snapshotEvery;
    const positions = [...this.#positions.values()];
    const offer = offerOf({ positions, state: codec.encode(this.#state) });
    this.#offers.unshift(offer);
    this.#offers.length = Math.min(this.#offers.length, REMEMBERED);
    // Only their hashes are needed of the older ones.
    for (let index = SERVED; index < this.#offers.length; index++) {
      const { head } = this.#offers[index] as SnapshotOffer;
      this.#offers[index] = { head, data: new Uint8Array(0) };
    }
    this.#stats.snapshots++;
    this.events.emit({ type: 'snapshot', offset: this.#offset, bytes: offer.data.length });
    this.#save(offer);
  }

  /** One after the other; the newest wins. */
  #save({ data }: SnapshotOffer): void {
    const { storage, version } = this.settings;
    if (storage === undefined) return;
    const saved = encodeSaved(version, data);
    this.#saving = this.#saving.catch(() => {}).then(() => storage.saveSnapshot(this.#key, saved));
    this.#saving.catch((error) => this.#options.context.log.error('a snapshot cannot be saved: %o', error));
  }

  #compareSoon(): void {
    this.#options.scope.spawn('compare', (signal) => this.#compare(signal));
  }

  /** Looks whether others came to the same state with the same data. */
  async #compare(signal: AbortSignal): Promise<void> {
    const { self } = this.#options.context.reach;
    const held = await askHeads(this.#fetching(signal), this.#peers(COMPARE_PEERS));
    const own = this.#offers.map(({ head }) => ({ peer: self, head }));
    const all = [...own, ...held];
    for (const [index, { peer, head }] of held.entries()) {
      const other = all
        .slice(0, own.length + index)
        .find(
          (known) =>
            isSamePlace(known.head.positions, head.positions) && !isSameHash(known.head.hash, head.hash),
        );
      if (other !== undefined) this.#diverged(peer, other.peer, head.positions);
    }
  }

  #diverged(peer: PeerId, other: PeerId, positions: readonly FoldPosition[]): void {
    const { definition, context } = this.#options;
    this.#stats.divergences++;
    context.log.error('the fold %s diverges between %s and %s', this.settings.name, peer, other);
    const cursor: Cursor = { version: 1, stream: definition.id, positions };
    this.events.emit({ type: 'divergence', peer, other, cursor });
  }

  #covers(place: number | Cursor): boolean {
    if (typeof place === 'number') return this.#offset >= place;
    return place.positions.every(
      (position) => (this.#positions.get(keyOf(position))?.next ?? 0) >= position.next,
    );
  }

  #changed(): void {
    if (!this.versions.isClosed) this.versions.update((count) => count + 1);
  }
}

function keyOf({ producer, log }: Pick<FoldPosition, 'producer' | 'log'>): string {
  return `${producer} ${log}`;
}
