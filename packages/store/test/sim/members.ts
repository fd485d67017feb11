import { type Epoch, type Producer, type StreamDefinition, stream } from '@mosaik/streams';
import type { Host } from '@mosaik/testing';
import {
  type Cursor,
  type Fold,
  type FoldOptions,
  LogReplacedError,
  type LogStore,
  memory,
  type Replay,
  type ReplayFrom,
} from '../../src/index.ts';
import { LogDisk } from '../../src/simulated/index.ts';
import { type Node, startNode } from '../support/cluster.ts';
import { type Life, LogBook, type Parcel } from './ledger.ts';
import type { Swarm } from './swarm.ts';

const Parcels: StreamDefinition<Parcel> = stream<Parcel>('parcels');

/** A host that starts, crashes, and starts again. */
export abstract class Member {
  readonly host: Host;
  protected readonly swarm: Swarm;
  protected abort: AbortController = new AbortController();
  node: Node | undefined;

  constructor(swarm: Swarm, name: string) {
    this.swarm = swarm;
    this.host = swarm.world.host(name);
  }

  async start(): Promise<void> {
    this.abort = new AbortController();
    const node = await startNode(this.host, { bootstrap: this.swarm.bootstrap(this.host) });
    this.node = node;
    await this.begin(node);
  }

  crash(): void {
    this.abort.abort();
    this.host.crash({ mode: this.swarm.chance(0.5) ? 'kill' : 'powerLoss' });
  }

  async restart(): Promise<void> {
    this.host.restart();
    await this.start();
  }

  protected abstract begin(node: Node): Promise<void>;
}

/** What a view of the swarm keeps of each log: enough to see what was applied twice, left out, or changed. */
export type Tallies = Record<Epoch, Tally>;

export interface Tally {
  readonly next: number;
  readonly count: number;
  /** Of the numbers of the parcels. */
  readonly sum: number;
  /** Parcels that did not follow on what came before them. */
  readonly misplaced: number;
}

const NOTHING: Tally = { next: 0, count: 0, sum: 0, misplaced: 0 };

const tallies: Omit<FoldOptions<Tallies, Parcel>, 'storage'> = {
  name: 'tallies',
  version: 1,
  initial: () => ({}),
  apply: (state, { index }, { log, offset }) => {
    const { next, count, sum, misplaced } = state[log] ?? NOTHING;
    const isBack = offset < next ? 1 : 0;
    const tally = { next: offset + 1, count: count + 1, sum: sum + index, misplaced: misplaced + isBack };
    return { ...state, [log]: tally };
  },
  snapshotEvery: 200,
};

/** Keeps logs on a disk, which outlives its processes, or in memory. */
abstract class KeepingMember extends Member {
  readonly disk: LogDisk | undefined;

  constructor(swarm: Swarm, name: string) {
    super(swarm, name);
    this.disk = swarm.chance(0.7) ? new LogDisk() : undefined;
  }

  protected storage(): LogStore {
    return this.disk?.mount(this.host.runtime) ?? memory();
  }
}

export class ProducingMember extends KeepingMember {
  readonly books: Map<Epoch, LogBook> = new Map();
  producer: Producer<Parcel> | undefined;
  book: LogBook | undefined;
  #index = 0;

  protected async begin(node: Node): Promise<void> {
    const { maxItems } = this.swarm.plan;
    const retention = Number.isFinite(maxItems) ? { maxItems } : {};
    await node.store.retain(Parcels, { storage: this.storage(), retention });
    const producer = node.streams.producer(Parcels);
    const { epoch, next } = producer.position;
    for (const book of this.books.values()) book.isDead = book.log !== epoch;
    this.book = this.books.get(epoch) ?? new LogBook(epoch, maxItems);
    this.books.set(epoch, this.book);
    this.book.resume(next);
    this.producer = producer;
    void this.#work(producer, this.book, this.abort.signal);
  }

  async #work(producer: Producer<Parcel>, book: LogBook, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const count = this.swarm.isOver ? 0 : this.swarm.below(40);
      await Promise.all(Array.from({ length: count }, () => this.#send(producer, book, signal)));
      await this.swarm.world.sleep(this.swarm.below(60));
    }
  }

  /** Noted before it is given away: a crash may come before the word that it is kept. */
  async #send(producer: Producer<Parcel>, book: LogBook, signal: AbortSignal): Promise<void> {
    const parcel = { from: this.host.name, index: this.#index++ };
    const offset = book.given.push(parcel) - 1;
    await producer.send(parcel).catch(() => {});
    if (signal.aborted) return;
    if (producer.position.next <= offset) throw new Error('a datum was taken out of its turn');
    book.acknowledged = Math.max(book.acknowledged, offset + 1);
  }
}

export class MirroringMember extends KeepingMember {
  protected async begin(node: Node): Promise<void> {
    await node.store.retain(Parcels, { storage: this.storage(), mirror: true });
  }
}

export class ConsumingMember extends Member {
  readonly lives: Life[] = [];
  replay: Replay<Parcel> | undefined;
  /** What it has written down last, for its next life. */
  #saved: Cursor | undefined;

  get life(): Life | undefined {
    return this.lives.at(-1);
  }

  protected async begin(node: Node): Promise<void> {
    const from = this.#from();
    const maxBuffer = this.swarm.chance(0.3) ? 500 : 256 * 1024;
    const replay = node.store.replay(Parcels, { from, maxBuffer });
    const life: Life = { cursor: this.#saved, isFromStart: from === 'start', records: [] };
    this.replay = replay;
    this.lives.push(life);
    void this.#read(replay, life, this.abort.signal);
  }

  #from(): ReplayFrom {
    if (this.swarm.chance(0.3)) this.#saved = undefined;
    if (this.#saved !== undefined) return this.#saved;
    return this.swarm.chance(0.8) ? 'start' : 'end';
  }

  async #read(replay: Replay<Parcel>, life: Life, signal: AbortSignal): Promise<void> {
    const isSlow = this.swarm.chance(0.2);
    try {
      for await (const record of replay.records()) {
        if (signal.aborted) return;
        life.records.push(record);
        if (this.swarm.chance(0.02)) this.#save(replay, life);
        if (isSlow) await this.#dawdle();
      }
    } catch (error) {
      if (!signal.aborted) await this.#startOver(replay, error as Error, signal);
    }
  }

  #save(replay: Replay<Parcel>, life: Life): void {
    const cursor = JSON.parse(JSON.stringify(replay.cursor)) as Cursor;
    this.#saved = cursor;
    life.saved = { cursor, after: life.records.length };
  }

  async #dawdle(): Promise<void> {
    const isDue = !this.swarm.isOver && this.swarm.chance(0.05);
    if (isDue) await this.swarm.world.sleep(this.swarm.below(300));
  }

  /** The log of its cursor is gone, and it was told so: it begins anew. */
  async #startOver(replay: Replay<Parcel>, error: Error, signal: AbortSignal): Promise<void> {
    if (!(error instanceof LogReplacedError)) throw error;
    this.#saved = undefined;
    this.swarm.replaced++;
    await replay.close();
    if (!signal.aborted && this.node !== undefined) await this.begin(this.node);
  }
}

/** Keeps a view, and snapshots of it on a disk, or not. */
export class FoldingMember extends KeepingMember {
  fold: Fold<Tallies> | undefined;

  protected async begin(node: Node): Promise<void> {
    const storage = this.disk === undefined ? {} : { storage: this.storage() };
    this.fold = node.store.fold(Parcels, { ...tallies, ...storage });
  }
}
