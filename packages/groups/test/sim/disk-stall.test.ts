import { createDisk, type Disk, type World } from '@mosaik/testing';
import { describe, expect, it } from 'vitest';
import { simulated } from '../../src/storage/simulated/index.ts';
import { inWorld } from '../support/world.ts';
import { isFormed, leaderOf, type Node, startNode } from './cluster.ts';

const STALL_MS = 4_000;
const ELECTION_TIMEOUT_MS = 600;

interface Scene {
  readonly nodes: readonly Node[];
  readonly leader: Node;
  readonly others: readonly Node[];
  diskOf(node: Node): Disk;
}

async function threeOnDisks(world: World): Promise<Scene> {
  const nodes: Node[] = [];
  const disks = new Map<Node, Disk>();
  for (const name of ['n0', 'n1', 'n2']) {
    const disk = createDisk(world.host(name), { runtime: world.runtime });
    const consensus = { electionTimeoutMs: ELECTION_TIMEOUT_MS };
    const node = await startNode(world, name, {
      bootstrap: ['sim://n0'],
      storage: simulated(disk),
      consensus,
    });
    nodes.push(node);
    disks.set(node, disk);
  }
  await world.until(() => isFormed(nodes, 3), { withinMs: 10_000 });
  const leader = leaderOf(nodes) as Node;
  const others = nodes.filter((node) => node !== leader);
  return { nodes, leader, others, diskOf: (node) => disks.get(node) as Disk };
}

/** Executes one command after the other; returns how long the slowest took. */
async function slowestOf(world: World, { group }: Node, untilMs: number): Promise<number> {
  let slowestMs = 0;
  for (let value = 0; world.now < untilMs; value++) {
    const sinceMs = world.now;
    expect((await group.execute({ put: 'y', value })).result.before).toBe(
      value === 0 ? undefined : value - 1,
    );
    slowestMs = Math.max(slowestMs, world.now - sinceMs);
    await world.sleep(20);
  }
  return slowestMs;
}

describe('a disk that stalls', () => {
  it('of a leader makes it hand over, in one election, and answer when the disk is back', () =>
    inWorld({ seed: 1 }, async (world) => {
      const { nodes, leader, others, diskOf } = await threeOnDisks(world);
      const [witness] = others as [Node];
      const { term } = witness.group.stats;
      const bonds = nodes.map(({ group }) => group.bonds().value.map(({ bondedAtMs }) => bondedAtMs));
      diskOf(leader).stall(STALL_MS);
      const stalledAtMs = world.now;
      let answeredAtMs: number | undefined;
      const own = leader.group.execute({ put: 'x', value: 1 }).then((executed) => {
        answeredAtMs = world.now;
        return executed;
      });
      await world.until(() => others.some(isLeading), { withinMs: 2 * ELECTION_TIMEOUT_MS });
      // It has asked the other to stand: nobody had to miss it first.
      expect(world.now - stalledAtMs).toBeLessThan(ELECTION_TIMEOUT_MS + 200);
      expect(witness.group.stats.term).toBe(term + 1);
      const slowestMs = await slowestOf(world, witness, stalledAtMs + STALL_MS - 500);
      expect(slowestMs).toBeLessThan(200);
      expect(answeredAtMs).toBeUndefined();
      expect((await own).result).toEqual({ done: true });
      expect(answeredAtMs).toBeGreaterThanOrEqual(stalledAtMs + STALL_MS);
      // Nobody took anybody for dead meanwhile.
      expect(nodes.map(({ group }) => group.bonds().value.map(({ bondedAtMs }) => bondedAtMs))).toEqual(
        bonds,
      );
      expect(witness.group.stats.term).toBe(term + 1);
      await world.until(() => isFormed(nodes, 3), { withinMs: 10_000 });
      for (const { group } of nodes) {
        await group.when().online();
        expect((await group.query({ get: 'x' }, 'strong')).result.entries[0]?.value).toBe(1);
      }
    }));

  it('of a follower holds up nobody', () =>
    inWorld({ seed: 2 }, async (world) => {
      const { nodes, leader, others, diskOf } = await threeOnDisks(world);
      const [slow, witness] = others as [Node, Node];
      const { term } = leader.group.stats;
      diskOf(slow).stall(STALL_MS);
      const slowestMs = await slowestOf(world, witness, world.now + STALL_MS - 500);
      expect(slowestMs).toBeLessThan(100);
      expect(isLeading(leader)).toBe(true);
      expect(slow.group.stats).toMatchObject({ term, bonds: 2 });
      await world.until(() => isFormed(nodes, 3), { withinMs: 10_000 });
      expect(leader.group.stats.term).toBe(term);
    }));
});

function isLeading({ group }: Node): boolean {
  return group.stats.role === 'leader';
}
