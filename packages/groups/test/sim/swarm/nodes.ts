import { createDisk, type Disk, type World } from '@mosaik/testing';
import { keyValue } from '../../../src/machine/index.ts';
import { voterTarget } from '../../../src/membership/plan.ts';
import { memory } from '../../../src/storage/memory.ts';
import { simulated } from '../../../src/storage/simulated/index.ts';
import type { Incarnation, LogStorage, Storage } from '../../../src/storage/storage.ts';
import { Violation } from '../../raft/sim/oracle.ts';
import { describe as describeNodes, leaderOf, type Node, startNode } from '../cluster.ts';
import type { Mutant, Plan } from './plan.ts';
import { Watch } from './watch.ts';

/** The nodes of a swarm, up or down, each with its disk. */
export class Nodes {
  readonly world: World;
  readonly plan: Plan;
  readonly watch: Watch = new Watch();
  readonly #mutant: Mutant;
  readonly #nodes: (Node | undefined)[] = [];
  readonly #disks: Disk[] = [];
  readonly #log: string[] = [];
  #leaderChanges = 0;

  constructor(world: World, plan: Plan, mutant: Mutant) {
    this.world = world;
    this.plan = plan;
    this.#mutant = mutant;
  }

  /** Those that are up. */
  get live(): Node[] {
    return this.#nodes.filter((node) => node !== undefined);
  }

  /** All that there are, up or down. */
  get size(): number {
    return this.#nodes.length;
  }

  get leaderChanges(): number {
    return this.#leaderChanges + Math.max(0, ...this.live.map(({ group }) => group.stats.leaderChanges));
  }

  /** Members that vote when all is well. */
  get voters(): number {
    const { preferences } = this.plan;
    const observers = preferences.slice(0, this.size).filter((preference) => preference === 'observer');
    return voterTarget(this.size - observers.length, 5);
  }

  /** Those that have no history yet, or none any more, up or down. */
  get beginners(): number {
    const isNew = (node: Node | undefined): boolean =>
      node === undefined ? !this.plan.isDurable : node.group.stats.log.lastIndex === 0;
    return this.#nodes.filter(isNew).length;
  }

  get(index: number): Node | undefined {
    return this.#nodes[index];
  }

  disk(index: number): Disk | undefined {
    return this.#disks[index];
  }

  /** One more, on a host of its own. */
  async add(): Promise<void> {
    const index = this.size;
    const { runtime } = this.world;
    const clock = { skewMs: 4_000 * (runtime.random() - 0.5), driftPpm: 400 * (runtime.random() - 0.5) };
    const host = this.world.host(`n${index}`, clock);
    this.#disks.push(createDisk(host, { runtime, syncMs: this.plan.syncMs }));
    this.#nodes.push(undefined);
    await this.#start(index);
  }

  /** Ends one, in whatever way; it is no longer among those that are up. */
  take(index: number): Node | undefined {
    const node = this.#nodes[index];
    this.#leaderChanges += node?.group.stats.leaderChanges ?? 0;
    this.#nodes[index] = undefined;
    return node;
  }

  async restart(index: number): Promise<void> {
    this.note(`start n${index}`);
    this.world.hosts[index]?.restart();
    await this.#start(index);
  }

  async restartAll(): Promise<void> {
    for (let index = 0; index < this.size; index++)
      if (this.#nodes[index] === undefined) await this.restart(index);
  }

  /** Everybody is up, agrees on the leader, is counted in, and as many vote as should. */
  isWhole(): boolean {
    this.look();
    const { live, voters: target } = this;
    if (live.length < this.size || leaderOf(live) === undefined) return false;
    return live.every(({ group }) => {
      const { voters, learners, bonds } = group.stats;
      const isAll = voters.length + learners.length === live.length && bonds === live.length - 1;
      return isAll && voters.length === target;
    });
  }

  async untilWhole(withinMs: number): Promise<void> {
    await this.until(() => this.isWhole(), { withinMs, everyMs: 10, what: 'the group is whole' });
  }

  /** What has to come about, and when. */
  async until(
    predicate: () => boolean,
    options: { readonly withinMs: number; readonly what: string; readonly everyMs?: number },
  ): Promise<void> {
    const { what, withinMs } = options;
    const inTime = this.world.until(predicate, options).then(
      () => true,
      () => false,
    );
    if (!(await inTime)) throw new Violation('progress', `not within ${withinMs} ms: ${what}`);
  }

  /** What members tell of themselves that must not be. */
  look(): void {
    for (const { group, host } of this.live) {
      const { divergence } = group.stats;
      const { code, text } = group.why();
      this.watch.judge(() => {
        if (divergence !== undefined)
          throw new Violation('equal states', `${host.name} diverged at ${divergence.index}`);
        if (code === 'failed') throw new Violation('soundness', `${host.name}: ${text}`);
      });
    }
  }

  note(what: string): void {
    const line = `${this.world.now.toFixed(0)} ${what}`;
    this.#log.push(line);
    if (process.env['SWARM_VERBOSE'] === 'all') process.stderr.write(`${line}\n`);
  }

  describe(): string {
    return `${this.#log.join('\n')}\n${describeNodes(this.live)}`;
  }

  async #start(index: number): Promise<void> {
    const { count, preferences, demoteBehindEntries } = this.plan;
    const { snapshotEvery, retainEntries, retainBytes, retainPulledEntries } = this.plan;
    const { rules } = this.#mutant;
    const watch = this.watch.node();
    const others = Array.from({ length: this.size }, (_, other) => `sim://n${other}`);
    this.#nodes[index] = await startNode(this.world, `n${index}`, {
      bootstrap: others.filter((_, other) => other !== index),
      storage: this.#storageOf(index),
      rules: { ...rules, quiescence: { restMs: this.plan.restMs, ...rules?.quiescence } },
      watchCore: (raft, began) => watch.core(raft, began),
      consensus: {
        founders: count,
        demoteBehindEntries,
        snapshotEvery,
        retainEntries,
        retainBytes,
        retainPulledEntries,
        compareStateEvery: 16,
      },
      join: { machine: { ...watch.machine(keyValue<number>()), leadership: preferences[index] } },
    });
  }

  #storageOf(index: number): Storage {
    const { syncsFirst = true, keepsIdentity = false } = this.#mutant;
    const disk = this.#disks[index] as Disk;
    const storage = this.plan.isDurable ? simulated(disk, { rules: { syncsFirst } }) : memory();
    if (!keepsIdentity) return storage;
    const incarnation = `${index}`.padStart(32, 'a') as Incarnation;
    return {
      durability: storage.durability,
      description: storage.description,
      setAside: (reason) => storage.setAside(reason),
      open: async (options) => withIncarnation(await storage.open(options), incarnation),
    };
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
