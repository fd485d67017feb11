import type { Cursor, Fold, FoldOptions, LogStore, Replay, ReplayRecord, Retained } from '@mosaik/store';
import { LogDisk } from '@mosaik/store/simulated';
import type { Epoch, Producer, StreamDefinition } from '@mosaik/streams';
import { stream } from '@mosaik/streams';
import type { Churn } from './churn.ts';
import type { Life, Part } from './node.ts';

/** What travels in the stream that is retained; of one host, no two have the same number. */
export interface Order {
  readonly from: string;
  readonly number: number;
}

const Orders: StreamDefinition<Order> = stream<Order>('orders');

const BURST_MAX = 4;
const PAUSE_MS = 1_500;

/** What is known of the log of one host: all of its lives write the same one, as it is on a disk. */
export class OrderBook {
  /** By offset, the number that was given to the log last: what is durable is never given again. */
  readonly given: number[] = [];
  /** Everything below was acknowledged. */
  acknowledged = 0;
  log: Epoch | undefined;
  readonly maxItems: number;

  constructor(maxItems: number) {
    this.maxItems = maxItems;
  }

  /** A process goes on with the log: what was not durable is gone, what was acknowledged is not. */
  resume(log: Epoch, next: number): void {
    if (this.log !== undefined && log !== this.log) throw new Error('the disk was lost');
    if (next < this.acknowledged)
      throw new Error(`${this.acknowledged} orders were acknowledged, and ${next} are left`);
    this.log = log;
    this.given.length = next;
  }

  /** Everything from here on is kept. */
  get keptFrom(): number {
    return Math.max(0, this.given.length - this.maxItems);
  }
}

/** Produces orders and retains them on its disk. */
export class Retainer implements Part {
  readonly book: OrderBook;
  producer: Producer<Order> | undefined;
  readonly #disk = new LogDisk();
  #number = 0;

  constructor(maxItems: number) {
    this.book = new OrderBook(maxItems);
  }

  async begin(life: Life): Promise<void> {
    const { network, churn } = life;
    const disk = this.#disk.mount(network.runtime);
    const storage = churn.mutant.storeSyncsLate === true ? hasty(disk) : disk;
    await network.store.retain(Orders, { storage, retention: retentionOf(churn) });
    const producer = network.streams.producer(Orders);
    const { epoch, next } = producer.position;
    this.book.resume(epoch, next);
    this.producer = producer;
    churn.watch(this.#work(producer, life));
  }

  async #work(producer: Producer<Order>, life: Life): Promise<void> {
    const { network, churn, signal } = life;
    const from = network.local.peerId;
    const send = async (): Promise<void> => {
      const number = this.#number++;
      // Noted before it is given away: a crash may come before the word that it is kept.
      const offset = this.book.given.push(number) - 1;
      const isKept = await producer.send({ from, number }).then(
        () => true,
        () => false,
      );
      if (!isKept || life.hasCrashed) return;
      if (producer.position.next <= offset) throw new Error('an order was taken out of its turn');
      this.book.acknowledged = Math.max(this.book.acknowledged, offset + 1);
    };
    while (!signal.aborted) {
      const count = churn.isOver ? 0 : 1 + churn.below(BURST_MAX);
      await Promise.all(Array.from({ length: count }, send));
      await churn.world.sleep(churn.below(PAUSE_MS));
    }
  }
}

/** Says that data are kept before they are. */
function hasty(store: LogStore): LogStore {
  const openOwn: LogStore['openOwn'] = async (...args) => {
    const log = await store.openOwn(...args);
    return replaced(log, 'append', async (block) => void log.append(block));
  };
  return replaced(store, 'openOwn', openOwn);
}

/** An object with one method replaced. */
function replaced<T extends object, K extends keyof T>(object: T, name: K, method: T[K]): T {
  return new Proxy(object, {
    get(target, key) {
      if (key === name) return method;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Keeps copies of the logs of all others on its disk. */
export class Mirror implements Part {
  retained: Retained | undefined;
  readonly #disk = new LogDisk();

  async begin({ network, churn }: Life): Promise<void> {
    const storage = this.#disk.mount(network.runtime);
    this.retained = await network.store.retain(Orders, {
      storage,
      mirror: true,
      retention: retentionOf(churn),
    });
  }
}

function retentionOf({ plan }: Churn): { readonly maxItems?: number } {
  return Number.isFinite(plan.maxItems) ? { maxItems: plan.maxItems } : {};
}

/** Replays, from the start or from where its last life was, and checks each record as it comes. */
export class Replayer implements Part {
  replay: Replay<Order> | undefined;
  data = 0;
  gaps = 0;
  #saved: Cursor | undefined;
  #nextOf = new Map<Epoch, number>();

  begin(life: Life): void {
    const { network, churn } = life;
    const from = churn.chance(0.7) ? this.#saved : undefined;
    this.#nextOf = new Map(from?.positions.map(({ log, next }) => [log, next]));
    const replay = network.store.replay(Orders, { from: from ?? 'start' });
    this.replay = replay;
    churn.watch(this.#read(replay, life));
  }

  async #read(replay: Replay<Order>, { network, churn, signal }: Life): Promise<void> {
    let marks = 0;
    for await (const record of replay.records()) {
      if (signal.aborted) return;
      if (record.type === 'caughtUp') marks++;
      else this.#follow(record, churn, network.local.peerId);
      if (marks > 1) throw new Error('a replay was caught up twice');
      // As a program does that writes down where it is.
      if (churn.chance(0.05)) this.#saved = JSON.parse(JSON.stringify(replay.cursor)) as Cursor;
    }
  }

  #follow(record: Exclude<ReplayRecord<Order>, { type: 'caughtUp' }>, churn: Churn, reader: string): void {
    const { book } = churn.retainerOf(record.producer);
    const where = `orders at ${reader.slice(0, 8)} from ${record.producer.slice(0, 8)}`;
    if (book.log !== record.log) throw new Error(`${where}: a log that nobody wrote: ${record.log}`);
    const at = record.type === 'gap' ? record.from : record.offset;
    const next = this.#nextOf.get(record.log);
    // A replay from the start may begin with what is kept.
    if (next === undefined ? at > book.keptFrom : at !== next)
      throw new Error(`${where}: ${record.type} at ${at}, not at ${next ?? book.keptFrom}`);
    this.#nextOf.set(record.log, record.type === 'gap' ? (record.to ?? at) : at + 1);
    if (record.type === 'gap') {
      this.gaps++;
      if (record.to === undefined || record.to <= at || record.to > book.keptFrom)
        throw new Error(`${where}: a gap from ${at} to ${record.to}, and ${book.keptFrom} is kept`);
      return;
    }
    this.data++;
    if (book.given[at] !== record.datum.number)
      throw new Error(`${where}: at ${at} ${book.given[at]} was kept, ${record.datum.number} came`);
  }
}

/** Of each log, what a view has applied. */
export type Sums = Record<Epoch, { readonly next: number; readonly count: number; readonly sum: number }>;

const sums: FoldOptions<Sums, Order> = {
  name: 'sums',
  version: 1,
  initial: () => ({}),
  apply: (state, { number }, { log, offset }) => {
    const { next, count, sum } = state[log] ?? { next: 0, count: 0, sum: 0 };
    if (offset < next) throw new Error(`offset ${offset} of ${log} was applied twice`);
    return { ...state, [log]: { next: offset + 1, count: count + 1, sum: sum + number } };
  },
  snapshotEvery: 500,
};

/** Keeps a view, and snapshots of it on its disk. */
export class Folder implements Part {
  fold: Fold<Sums> | undefined;
  readonly #disk = new LogDisk();

  begin({ network }: Life): void {
    this.fold = network.store.fold(Orders, { ...sums, storage: this.#disk.mount(network.runtime) });
  }

  /** Holds the view to what was kept, as far as it has come. */
  check(books: readonly OrderBook[]): void {
    for (const { log, given, maxItems } of books) {
      const seen = log === undefined ? undefined : this.fold?.state[log];
      if (seen === undefined || Number.isFinite(maxItems)) continue;
      const sum = given.slice(0, seen.next).reduce((total, number) => total + number, 0);
      if (seen.count !== seen.next || seen.sum !== sum)
        throw new Error(`a view of ${log}: ${JSON.stringify(seen)}, and the sum is ${sum}`);
    }
  }
}
