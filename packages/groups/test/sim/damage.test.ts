import { createDisk, type Disk, type World } from '@mosaik/testing';
import { describe, expect, it } from 'vitest';
import { keyValue } from '../../src/machine/index.ts';
import type { ConsensusOptions } from '../../src/options.ts';
import { simulated } from '../../src/storage/simulated/index.ts';
import { type LogRecord, readRecords } from '../../src/storage/simulated/records.ts';
import { inWorld } from '../support/world.ts';
import { describe as describeNodes, isFormed, leaderOf, type Node, startNode } from './cluster.ts';

/** Members that come late pull entries, and from no leader's memory; … */
const ENTRIES: ConsensusOptions = { retainBytes: 1 };
/** … or a snapshot first. */
const SNAPSHOTS: ConsensusOptions = {
  retainBytes: 1,
  snapshotEvery: 40,
  retainEntries: 10,
  retainPulledEntries: 0,
};

/** Three members with a log on a disk each. */
class Cluster {
  readonly world: World;
  readonly nodes: Node[] = [];
  readonly disks: Disk[] = [];

  readonly #consensus: ConsensusOptions;

  constructor(world: World, consensus: ConsensusOptions) {
    this.world = world;
    this.#consensus = consensus;
  }

  async start(index: number, contact = index === 0 ? 'n1' : 'n0'): Promise<Node> {
    const { runtime } = this.world;
    const host = this.world.hosts[index] ?? this.world.host(`n${index}`);
    this.disks[index] ??= createDisk(host, { runtime });
    const node = await startNode(this.world, `n${index}`, {
      bootstrap: [`sim://${contact}`],
      storage: simulated(this.disks[index]),
      consensus: this.#consensus,
    });
    this.nodes[index] = node;
    return node;
  }

  async startAll(count: number): Promise<Node[]> {
    for (let index = 0; index < count; index++) await this.start(index);
    await this.untilFormed();
    return this.nodes;
  }

  async untilFormed(): Promise<void> {
    const { nodes } = this;
    const voters = nodes.length === 4 ? 3 : nodes.length;
    await this.world
      .until(() => isFormed(nodes, voters), { withinMs: 20_000 })
      .catch((error) => {
        throw new Error(`${error.message}\n${describeNodes(nodes)}`);
      });
  }

  damage(index: number, fits: (record: LogRecord) => boolean): void {
    damage(this.disks[index] as Disk, fits);
  }
}

/** Flips a bit in each record of a log that fits. */
function damage(disk: Disk, fits: (record: LogRecord) => boolean): void {
  const { records } = readRecords(disk.read('log') ?? new Uint8Array());
  const fitting = records.filter(({ record }) => fits(record));
  expect(fitting.length).toBeGreaterThan(0);
  for (const { place } of fitting) disk.damage({ file: 'log', offset: place.to - 3 });
}

/** A state of some chunks, snapshots of it, and entries after the last of them. */
async function fill({ group }: Node): Promise<void> {
  for (let from = 0; from < 8_000; from += 1_000)
    await group.executeMany(
      Array.from({ length: 1_000 }, (_, place) => ({ put: `${'k'.repeat(90)}${from + place}`, value: 0 })),
    );
  for (let value = 0; value < 90; value++) await group.execute({ put: 'x', value });
}

async function readX({ group }: Node): Promise<number | undefined> {
  return (await group.query({ get: 'x' }, 'strong')).result.entries[0]?.value;
}

const isEntries = (record: LogRecord): boolean =>
  record.kind === 'batch' && record.batch.entries?.some(({ kind }) => kind === 'command') === true;

const isLateChunk = (record: LogRecord): boolean => record.kind === 'chunk' && record.position >= 2;

/** Three members: the leader, and one that follows, whose log is to be damaged. */
async function startThree(cluster: Cluster): Promise<{ leader: Node; index: number; victim: Node }> {
  await cluster.startAll(3);
  const leader = leaderOf(cluster.nodes) as Node;
  const index = cluster.nodes.findIndex((node) => node !== leader);
  return { leader, index, victim: cluster.nodes[index] as Node };
}

describe('a log that is damaged', () => {
  it('in a later chunk of its snapshot is put aside at the start, and its node learns from the others', () =>
    inWorld({ seed: 1 }, async (world) => {
      const cluster = new Cluster(world, SNAPSHOTS);
      const [first, , third] = (await cluster.startAll(3)) as [Node, Node, Node];
      await fill(first);
      const { member } = third.group.stats;
      await world.until(() => third.group.stats.log.applied === first.group.stats.log.applied, {
        withinMs: 5_000,
      });
      third.host.crash({ mode: 'kill' });
      cluster.damage(2, isLateChunk);
      third.host.restart();
      const back = await cluster.start(2);
      expect(back.group.stats.damagedLog).toBe('log.damaged-1');
      expect(back.group.stats.member).not.toBe(member);
      await cluster.untilFormed();
      expect(await readX(back)).toBe(89);
    }));

  it('in an entry that others ask for is put aside at once, and the handle goes on as another member', () =>
    inWorld({ seed: 2 }, async (world) => {
      const cluster = new Cluster(world, ENTRIES);
      const { index, victim } = await startThree(cluster);
      for (let value = 0; value < 30; value++) await victim.group.execute({ put: 'x', value });
      const { member, log } = victim.group.stats;
      const reasons = record(victim);
      cluster.damage(index, isEntries);
      await cluster.start(3);
      const results: (number | undefined)[] = [];
      for (let value = 30; value < 60; value++)
        results.push((await victim.group.execute({ put: 'x', value })).result.before);
      await cluster.untilFormed();
      // Each was applied once, in order, whichever of the two members sent it.
      expect(results).toEqual(Array.from({ length: 30 }, (_, place) => 29 + place));
      expect(victim.group.stats.member).not.toBe(member);
      expect(victim.group.stats.damagedLog).toBe('log.damaged-1');
      expect(victim.group.stats.log.applied).toBeGreaterThan(log.applied);
      expect(reasons.get('damaged')).toMatch(/checksum.*; catching up, the log is at log\.damaged-1/);
      expect(reasons.has('failed')).toBe(false);
      expect(victim.group.why().code).toBe('ok');
      expect(await readX(victim)).toBe(59);
      await Promise.all(cluster.nodes.map((node) => node.close()));
    }));

  it('is made up for with a snapshot from before the session of its member, whose commands go on', () =>
    inWorld({ seed: 5 }, async (world) => {
      const cluster = new Cluster(world, SNAPSHOTS);
      const { leader, index, victim } = await startThree(cluster);
      for (let value = 0; value < 50; value++) await leader.group.execute({ put: 'x', value });
      await victim.group.execute({ put: 'y', value: 0 });
      const { member } = victim.group.stats;
      cluster.damage(index, ({ kind }) => kind === 'chunk');
      // Only the leader can be asked besides, and it comes last.
      const third = cluster.nodes.find((node) => node !== leader && node !== victim) as Node;
      const cut = world.faults.partition([world.host('n3')], [third.host]);
      await cluster.start(3, victim.host.name);
      const results: Promise<number | undefined>[] = [];
      const execute = async (value: number): Promise<number | undefined> =>
        (await victim.group.execute({ put: 'y', value })).result.before;
      // Always some under way, and too few for another snapshot.
      for (let value = 1; value <= 20; value++) {
        results.push(execute(value));
        await world.sleep(20);
      }
      expect(await Promise.all(results)).toEqual(Array.from({ length: 20 }, (_, value) => value));
      expect(victim.group.stats.member).not.toBe(member);
      expect(victim.group.stats.snapshotsPulled).toBe(1);
      cut.heal();
      await cluster.untilFormed();
    }));

  it('in a chunk that others ask for of a leader ends its leadership at once', () =>
    inWorld({ seed: 3 }, async (world) => {
      const cluster = new Cluster(world, SNAPSHOTS);
      await cluster.startAll(3);
      const leader = leaderOf(cluster.nodes) as Node;
      await fill(leader);
      await cluster.untilFormed();
      const index = cluster.nodes.indexOf(leader);
      const { member } = leader.group.stats;
      cluster.damage(index, isLateChunk);
      // Only the leader can be asked.
      const others = cluster.nodes.filter((node) => node !== leader).map(({ host }) => host);
      const cut = world.faults.partition([world.host('n3')], others);
      const discarded = leader.group.when().isLeader().unmet();
      await cluster.start(3, leader.host.name);
      await discarded;
      expect(leader.group.why().code).toBe('damaged');
      const rest = cluster.nodes.filter((node) => others.includes(node.host));
      await world.until(() => leaderOf(rest) !== undefined, { withinMs: 2_000 });
      cut.heal();
      await cluster.untilFormed();
      expect(leader.group.stats.member).not.toBe(member);
      expect(cluster.nodes.map((node) => node.group.stats.damagedLog !== undefined)).toEqual(
        cluster.nodes.map((node) => node === leader),
      );
      for (const node of cluster.nodes) expect(await readX(node)).toBe(89);
    }));

  it('of a member that is closed while it is put aside is released', () =>
    inWorld({ seed: 6 }, async (world) => {
      const cluster = new Cluster(world, ENTRIES);
      const { index, victim } = await startThree(cluster);
      for (let value = 0; value < 30; value++) await victim.group.execute({ put: 'x', value });
      cluster.damage(index, isEntries);
      const closed = new Promise<void>((resolve) => {
        const { group } = victim;
        // Told of every change.
        group.bonds().subscribe(() => {
          if (group.why().text.includes('is being put aside'))
            resolve(group.close({ signal: AbortSignal.abort() }));
        });
      });
      const late = cluster.start(3);
      await closed;
      expect(victim.group.stats.damagedLog).toBe('log.damaged-1');
      await late;
      const group = await victim.groups.join({
        key: 'sim',
        machine: keyValue<number>(),
        storage: simulated(cluster.disks[index] as Disk),
      });
      cluster.nodes[index] = { ...victim, group };
      await cluster.untilFormed();
      expect(await readX(cluster.nodes[index])).toBe(29);
    }));

  it('of a history that lost is put aside all the same, and none of its commands is told', () =>
    inWorld({ seed: 7 }, async (world) => {
      const old = await startNode(world, 'n0');
      await old.group.execute({ put: 'x', value: 1 });
      const host = world.host('n1');
      const disk = createDisk(host, { runtime: world.runtime });
      const young = await startNode(world, 'n1', { storage: simulated(disk) });
      for (let value = 2; value < 10; value++) await young.group.execute({ put: 'x', value });
      const { lastIndex } = young.group.stats.log;
      damage(disk, isEntries);
      await old.discovery.dial('sim://n1');
      await young.group.when().reverted();
      expect(young.group.reverted()).toMatchObject([
        { commands: [], upTo: lastIndex, where: 'log.reverted-1' },
      ]);
      await world.until(() => isFormed([old, young], 2), { withinMs: 10_000 });
      expect(await readX(young)).toBe(1);
    }));

  it('of a member that has nobody to learn from makes it fail', () =>
    inWorld({ seed: 4 }, async (world) => {
      const cluster = new Cluster(world, ENTRIES);
      const [only] = (await cluster.startAll(1)) as [Node];
      for (let value = 0; value < 30; value++) await only.group.execute({ put: 'x', value });
      const { member } = only.group.stats;
      cluster.damage(0, isEntries);
      await cluster.start(1);
      await only.group.when().failed();
      expect(only.group.why()).toMatchObject({ code: 'failed', text: expect.stringMatching(/damaged/) });
      expect(only.group.stats).toMatchObject({ member, damagedLog: undefined });
    }));
});

/** The reasons that a member gives, with their last texts. */
function record({ group }: Node): ReadonlyMap<string, string> {
  const reasons = new Map<string, string>();
  group.log().subscribe(() => reasons.set(group.why().code, group.why().text));
  return reasons;
}
