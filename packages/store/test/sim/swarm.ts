import type { Epoch } from '@mosaik/streams';
import type { Host, World } from '@mosaik/testing';
import { addressOf } from '../support/cluster.ts';
import { checkLife, checkTally, type LogBook } from './ledger.ts';
import { ConsumingMember, FoldingMember, type Member, MirroringMember, ProducingMember } from './members.ts';

/** What a seed has drawn. */
export interface SwarmPlan {
  readonly producers: number;
  readonly mirrors: number;
  readonly consumers: number;
  readonly folds: number;
  readonly durationMs: number;
  /** Of each log; `Infinity` for all. */
  readonly maxItems: number;
}

/** Producers, mirrors and consumers that crash, stall, and are cut off from each other, all drawn from the world's seed. */
export class Swarm {
  readonly world: World;
  readonly plan: SwarmPlan;
  readonly producers: readonly ProducingMember[];
  readonly mirrors: readonly MirroringMember[];
  readonly consumers: readonly ConsumingMember[];
  readonly folds: readonly FoldingMember[];
  isOver = false;
  /** Cursors that were refused, as their logs were gone. */
  replaced = 0;

  constructor(world: World, plan: Partial<SwarmPlan> = {}) {
    this.world = world;
    this.plan = {
      producers: 1 + this.below(2),
      mirrors: this.below(3),
      consumers: 1 + this.below(3),
      folds: this.below(3),
      durationMs: 4_000 + this.below(8_000),
      maxItems: this.chance(0.4) ? 50 + this.below(500) : Number.POSITIVE_INFINITY,
      ...plan,
    };
    const named = <T>(count: number, make: (index: number) => T): T[] =>
      Array.from({ length: count }, (_, index) => make(index));
    this.producers = named(this.plan.producers, (index) => new ProducingMember(this, `p${index}`));
    this.mirrors = named(this.plan.mirrors, (index) => new MirroringMember(this, `m${index}`));
    this.folds = named(this.plan.folds, (index) => new FoldingMember(this, `f${index}`));
    this.consumers = named(this.plan.consumers, (index) => new ConsumingMember(this, `c${index}`));
  }

  get members(): readonly Member[] {
    return [...this.producers, ...this.mirrors, ...this.consumers, ...this.folds];
  }

  chance(share: number): boolean {
    return this.world.runtime.random() < share;
  }

  below(limit: number): number {
    return Math.floor(this.world.runtime.random() * limit);
  }

  bootstrap(own: Host): string[] {
    return this.members.filter(({ host }) => host !== own).map(({ host }) => addressOf(host));
  }

  /** Runs it, heals it, waits until everybody has seen everything, and checks what was seen. */
  async run(): Promise<void> {
    const late = this.consumers.filter(() => this.chance(0.5));
    for (const member of this.members) if (!late.includes(member as ConsumingMember)) await member.start();
    await this.#chaos(late);
    this.world.faults.clear();
    for (const member of this.members) if (!member.host.isUp) await member.restart();
    for (const member of late) if (member.node === undefined) await member.start();
    this.isOver = true;
    await this.#settle();
    this.check();
  }

  /** What every life of every consumer saw; the last life has to have seen everything. */
  check(): void {
    this.#checkFolds();
    const books = this.#books();
    for (const consumer of this.consumers) {
      for (const [index, life] of consumer.lives.entries()) {
        try {
          checkLife(life, books);
        } catch (cause) {
          throw new Error(`${consumer.host.name}, life ${index}: ${(cause as Error).message}`, { cause });
        }
      }
    }
  }

  /** What the views have of the logs that are written now. */
  #checkFolds(): void {
    for (const { host, fold } of this.folds) {
      for (const { book } of this.producers) {
        const tally = book && fold?.state[book.log];
        if (book === undefined || tally === undefined) continue;
        try {
          checkTally(tally, book);
        } catch (cause) {
          throw new Error(`${host.name}: ${(cause as Error).message}`, { cause });
        }
      }
      const isWhole = !Number.isFinite(this.plan.maxItems);
      if (isWhole && fold?.stats.divergences !== 0) throw new Error(`${host.name} has diverged`);
    }
  }

  #books(): Map<Epoch, LogBook> {
    return new Map(this.producers.flatMap(({ books }) => [...books]));
  }

  async #chaos(late: readonly ConsumingMember[]): Promise<void> {
    const endMs = this.world.now + this.plan.durationMs;
    this.world.faults.delaySome({ share: 0.01, byMs: this.below(300) });
    if (this.chance(0.5)) this.world.faults.loseConnections({ perMinute: this.below(20) });
    while (this.world.now < endMs) {
      await this.world.sleep(this.below(1_200));
      const comer = late.find(({ node }) => node === undefined);
      if (comer !== undefined && this.chance(0.3)) await comer.start();
      await this.#mishap();
    }
  }

  async #mishap(): Promise<void> {
    const begun = this.members.filter(({ node }) => node !== undefined);
    const member = begun[this.below(begun.length)] as Member;
    const what = this.below(5);
    if (what === 0 && member.host.isUp) member.crash();
    else if (what === 1 && !member.host.isUp) await member.restart();
    else if (what === 2 && member.host.isUp) member.host.stall(this.below(3_000));
    else if (what === 3) this.#cut();
    else if (what === 4) this.world.faults.clear();
  }

  #cut(): void {
    const hosts = this.members.map(({ host }) => host);
    const side = hosts.filter(() => this.chance(0.5));
    const rest = hosts.filter((host) => !side.includes(host));
    if (this.chance(0.3)) this.world.faults.oneWay(side, rest);
    else this.world.faults.partition(side, rest);
  }

  /** Everybody has to come to the end of every log that is written, and to have been caught up. */
  async #settle(): Promise<void> {
    const isAtEnd = ({ replay, life }: ConsumingMember): boolean =>
      life?.records.some(({ type }) => type === 'caughtUp') === true &&
      this.producers.every(({ producer }) =>
        replay?.cursor.positions.some(
          ({ log, next }) => log === producer?.position.epoch && next === producer.position.next,
        ),
      );
    const isFolded = ({ fold }: FoldingMember): boolean =>
      this.producers.every(({ producer, book }) => {
        const { next } = producer?.position ?? { next: 0 };
        return next === 0 || fold?.cursor.positions.some((at) => at.log === book?.log && at.next === next);
      });
    for (let round = 0; round < 240; round++) {
      await this.world.sleep(500);
      if (this.consumers.every(isAtEnd) && this.folds.every(isFolded)) return;
    }
    throw new Error(`not everybody has seen everything:\n${this.#why()}`);
  }

  #why(): string {
    const positions = this.producers.map(
      ({ host, producer }) => `${host.name}: ${producer?.position.epoch} ${producer?.position.next}`,
    );
    const replays = this.consumers.map(
      ({ host, replay }) =>
        `${host.name}: ${replay?.why().text}\n${JSON.stringify(replay?.sources)}\n${JSON.stringify(replay?.why().facts)}`,
    );
    const folds = this.folds.map(
      ({ host, fold }) => `${host.name}: ${fold?.why().text} ${JSON.stringify(fold?.cursor.positions)}`,
    );
    return [...positions, ...replays, ...folds].join('\n');
  }
}
