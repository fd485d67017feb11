import type { PeerInfo } from '@mosaik/discovery';
import type { Host, World } from '@mosaik/testing';
import { type Consumer, type Producer, stream } from '../../src/index.ts';
import { addressOf, type Node, startNode } from '../support/cluster.ts';
import { bodyOf, checkSeen, type Parcel, type Seen, type Sent } from './ledger.ts';

const Parcels = stream<Parcel>('parcels');

const EMPTY = new Uint8Array(0);

/** The kind of a producer's last parcels, which everybody wants. */
const LAST = 99;

/** Nobody subscribes to, or accepts, who carries this tag. */
const BARRED = 'barred';

/** What a seed has drawn. */
export interface SwarmPlan {
  readonly producers: number;
  readonly consumers: number;
  readonly durationMs: number;
  readonly bufferBytes: number;
  /** What waits unread at a consumer. */
  readonly readBytes: number;
  /** Of the body of a parcel, at most; 0 for parcels without one. */
  readonly bodyBytes: number;
  readonly disconnectLagging: boolean;
  readonly chaos: boolean;
}

/** A host that starts, crashes, and starts again. */
abstract class Member {
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
    this.node = await startNode(this.host, { bootstrap: this.swarm.bootstrap(this.host) });
    this.begin(this.node);
  }

  crash(): void {
    this.abort.abort();
    this.host.crash({ mode: this.swarm.chance(0.5) ? 'kill' : 'powerLoss' });
  }

  async restart(): Promise<void> {
    this.host.restart();
    await this.start();
  }

  protected abstract begin(node: Node): void;
}

class ProducingMember extends Member {
  readonly sent: Sent = new Map();
  producer: Producer<Parcel> | undefined;
  #index = 0;

  protected begin(node: Node): void {
    const { bufferBytes, disconnectLagging } = this.swarm.plan;
    const acceptIf = (peer: PeerInfo): boolean => !peer.hasTag(BARRED);
    this.producer = node.streams.producer(Parcels, { bufferBytes, disconnectLagging, acceptIf });
    this.sent.set(this.producer.position.epoch, []);
    void this.#work(this.producer, this.abort.signal);
  }

  /** Ends in an orderly way, and begins anew in the same process. */
  reopen(): void {
    const { node, producer } = this;
    if (node === undefined) return;
    this.abort.abort();
    this.abort = new AbortController();
    void producer?.close();
    this.begin(node);
  }

  async #work(producer: Producer<Parcel>, signal: AbortSignal): Promise<void> {
    const { world } = this.swarm;
    while (!signal.aborted) {
      const count = this.swarm.isOver ? 1 : this.swarm.below(25);
      for (let sent = 0; sent < count && !signal.aborted; sent++) {
        const kind = this.swarm.isOver ? LAST : this.swarm.below(4);
        await this.#send(producer, kind, signal);
      }
      await world.sleep(this.swarm.isOver ? 500 : this.swarm.below(40));
    }
  }

  /** Noted before it is known to be taken: a crash may come between the taking and the word of it. */
  async #send(producer: Producer<Parcel>, kind: number, signal: AbortSignal): Promise<void> {
    const { epoch } = producer.position;
    const sent = this.sent.get(epoch) as Parcel[];
    const parcel = { from: this.host.name, index: this.#index++, kind };
    sent.push(parcel);
    const { bodyBytes } = this.swarm.plan;
    const datum = bodyBytes === 0 ? parcel : { ...parcel, body: bodyOf(parcel.index, bodyBytes) };
    if (!(await isDone(producer.send(datum, { signal })))) sent.pop();
    else if (sent.length !== producer.position.next) throw new Error('a datum was taken out of its turn');
  }
}

class ConsumingMember extends Member {
  readonly kinds: readonly number[] | undefined;
  readonly maxProducers: number | undefined;
  /** How long it now and then does not read. */
  readonly pauseMs: number;
  readonly lives: DatumRecordOrGap[][] = [];
  consumer: Consumer<Parcel> | undefined;

  constructor(swarm: Swarm, name: string) {
    super(swarm, name);
    this.kinds = swarm.chance(0.4) ? [swarm.below(4), swarm.below(4), LAST] : undefined;
    this.maxProducers = swarm.chance(0.2) ? 1 : undefined;
    this.pauseMs = swarm.chance(0.3) ? (swarm.chance(0.3) ? 20_000 : 300) : 0;
  }

  get seen(): DatumRecordOrGap[] {
    return this.lives.at(-1) ?? [];
  }

  isWanted(parcel: Parcel): boolean {
    return this.kinds?.includes(parcel.kind) ?? true;
  }

  protected begin(node: Node): void {
    const { kinds, maxProducers } = this;
    const criteria = kinds === undefined ? undefined : { kind: { $in: kinds } };
    const subscribeIf = (peer: PeerInfo): boolean => !peer.hasTag(BARRED);
    const options = { criteria, maxProducers, subscribeIf, bufferBytes: this.swarm.plan.readBytes };
    this.consumer = node.streams.consumer(Parcels, options);
    const life: DatumRecordOrGap[] = [];
    this.lives.push(life);
    void this.#read(this.consumer, life, this.abort.signal);
  }

  async #read(consumer: Consumer<Parcel>, life: DatumRecordOrGap[], signal: AbortSignal): Promise<void> {
    for await (const record of consumer.records()) {
      if (signal.aborted) return;
      life.push(record.type === 'gap' ? record : { ...record, datum: this.swarm.unpack(record.datum) });
      if (this.pauseMs > 0 && !this.swarm.isOver && this.swarm.chance(0.02))
        await this.swarm.world.sleep(this.swarm.below(this.pauseMs));
    }
  }
}

type DatumRecordOrGap = Seen[number];

/** Producers and consumers that crash, stall, and are cut off from each other, all drawn from the world's seed. */
export class Swarm {
  readonly world: World;
  readonly plan: SwarmPlan;
  readonly producers: readonly ProducingMember[];
  readonly consumers: readonly ConsumingMember[];
  isOver = false;

  constructor(world: World, plan: Partial<SwarmPlan> = {}) {
    this.world = world;
    this.plan = {
      producers: 1 + this.below(3),
      consumers: 1 + this.below(4),
      durationMs: 5_000 + this.below(10_000),
      bufferBytes: this.chance(0.5) ? 2_048 : 256 * 1024,
      readBytes: this.chance(0.5) ? 512 : 4_096,
      bodyBytes: this.chance(0.25) ? 40_000 : 0,
      disconnectLagging: this.chance(0.8),
      chaos: true,
      ...plan,
    };
    this.producers = Array.from(
      { length: this.plan.producers },
      (_, index) => new ProducingMember(this, `p${index}`),
    );
    this.consumers = Array.from(
      { length: this.plan.consumers },
      (_, index) => new ConsumingMember(this, `c${index}`),
    );
  }

  get members(): readonly Member[] {
    return [...this.producers, ...this.consumers];
  }

  chance(share: number): boolean {
    return this.world.runtime.random() < share;
  }

  below(limit: number): number {
    return Math.floor(this.world.runtime.random() * limit);
  }

  /** A parcel without its body, which has to be as it was sent. */
  unpack({ body, ...parcel }: Parcel): Parcel {
    const { bodyBytes } = this.plan;
    if (bodyBytes === 0 || Buffer.from(bodyOf(parcel.index, bodyBytes)).equals(body ?? EMPTY)) return parcel;
    throw new Error(`the body of ${JSON.stringify(parcel)} is not as it was sent`);
  }

  bootstrap(own: Host): string[] {
    return this.members.filter(({ host }) => host !== own).map(({ host }) => addressOf(host));
  }

  /** Runs it, heals it, waits until everybody has seen everybody, and checks what was seen. */
  async run(): Promise<void> {
    for (const member of this.members) await member.start();
    if (this.plan.chaos) await this.#chaos();
    else await this.world.sleep(this.plan.durationMs);
    this.world.faults.clear();
    for (const member of this.members) if (!member.host.isUp) await member.restart();
    for (const { node } of this.members) node?.discovery.removeTags(BARRED);
    this.isOver = true;
    await this.#settle();
    this.check();
  }

  check(): void {
    for (const consumer of this.consumers) {
      for (const [index, life] of consumer.lives.entries()) {
        for (const producer of this.producers) this.#checkPair(consumer, index, life, producer);
      }
    }
  }

  #checkPair(
    consumer: ConsumingMember,
    index: number,
    life: DatumRecordOrGap[],
    producer: ProducingMember,
  ): void {
    const peer = producer.node?.transport.local.peerId;
    const seen = life.filter((record) => record.producer === peer);
    try {
      checkSeen(seen, producer.sent, (parcel) => consumer.isWanted(parcel));
    } catch (cause) {
      throw new Error(
        `${consumer.host.name}, life ${index}, of ${producer.host.name}: ${(cause as Error).message}`,
        { cause },
      );
    }
  }

  async #chaos(): Promise<void> {
    const endMs = this.world.now + this.plan.durationMs;
    this.world.faults.delaySome({ share: 0.01, byMs: this.below(300) });
    if (this.chance(0.5)) this.world.faults.loseConnections({ perMinute: this.below(10) });
    while (this.world.now < endMs) {
      await this.world.sleep(this.below(1_500));
      await this.#mishap();
    }
  }

  async #mishap(): Promise<void> {
    const member = this.members[this.below(this.members.length)] as Member;
    const what = this.below(7);
    if (what === 1 && !member.host.isUp) await member.restart();
    else if (what === 3) this.#cut();
    else if (what === 4) this.world.faults.clear();
    if (!member.host.isUp) return;
    if (what === 0) member.crash();
    else if (what === 2) member.host.stall(this.below(3_000));
    else if (what === 5) this.#bar(member);
    else if (what === 6 && member instanceof ProducingMember) member.reopen();
  }

  #bar({ node }: Member): void {
    if (this.chance(0.5)) node?.discovery.addTags(BARRED);
    else node?.discovery.removeTags(BARRED);
  }

  #cut(): void {
    const hosts = this.members.map(({ host }) => host);
    const side = hosts.filter(() => this.chance(0.5));
    const rest = hosts.filter((host) => !side.includes(host));
    if (this.chance(0.3)) this.world.faults.oneWay(side, rest);
    else this.world.faults.partition(side, rest);
  }

  /** Everybody has to get a last parcel of the last life of every producer, or of as many as it wants. */
  async #settle(): Promise<void> {
    const hasLast = (consumer: ConsumingMember, { producer }: ProducingMember): boolean =>
      consumer.seen.some(
        (record) =>
          record.type === 'datum' && record.epoch === producer?.position.epoch && record.datum.kind === LAST,
      );
    const hasAll = (consumer: ConsumingMember): boolean =>
      this.producers.filter((producer) => hasLast(consumer, producer)).length >=
      Math.min(consumer.maxProducers ?? Number.POSITIVE_INFINITY, this.producers.length);
    for (let round = 0; round < 240; round++) {
      await this.world.sleep(500);
      if (this.consumers.every(hasAll)) return;
    }
    throw new Error(`not everybody is served again:\n${this.#why()}`);
  }

  #why(): string {
    const ends = [
      ...this.producers.map(({ producer }) => producer),
      ...this.consumers.map(({ consumer }) => consumer),
    ];
    return this.members.map(({ host }, index) => `${host.name}: ${ends[index]?.why().text}`).join('\n');
  }
}

async function isDone(promise: Promise<void>): Promise<boolean> {
  try {
    await promise;
    return true;
  } catch {
    return false;
  }
}
