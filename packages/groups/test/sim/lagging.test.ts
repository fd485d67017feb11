import { createDisk, type World } from '@mosaik/testing';
import { describe, expect, it } from 'vitest';
import { simulated } from '../../src/storage/simulated/index.ts';
import { inWorld } from '../support/world.ts';
import { isFormed, leaderOf, type Node, startNode } from './cluster.ts';

/** More than are missing while the disk works, and fewer than come in while it stalls. */
const BEHIND = 10;

/** Three on disks, one of which can be made to stall. */
async function threeOnDisks(world: World) {
  const disks = ['n0', 'n1', 'n2'].map((name) => createDisk(world.host(name), { runtime: world.runtime }));
  const nodes: Node[] = [];
  for (const [index, disk] of disks.entries()) {
    const bootstrap = index === 0 ? [] : ['sim://n0'];
    const consensus = { demoteBehindEntries: BEHIND };
    nodes.push(await startNode(world, `n${index}`, { bootstrap, storage: simulated(disk), consensus }));
  }
  await world.until(() => isFormed(nodes, 3), { withinMs: 10_000 });
  return { nodes, disks };
}

async function put(node: Node, count: number): Promise<void> {
  for (let value = 0; value < count; value++) await node.group.execute({ put: 'x', value });
}

describe('a voter that lags', () => {
  it('is demoted though it answers, and votes again when it has caught up', () =>
    inWorld({ seed: 1 }, async (world) => {
      const { nodes, disks } = await threeOnDisks(world);
      const leader = leaderOf(nodes) as Node;
      const index = nodes.findIndex((node) => node !== leader);
      const slow = nodes[index] as Node;
      const { member } = slow.group.stats;
      disks[index]?.stall(3_000);
      const stalledAtMs = world.now;
      await put(leader, 3 * BEHIND);
      await world.until(() => leader.group.stats.learners.includes(member as never), { withinMs: 1_000 });
      expect(leader.group.stats.voters).toHaveLength(2);
      // Not for silence: that takes longer, and it answers.
      expect(world.now - stalledAtMs).toBeLessThan(1_500);
      expect(slow.group.stats.bonds).toBe(2);
      await world.until(() => leader.group.stats.voters.length === 3, { withinMs: 5_000 });
      expect(world.now - stalledAtMs).toBeGreaterThanOrEqual(3_000);
      expect(slow.group.stats.member).toBe(member);
    }));

  it('stays a voter as long as it lacks no more than it may', () =>
    inWorld({ seed: 1 }, async (world) => {
      const { nodes, disks } = await threeOnDisks(world);
      const leader = leaderOf(nodes) as Node;
      disks[nodes.findIndex((node) => node !== leader)]?.stall(3_000);
      // What opens a session, and says that it lives, are entries, too.
      await put(leader, BEHIND - 3);
      await world.sleep(2_000);
      expect(leader.group.stats.voters).toHaveLength(3);
    }));
});
