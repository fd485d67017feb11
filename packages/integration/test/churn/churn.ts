import { type PeerId, type Runtime, randomInt, toError } from '@mosaik/primitives';
import type { World } from '@mosaik/testing';
import { assertLinearizable, createHistory, type History } from '@mosaik/testing/linearizability';
import { boardModel, type Input, type Output } from './board.ts';
import { checkBoard, isWhole, knowEachOther } from './checks.ts';
import { oneFault, STALL_MAX_MS } from './faults.ts';
import { Member } from './member.ts';
import { Node } from './node.ts';
import { Folder, Mirror, type OrderBook, Replayer, Retainer } from './orders.ts';
import { drawPlan, type Mutant, type Plan } from './plan.ts';
import { untilFormed, untilSettled } from './settle.ts';
import { TickConsumer, TickProducer } from './ticks.ts';

/** The shortest and the longest time that things go wrong without a pause. */
const [STORM_MIN_MS, STORM_MAX_MS] = [30_000, 240_000];
const CALM_MAX_MS = 20_000;

/** What came of a run, for whoever sums up. */
export interface ChurnResult {
  readonly virtualMs: number;
  readonly events: number;
  readonly faults: number;
  readonly starts: number;
  readonly storms: number;
  readonly operations: number;
  readonly answered: number;
  readonly ticks: number;
  readonly orders: number;
  readonly gaps: number;
}

/**
 * Whole nodes on simulated hosts under a steady load: each with discovery, streams, groups and a store, and some of the parts
 * that the plan gives out. Storms of faults, after each of which all is healed, must settle, and is checked.
 */
export class Churn {
  readonly world: World;
  readonly plan: Plan;
  readonly mutant: Mutant;
  readonly nodes: readonly Node[];
  readonly members: readonly Member[];
  readonly tickConsumers: readonly TickConsumer[];
  readonly tickProducers: readonly TickProducer[];
  readonly retainers: readonly Retainer[];
  readonly mirrors: readonly Mirror[];
  readonly replays: readonly Replayer[];
  readonly folds: readonly Folder[];
  readonly history: History<Input, Output>;
  /** The load has ended. */
  isOver = false;
  readonly #log: string[] = [];
  readonly #nodeOf = new Map<unknown, Node>();
  readonly #runtime: Runtime;
  #failure: Error | undefined;
  #lastValue = 0;
  #faults = 0;
  #starts = 0;
  #storms = 0;

  constructor(world: World, mutant: Mutant = {}) {
    this.world = world;
    this.#runtime = world.runtime;
    this.plan = { ...drawPlan(world.runtime), ...mutant.plan };
    this.mutant = mutant;
    this.history = createHistory(world.runtime);
    const { hosts, members, maxItems } = this.plan;
    this.nodes = Array.from({ length: hosts }, (_, index) => new Node(this, `n${index}`));
    this.members = this.nodes.slice(0, members).map((node) => this.#give(node, new Member()));
    this.tickProducers = this.#giveSome(this.plan.tickProducers, () => new TickProducer());
    this.tickConsumers = this.#giveSome(this.plan.tickConsumers, () => new TickConsumer());
    this.retainers = this.#giveSome(this.plan.retainers, () => new Retainer(maxItems));
    const others = this.nodes.filter(({ parts }) => !parts.some((part) => part instanceof Retainer));
    this.mirrors = this.#giveSome(this.plan.mirrors, () => new Mirror(), others);
    this.replays = this.#giveSome(this.plan.replays, () => new Replayer());
    this.folds = this.#giveSome(this.plan.folds, () => new Folder());
  }

  chance(share: number): boolean {
    return this.#runtime.random() < share;
  }

  below(limit: number): number {
    return limit < 1 ? 0 : randomInt(this.#runtime, limit);
  }

  nextValue(): number {
    return ++this.#lastValue;
  }

  nodeOf(part: unknown): Node {
    return this.#nodeOf.get(part) as Node;
  }

  get books(): readonly OrderBook[] {
    return this.retainers.map(({ book }) => book);
  }

  tickProducerOf(peer: PeerId): TickProducer {
    return this.#partOf(this.tickProducers, peer);
  }

  retainerOf(peer: PeerId): Retainer {
    return this.#partOf(this.retainers, peer);
  }

  /** Work of a node in the background: the run fails with it. */
  watch(work: Promise<void>): void {
    work.catch((thrown: unknown) => {
      this.#failure ??= toError(thrown);
    });
  }

  /** Lets virtual time pass, and fails when something has. */
  async pause(durationMs: number): Promise<void> {
    await this.world.sleep(durationMs);
    if (this.#failure !== undefined) throw this.#failure;
    const [first] = this.world.errors;
    if (first !== undefined) throw first.error;
  }

  note(what: string): void {
    this.#log.push(`${this.world.now.toFixed(0)} ${what}`);
  }

  async start(node: Node): Promise<void> {
    if (node.isUp) return;
    this.#starts++;
    this.note(`start ${node.host.name}`);
    // One that everybody knows, and any other: the graph of who knows whom is connected once all are up.
    const names = ['n0', `n${this.below(this.nodes.length)}`];
    await node.start(names.filter((name) => name !== node.host.name).map((name) => `sim://${name}`));
  }

  /** Runs for so long, and until all is checked. What it fails with tells what happened before. */
  async run(durationMs: number): Promise<ChurnResult> {
    try {
      return await this.#run(durationMs);
    } catch (thrown) {
      const { message } = toError(thrown);
      const story = this.#log.slice(-40).join('\n');
      throw new Error(`${message}\n${JSON.stringify(this.plan)}\n${story}`, { cause: thrown });
    }
  }

  async #run(durationMs: number): Promise<ChurnResult> {
    const endMs = this.world.now + durationMs;
    for (const node of this.nodes.slice(0, this.plan.hosts - this.plan.lateHosts)) await this.start(node);
    await untilFormed(this);
    while (this.world.now < endMs) {
      await this.#storm(
        Math.min(endMs, this.world.now + STORM_MIN_MS + this.below(STORM_MAX_MS - STORM_MIN_MS)),
      );
      await this.#heal();
      await untilSettled(this);
      await this.#calm();
    }
    this.isOver = true;
    await untilSettled(this);
    await checkBoard(this);
    assertLinearizable(boardModel, this.history.operations, { maxSteps: 50_000_000 });
    const result = this.#result();
    for (const node of this.nodes) await node.leave();
    await this.pause(0);
    return result;
  }

  async #storm(endMs: number): Promise<void> {
    this.#storms++;
    this.note('a storm begins');
    while (this.world.now < endMs) {
      await this.pause(this.below(2 * this.plan.faultEveryMs));
      this.#faults++;
      await oneFault(this);
    }
  }

  async #heal(): Promise<void> {
    this.note('healed');
    this.world.faults.clear();
    for (const node of this.nodes) await this.start(node);
    await this.pause(STALL_MAX_MS);
  }

  /** With nothing wrong, nobody misses anything, and nobody changes sides. */
  async #calm(): Promise<void> {
    const look = (): string => {
      const gaps = [...this.tickConsumers, ...this.replays].map((consumer) => consumer.gaps);
      const terms = this.members.map(({ stats }) => stats?.term);
      return JSON.stringify({ gaps, terms });
    };
    const before = look();
    await this.pause(this.below(CALM_MAX_MS));
    if (look() !== before) throw new Error(`while nothing was wrong, ${before} became ${look()}`);
    if (!isWhole(this)) throw new Error('while nothing was wrong, the group fell apart');
    if (!knowEachOther(this.nodes)) throw new Error('while nothing was wrong, somebody departed');
  }

  #giveSome<P extends Parameters<Node['parts']['push']>[0]>(
    count: number,
    make: () => P,
    among: readonly Node[] = this.nodes,
  ): P[] {
    const free = [...among];
    const chosen = Array.from({ length: Math.min(count, free.length) }, () =>
      free.splice(this.below(free.length), 1),
    );
    return chosen.flat().map((node) => this.#give(node, make()));
  }

  #give<P extends Parameters<Node['parts']['push']>[0]>(node: Node, part: P): P {
    node.parts.push(part);
    this.#nodeOf.set(part, node);
    return part;
  }

  #partOf<P>(parts: readonly P[], peer: PeerId): P {
    const found = parts.find((part) => this.nodeOf(part).peer === peer);
    if (found === undefined) throw new Error(`nobody who produces is ${peer}`);
    return found;
  }

  #result(): ChurnResult {
    const { operations } = this.history;
    const total = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);
    return {
      virtualMs: this.world.now,
      events: this.world.stats.events,
      faults: this.#faults,
      starts: this.#starts,
      storms: this.#storms,
      operations: operations.length,
      answered: operations.filter(({ outcome }) => outcome.type === 'ok').length,
      ticks: total(this.tickConsumers.map(({ data }) => data)),
      orders: total(this.replays.map(({ data }) => data)),
      gaps: total([...this.tickConsumers, ...this.replays].map(({ gaps }) => gaps)),
    };
  }
}
