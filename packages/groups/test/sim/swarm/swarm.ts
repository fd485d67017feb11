import type { World } from '@mosaik/testing';
import { Violation } from '../../raft/sim/oracle.ts';
import { inWorld } from '../../support/world.ts';
import { leaderOf, type Node } from '../cluster.ts';
import { Clients } from './clients.ts';
import { Faults } from './faults.ts';
import { Nodes } from './nodes.ts';
import { type FaultKind, type Mutant, type Plan, planOf } from './plan.ts';

/** What came of a run, for whoever sums up. */
export interface SwarmResult {
  readonly operations: number;
  readonly answered: number;
  /** Those of the answered that had been given up before. */
  readonly heardLater: number;
  readonly pulledSnapshots: number;
  readonly pulledEntries: number;
  readonly leaderChanges: number;
  /** Members that rested when a fault came. */
  readonly rests: number;
  readonly faults: Readonly<Record<FaultKind, number>>;
  /** Members that found their log damaged while they ran, and went on as others. */
  readonly discards: number;
  /** Of everything that happened: the same from the same seed. */
  readonly trace: string;
}

/**
 * A cluster of whole nodes under faults: everything is drawn from the seed. Clients at random members, while hosts are cut
 * off, killed, lose power, stall and come back, and others join; then all is healed, and the group has to work again, all
 * members the same. What cores and machines do is held against what is promised while they do it.
 *
 * @throws {Error} caused by a {@link Violation} where something was broken.
 */
export async function runSwarm(seed: number, mutant: Mutant = {}): Promise<SwarmResult> {
  let result: SwarmResult | undefined;
  await inWorld({ seed: `swarm ${seed}` }, async (world) => {
    const plan = { ...planOf(world.runtime), ...mutant.plan };
    const swarm = new Swarm(world, plan, mutant);
    try {
      result = await swarm.run();
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${JSON.stringify(plan)}\n${swarm.describe()}`, {
        cause: error,
      });
    }
  });
  return result as SwarmResult;
}

class Swarm {
  readonly #world: World;
  readonly #plan: Plan;
  readonly #nodes: Nodes;
  readonly #clients: Clients;
  readonly #faults: Faults;
  #rests = 0;

  constructor(world: World, plan: Plan, mutant: Mutant) {
    this.#world = world;
    this.#plan = plan;
    this.#nodes = new Nodes(world, plan, mutant);
    this.#clients = new Clients(this.#nodes);
    this.#faults = new Faults(this.#nodes);
  }

  describe(): string {
    return this.#nodes.describe();
  }

  /** What is broken ends it at once: nothing that comes after could be understood. */
  async run(): Promise<SwarmResult> {
    return await Promise.race([this.#run(), this.#nodes.watch.violated]);
  }

  async #run(): Promise<SwarmResult> {
    for (let index = 0; index < this.#plan.count; index++) await this.#nodes.add();
    await this.#nodes.untilWhole(20_000);
    this.#clients.start(this.#plan.clients);
    await this.#disturb();
    this.#nodes.note('healed');
    this.#world.faults.clear();
    await this.#nodes.restartAll();
    await this.#nodes.untilWhole(60_000);
    await this.#world.sleep(500);
    await this.#clients.stop();
    await this.#checkEnd();
    await this.#checkRest();
    this.#clients.check();
    return await this.#close();
  }

  async #close(): Promise<SwarmResult> {
    const { live, leaderChanges } = this.#nodes;
    const { operations, answered, heardLater } = this.#clients;
    const pulledSnapshots = sum(live.map(({ group }) => group.stats.snapshotsPulled));
    const pulledEntries = sum(live.map(({ group }) => group.stats.entriesPulled));
    await Promise.all(live.map((node) => node.close()));
    return {
      operations,
      answered,
      heardLater,
      pulledSnapshots,
      pulledEntries,
      leaderChanges,
      rests: this.#rests,
      faults: this.#faults.done,
      discards: this.#faults.discards,
      trace: this.#world.trace.hash(),
    };
  }

  async #disturb(): Promise<void> {
    const { runtime } = this.#world;
    for (let fault = 0; fault < this.#plan.faults; fault++) {
      await this.#world.sleep(this.#plan.pauseMs * (0.1 + runtime.random()));
      const isHushed = runtime.random() < this.#plan.hushes;
      if (isHushed) await this.#hush();
      await this.#faults.one();
      if (isHushed) await this.#world.sleep(runtime.random() * 4_000);
      this.#clients.areHushed = false;
    }
    await this.#world.sleep(runtime.random() * 3_000);
  }

  /** Nobody asks for anything: what comes next finds a group that rests, or is about to. */
  async #hush(): Promise<void> {
    this.#clients.areHushed = true;
    await this.#world.sleep(this.#world.runtime.random() * 5_000);
    const resting = this.#nodes.live.filter(({ group }) => group.stats.isResting).length;
    this.#rests += resting;
    this.#nodes.note(`hushed, ${resting} rest`);
  }

  async #checkEnd(): Promise<void> {
    const { live } = this.#nodes;
    for (const { group } of live) await group.execute({ put: 'end', value: this.#clients.nextValue() });
    const last = Math.max(...live.map(({ group }) => group.stats.log.applied));
    await this.#nodes.until(() => live.every(({ group }) => group.stats.log.applied >= last), {
      withinMs: 5_000,
      what: 'all have applied the last command',
    });
    await this.#nodes.until(() => live.every(({ group }) => group.why().code === 'ok'), {
      withinMs: 5_000,
      what: 'all are well',
    });
    this.#nodes.look();
    const states = await Promise.all(
      live.map(async ({ group }) => JSON.stringify((await group.query({ from: '' }, 'weak')).result)),
    );
    if (new Set(states).size !== 1) throw new Violation('equal states', `\n${states.join('\n')}`);
    for (const { group, host } of live)
      if (group.reverted().length > 0) throw new Violation('soundness', `${host.name} was reverted`);
  }

  /** Nobody asks for anything any more: the group comes to rest, and misses its leader all the same. */
  async #checkRest(): Promise<void> {
    await this.#nodes.until(() => this.#nodes.live.every(({ group }) => group.stats.isResting), {
      withinMs: 10_000,
      what: 'the group rests',
    });
    const leader = leaderOf(this.#nodes.live) as Node;
    const others = this.#nodes.live.filter((node) => node !== leader);
    if (others.length === 0 || this.#nodes.voters < 2) return;
    this.#nodes.note(`${leader.host.name} is cut off`);
    const cut = this.#world.faults.isolate(leader.host);
    await this.#nodes.until(() => leader.group.stats.role !== 'leader', {
      // Silence shows after half a second, and then an election timeout passes: sooner than the bond is given up.
      withinMs: 1_700,
      what: 'a leader that is cut off steps down',
    });
    if (this.#nodes.voters > 2)
      await this.#nodes.until(() => leaderOf(others) !== undefined, {
        withinMs: 10_000,
        what: 'the others have another leader',
      });
    cut.heal();
    await this.#nodes.untilWhole(20_000);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
