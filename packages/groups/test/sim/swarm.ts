import { type Runtime, randomInt, sample } from '@mosaik/primitives';
import { createDisk, type Disk, type World } from '@mosaik/testing';
import {
  assertLinearizable,
  createHistory,
  deterministic,
  type History,
  type Model,
} from '@mosaik/testing/linearizability';
import { CommandAbortedError, GroupClosedError, GroupOverloadedError } from '../../src/errors.ts';
import { memory } from '../../src/storage/memory.ts';
import { simulated } from '../../src/storage/simulated/index.ts';
import type { Incarnation, LogStorage, Storage } from '../../src/storage/storage.ts';
import { inWorld } from '../support/world.ts';
import { describe as describeNodes, leaderOf, type Node, type NodeOptions, startNode } from './cluster.ts';

/** What clients ask of a key: values are unique, so that a command that was applied twice shows in what was there before. */
type Input =
  | { readonly type: 'get'; readonly key: string }
  | { readonly type: 'put'; readonly key: string; readonly value: number }
  | { readonly type: 'cas'; readonly key: string; readonly from: number | undefined; readonly to: number };

/** What there was before: of a `cas` with whether it wrote. */
type Output = number | undefined | readonly [done: boolean, before: number | undefined];

const model: Model<number | undefined, Input, Output> = deterministic<number | undefined, Input, Output>({
  init: () => undefined,
  key: ({ key }) => key,
  apply(state, input) {
    if (input.type === 'get') return { state, output: state };
    if (input.type === 'put') return { state: input.value, output: state };
    const isSame = state === input.from;
    return { state: isSame ? input.to : state, output: [isSame, state] };
  },
});

/** What a seed decides. */
interface Plan {
  readonly count: number;
  readonly isDurable: boolean;
  readonly clients: number;
  readonly keys: number;
  readonly faults: number;
  readonly snapshotEvery: number;
  readonly retainEntries: number;
  readonly retainBytes: number;
  /** Mostly none, so that logs are pruned behind members that pull. */
  readonly retainPulledEntries: number;
  /** How long a disk takes to sync, in ms. */
  readonly syncMs: number;
  /** Share of faults that take the power from all hosts at once. */
  readonly blackouts: number;
  /** Share of faults before which clients fall silent, so that the group comes to rest. */
  readonly hushes: number;
  /** How often a group that rests is looked after; mostly never, so that events alone have to wake it. */
  readonly restMs: number;
}

function planOf(runtime: Runtime): Plan {
  return {
    count: 1 + randomInt(runtime, 7),
    isDurable: runtime.random() < 0.6,
    clients: 2 + randomInt(runtime, 5),
    keys: 2 + randomInt(runtime, 3),
    faults: 3 + randomInt(runtime, 10),
    snapshotEvery: runtime.random() < 0.6 ? 20 + randomInt(runtime, 100) : 10_000,
    retainEntries: randomInt(runtime, 50),
    retainBytes: runtime.random() < 0.7 ? 1 + randomInt(runtime, 2_000) : 16_777_216,
    syncMs: runtime.random() < 0.5 ? 1 : 20 * runtime.random(),
    blackouts: runtime.random() < 0.5 ? 0 : 0.1,
    hushes: runtime.random() < 0.5 ? 0 : 0.5,
    restMs: runtime.random() < 0.7 ? Number.POSITIVE_INFINITY : 500 + 3_000 * runtime.random(),
    retainPulledEntries: runtime.random() < 0.7 ? 0 : randomInt(runtime, 1_000),
  };
}

/** What is wrong on purpose. */
export interface Mutant {
  readonly rules?: NodeOptions['rules'];
  readonly syncsFirst?: boolean;
  /** A member that has lost its log goes on under the same identity. */
  readonly keepsIdentity?: boolean;
  /** Plans in which it can show. */
  readonly plan?: Partial<Plan>;
}

/** What came of a run, for whoever sums up. */
export interface SwarmResult {
  readonly operations: number;
  readonly answered: number;
  readonly pulledSnapshots: number;
  readonly pulledEntries: number;
  readonly leaderChanges: number;
  /** Members that rested when a fault came. */
  readonly rests: number;
}

/**
 * A cluster of whole nodes under faults: everything is drawn from the seed. Clients at random members, while hosts are cut
 * off, killed, lose power, stall and come back; then all is healed, and the group has to work again, all members the same.
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
  readonly #mutant: Mutant;
  readonly #history: History<Input, Output>;
  readonly #nodes: (Node | undefined)[] = [];
  readonly #disks: Disk[] = [];
  #lastValue = 0;
  #isOver = false;
  #isHushed = false;
  #rests = 0;
  #leaderChanges = 0;
  readonly #log: string[] = [];

  constructor(world: World, plan: Plan, mutant: Mutant) {
    this.#mutant = mutant;
    this.#world = world;
    this.#plan = plan;
    this.#history = createHistory(world.runtime);
  }

  describe(): string {
    return `${this.#log.join('\n')}\n${describeNodes(this.#live)}`;
  }

  async run(): Promise<SwarmResult> {
    const { count, clients } = this.#plan;
    for (let index = 0; index < count; index++) {
      const { runtime } = this.#world;
      const clock = { skewMs: 4_000 * (runtime.random() - 0.5), driftPpm: 400 * (runtime.random() - 0.5) };
      const host = this.#world.host(`n${index}`, clock);
      this.#disks.push(createDisk(host, { runtime, syncMs: this.#plan.syncMs }));
      await this.#start(index);
    }
    await this.#untilWhole(20_000);
    const running = Array.from({ length: clients }, (_, index) => this.#client(`c${index}`));
    await this.#disturb();
    this.#note('healed');
    await this.#heal();
    await this.#untilWhole(60_000);
    await this.#world.sleep(500);
    this.#isOver = true;
    await Promise.all(running);
    await this.#checkEnd();
    await this.#checkRest();
    const live = this.#live;
    for (const { operations } of [this.#history])
      assertLinearizable(model, operations, { maxSteps: 20_000_000 });
    const result = {
      operations: this.#history.operations.length,
      answered: this.#history.operations.filter(({ outcome }) => outcome.type === 'ok').length,
      pulledSnapshots: sum(live.map(({ group }) => group.stats.snapshotsPulled)),
      pulledEntries: sum(live.map(({ group }) => group.stats.entriesPulled)),
      leaderChanges: this.#leaderChanges + Math.max(...live.map(({ group }) => group.stats.leaderChanges)),
      rests: this.#rests,
    };
    await Promise.all(live.map((node) => node.close()));
    return result;
  }

  get #live(): Node[] {
    return this.#nodes.filter((node) => node !== undefined);
  }

  async #start(index: number): Promise<void> {
    const { count, isDurable, snapshotEvery, retainEntries, retainBytes, retainPulledEntries } = this.#plan;
    const { rules } = this.#mutant;
    const storage = this.#storageOf(index, isDurable);
    const others = Array.from({ length: count }, (_, other) => `sim://n${other}`).filter(
      (_, other) => other !== index,
    );
    this.#nodes[index] = await startNode(this.#world, `n${index}`, {
      bootstrap: others,
      storage,
      rules: { ...rules, quiescence: { restMs: this.#plan.restMs, ...rules?.quiescence } },
      consensus: { founders: count, snapshotEvery, retainEntries, retainBytes, retainPulledEntries },
    });
  }

  #storageOf(index: number, isDurable: boolean): Storage {
    const { syncsFirst = true, keepsIdentity = false } = this.#mutant;
    const storage = isDurable ? simulated(this.#disks[index] as Disk, { rules: { syncsFirst } }) : memory();
    if (!keepsIdentity) return storage;
    const incarnation = `${index}`.padStart(32, 'a') as Incarnation;
    return {
      durability: storage.durability,
      description: storage.description,
      setAside: (reason) => storage.setAside(reason),
      open: async (options) => withIncarnation(await storage.open(options), incarnation),
    };
  }

  /** Everybody is up, agrees on the leader, is counted in, and no further behind than what is under way. */
  #isWhole(): boolean {
    const live = this.#live;
    if (live.length < this.#plan.count || leaderOf(live) === undefined) return false;
    const target = this.#plan.count === 2 ? 2 : Math.min(5, this.#plan.count - ((this.#plan.count + 1) % 2));
    return live.every(({ group }) => {
      const { voters, learners, bonds } = group.stats;
      const isAll = voters.length + learners.length === live.length && bonds === live.length - 1;
      return isAll && voters.length === target;
    });
  }

  async #untilWhole(withinMs: number): Promise<void> {
    await this.#world.until(() => this.#isWhole(), { withinMs, everyMs: 10, what: 'the group is whole' });
  }

  // Clients.

  async #client(name: string): Promise<void> {
    const { runtime } = this.#world;
    while (!this.#isOver) {
      const live = this.#live;
      const node = live[randomInt(runtime, live.length)];
      const isKnown = node === undefined || this.#isHushed || (await this.#operate(name, node));
      // What is not known stays open in the history: long ones with many of those cannot be judged any more.
      const isLong = this.#plan.hushes > 0;
      await this.#world.sleep(runtime.random() * (isKnown || !isLong ? 60 : 4_000));
    }
  }

  /** Returns whether it is known what came of it. */
  async #operate(client: string, node: Node): Promise<boolean> {
    const input = this.#draw();
    const pending = this.#history.invoke(client, input);
    const limit = new AbortController();
    let isEnded = false;
    let isKnown = false;
    const end = (finish: () => void, known: boolean): void => {
      if (isEnded) return;
      finish();
      isEnded = true;
      isKnown = known;
    };
    const run = this.#ask(node, input, limit.signal).then(
      (output) => end(() => pending.ok(output), true),
      (error: unknown) =>
        isWithoutEffect(error) ? end(() => pending.fail(), true) : end(() => pending.unknown(), false),
    );
    const patienceMs = 500 + this.#world.runtime.random() * 5_000;
    // A node that crashes never answers; one that lives is told to give up.
    await Promise.race([run, this.#world.sleep(patienceMs)]);
    if (isEnded) return isKnown;
    limit.abort();
    await Promise.race([run, this.#world.sleep(1)]);
    end(() => pending.unknown(), false);
    return isKnown;
  }

  #draw(): Input {
    const { runtime } = this.#world;
    const key = `k${randomInt(runtime, this.#plan.keys)}`;
    const chance = runtime.random();
    if (chance < 0.4) return { type: 'get', key };
    const value = ++this.#lastValue;
    if (chance < 0.8) return { type: 'put', key, value };
    const from = runtime.random() < 0.2 ? undefined : value - randomInt(runtime, 4);
    return { type: 'cas', key, from, to: value };
  }

  async #ask({ group }: Node, input: Input, signal: AbortSignal): Promise<Output> {
    if (input.type === 'get') {
      const { result } = await group.query({ get: input.key }, 'strong', { signal });
      return result.entries[0]?.value;
    }
    if (input.type === 'put') {
      const { result } = await group.execute({ put: input.key, value: input.value }, { signal });
      return result.before;
    }
    const { key, from, to } = input;
    const { result } = await group.execute({ compareAndSet: key, expected: from, value: to }, { signal });
    return [result.done, result.before];
  }

  // Faults.

  async #disturb(): Promise<void> {
    const { runtime } = this.#world;
    for (let fault = 0; fault < this.#plan.faults; fault++) {
      await this.#world.sleep(200 + runtime.random() * 2_000);
      const isHushed = runtime.random() < this.#plan.hushes;
      if (isHushed) await this.#hush();
      await this.#oneFault();
      if (isHushed) await this.#world.sleep(runtime.random() * 4_000);
      this.#isHushed = false;
    }
    await this.#world.sleep(runtime.random() * 3_000);
  }

  /** Nobody asks for anything: what comes next finds a group that rests, or is about to. */
  async #hush(): Promise<void> {
    this.#isHushed = true;
    await this.#world.sleep(this.#world.runtime.random() * 5_000);
    const resting = this.#live.filter(({ group }) => group.stats.isResting).length;
    this.#rests += resting;
    this.#note(`hushed, ${resting} rest`);
  }

  async #oneFault(): Promise<void> {
    const chance = this.#world.runtime.random();
    if (chance < this.#plan.blackouts) await this.#blackout();
    else if (chance < 0.3) this.#cut();
    else if (chance < 0.6) await this.#crash();
    else if (chance < 0.68) this.#stall();
    else if (chance < 0.75) this.#stallDisk();
    else if (chance < 0.82) await this.#damage();
    else if (chance < 0.89) await this.#leave();
    else if (chance < 0.94) await this.#transfer();
    else this.#world.faults.clear();
  }

  #cut(): void {
    const { runtime, faults } = this.#world;
    const hosts = sample(runtime, this.#world.hosts, this.#world.hosts.length);
    const [a, b] = [
      hosts.slice(0, randomInt(runtime, hosts.length) + 1),
      hosts.slice(randomInt(runtime, hosts.length)),
    ];
    const kind = randomInt(runtime, 4);
    this.#note(`fault ${kind}: ${a.map(({ name }) => name)} | ${b.map(({ name }) => name)}`);
    // Groups that overlap make a partition that is not transitive.
    if (kind === 0) faults.partition(a, b);
    else if (kind === 1)
      faults.oneWay(
        a,
        hosts.filter((host) => !a.includes(host)),
      );
    else if (kind === 2) faults.isolate(hosts[0] as (typeof hosts)[0]);
    else faults.delaySome({ share: 0.2, byMs: 300 });
  }

  async #crash(): Promise<void> {
    const { runtime } = this.#world;
    const { isDurable, count } = this.#plan;
    // What is only in memory is lost with its process: one at a time, and only once the group has made up for the last.
    if (!isDurable && count < 3) return;
    if (!isDurable && !this.#isWhole()) return;
    const index = randomInt(runtime, count);
    const node = this.#nodes[index];
    if (node === undefined) {
      this.#note(`start n${index}`);
      await this.#restart(index);
      return;
    }
    const mode = runtime.random() < 0.5 ? 'kill' : 'powerLoss';
    this.#note(`${mode} n${index}`);
    this.#leaderChanges += node.group.stats.leaderChanges;
    this.#nodes[index] = undefined;
    node.host.crash({ mode });
    if (runtime.random() < 0.5) {
      await this.#world.sleep(runtime.random() * 4_000);
      this.#note(`start n${index}`);
      await this.#restart(index);
    }
  }

  async #restart(index: number): Promise<void> {
    this.#world.hosts[index]?.restart();
    await this.#start(index);
  }

  /** Only disks survive it, and of them what was synced. */
  async #blackout(): Promise<void> {
    if (!this.#plan.isDurable) return;
    this.#note('blackout');
    for (const [index, node] of this.#nodes.entries()) {
      this.#nodes[index] = undefined;
      node?.host.crash({ mode: 'powerLoss' });
    }
    await this.#world.sleep(this.#world.runtime.random() * 1_000);
    for (let index = 0; index < this.#plan.count; index++) await this.#restart(index);
  }

  #stall(): void {
    const live = this.#live;
    const node = live[randomInt(this.#world.runtime, live.length)];
    const durationMs = this.#world.runtime.random() * 6_000;
    this.#note(`stall ${node?.host.name} for ${durationMs.toFixed(0)}`);
    node?.host.stall(durationMs);
  }

  #stallDisk(): void {
    const index = randomInt(this.#world.runtime, this.#plan.count);
    const durationMs = this.#world.runtime.random() * 4_000;
    this.#note(`the disk of n${index} stalls for ${durationMs.toFixed(0)}`);
    this.#disks[index]?.stall(durationMs);
  }

  /** A log that is damaged is lost, as one in memory: see `#crash`. */
  async #damage(): Promise<void> {
    const { isDurable, count } = this.#plan;
    if (!isDurable || count < 3 || !this.#isWhole()) return;
    const index = randomInt(this.#world.runtime, count);
    const node = this.#nodes[index] as Node;
    this.#leaderChanges += node.group.stats.leaderChanges;
    this.#nodes[index] = undefined;
    node.host.crash({ mode: 'kill' });
    const where = this.#disks[index]?.damage();
    this.#note(`kill n${index}, and damage ${where?.file} at ${where?.offset}`);
    await this.#restart(index);
  }

  /** Says goodbye, and comes back. */
  async #leave(): Promise<void> {
    const live = this.#live;
    const { isDurable, count } = this.#plan;
    if (live.length < 3 || (!isDurable && !this.#isWhole())) return;
    const index = randomInt(this.#world.runtime, count);
    const node = this.#nodes[index];
    if (node === undefined) return;
    this.#note(`leave n${index}`);
    this.#leaderChanges += node.group.stats.leaderChanges;
    this.#nodes[index] = undefined;
    await Promise.race([node.close(), this.#world.sleep(10_000)]);
    this.#note(`left n${index}`);
    node.host.crash();
    await this.#world.sleep(this.#world.runtime.random() * 2_000);
    await this.#restart(index);
  }

  async #transfer(): Promise<void> {
    const leader = leaderOf(this.#live);
    this.#note(`transfer from ${leader?.host.name}`);
    const limit = new AbortController();
    const moving = leader?.group.transferLeadership(undefined, { signal: limit.signal }).catch(() => {});
    await Promise.race([moving, this.#world.sleep(2_000)]);
    limit.abort();
  }

  async #heal(): Promise<void> {
    this.#world.faults.clear();
    for (let index = 0; index < this.#plan.count; index++)
      if (this.#nodes[index] === undefined) await this.#restart(index);
  }

  #note(what: string): void {
    const line = `${this.#world.now.toFixed(0)} ${what}`;
    this.#log.push(line);
    if (process.env['SWARM_VERBOSE'] === 'all') process.stderr.write(`${line}\n`);
  }

  // The end.

  async #checkEnd(): Promise<void> {
    const live = this.#live;
    for (const { group } of live) await group.execute({ put: 'end', value: ++this.#lastValue });
    const last = Math.max(...live.map(({ group }) => group.stats.log.applied));
    await this.#world.until(() => live.every(({ group }) => group.stats.log.applied >= last), {
      withinMs: 5_000,
    });
    await this.#world.until(() => live.every(({ group }) => group.why().code === 'ok'), { withinMs: 5_000 });
    const states = await Promise.all(
      live.map(async ({ group }) => JSON.stringify((await group.query({ from: '' }, 'weak')).result)),
    );
    if (new Set(states).size !== 1) throw new Error(`the states differ:\n${states.join('\n')}`);
    for (const { group, host } of live) {
      const { divergence } = group.stats;
      if (divergence !== undefined) throw new Error(`${host.name} diverged at ${divergence.index}`);
      if (group.reverted().length > 0) throw new Error(`${host.name} was reverted`);
    }
  }

  /** Nobody asks for anything any more: the group comes to rest, and misses its leader all the same. */
  async #checkRest(): Promise<void> {
    await this.#world.until(() => this.#live.every(({ group }) => group.stats.isResting), {
      withinMs: 10_000,
      what: 'the group rests',
    });
    const leader = leaderOf(this.#live) as Node;
    const others = this.#live.filter((node) => node !== leader);
    if (others.length === 0) return;
    this.#note(`${leader.host.name} is cut off`);
    const cut = this.#world.faults.isolate(leader.host);
    await this.#world.until(() => leader.group.stats.role !== 'leader', {
      // Silence shows after half a second, and then an election timeout passes: sooner than the bond is given up.
      withinMs: 1_700,
      what: 'a leader that is cut off steps down',
    });
    if (others.length > 1)
      await this.#world.until(() => leaderOf(others) !== undefined, {
        withinMs: 10_000,
        what: 'the others have another leader',
      });
    cut.heal();
    await this.#untilWhole(20_000);
  }
}

/** The log as it is, under another name. */
function withIncarnation(log: LogStorage, incarnation: Incarnation): LogStorage {
  return new Proxy(log, {
    get(target, name) {
      if (name === 'incarnation') return incarnation;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function isWithoutEffect(error: unknown): boolean {
  if (error instanceof GroupOverloadedError) return true;
  if (error instanceof CommandAbortedError || error instanceof GroupClosedError)
    return error.unknown.length === 0;
  return false;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
