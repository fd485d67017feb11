import type { World } from '@mosaik/testing';
import { eachSeed } from '@mosaik/testing/seeds';
import { describe, expect, it } from 'vitest';
import type { ConsensusOptions } from '../../src/options.ts';
import { inWorld } from '../support/world.ts';
import { describe as describeNodes, isFormed, type Node, startCluster, startNode } from './cluster.ts';

/** A snapshot every 40 entries, and little kept below it. */
const PRUNING: ConsensusOptions = { retainBytes: 1_000, snapshotEvery: 40, retainEntries: 10 };
const KEYS = 15_000;

/** Three members with a state of about 1.5 MB, half a dozen chunks, and a slow way to a fourth host. */
async function laden(
  world: World,
  { bytesPerSecond, consensus = {} }: { bytesPerSecond: number; consensus?: ConsensusOptions },
): Promise<{ nodes: Node[]; late: Node }> {
  const all = { ...PRUNING, ...consensus };
  const nodes = await startCluster(world, 3, { consensus: all });
  await world.until(() => isFormed(nodes, 3), { withinMs: 10_000 });
  for (let from = 0; from < KEYS; from += 1_000)
    await nodes[0]?.group.executeMany(
      Array.from({ length: 1_000 }, (_, place) => ({ put: `${'k'.repeat(90)}${from + place}`, value: 0 })),
    );
  // A snapshot that has all of it.
  for (let value = 0; value < 40; value++) await nodes[0]?.group.execute({ put: 'x', value });
  const hosts = nodes.map(({ host }) => host);
  world.faults.slow(world.host('late'), hosts, { bytesPerSecond });
  const late = await startNode(world, 'late', { bootstrap: ['sim://n0'], consensus: all });
  return { nodes, late };
}

/** Runs something while one command after the other is executed, so many entries a second. */
async function underLoad(world: World, { group }: Node, during: () => Promise<void>): Promise<void> {
  let isOver = false;
  const load = (async () => {
    for (let value = 0; !isOver; value++) {
      await group.execute({ put: 'x', value });
      await world.sleep(10);
    }
  })();
  await during();
  isOver = true;
  await load;
}

function hasCaughtUp(late: Node, [first]: readonly Node[]): boolean {
  return late.group.stats.log.applied + 20 >= (first as Node).group.stats.log.applied;
}

async function untilCaughtUp(world: World, late: Node, nodes: readonly Node[]): Promise<number> {
  const sinceMs = world.now;
  await world
    .until(() => hasCaughtUp(late, nodes), { withinMs: 20_000 })
    .catch((error) => {
      throw new Error(`${error.message}\n${describeNodes([...nodes, late])}`);
    });
  return world.now - sinceMs;
}

describe('a late member', () => {
  // The snapshot takes longer than the entries after it are kept: each time it has one, what follows would be gone everywhere.
  it('catches up though the log grows faster than it pulls the state', async () => {
    const tookMs: number[] = [];
    await eachSeed({ count: 3, long: 50, share: 0.05 }, (seed) =>
      inWorld({ seed: `late ${seed}` }, async (world) => {
        const { nodes, late } = await laden(world, { bytesPerSecond: 400_000 });
        await underLoad(world, nodes[1] as Node, async () => {
          tookMs.push(await untilCaughtUp(world, late, nodes));
        });
        expect(late.group.stats.snapshotsPulled).toBe(1);
      }),
    );
    console.log(`caught up after ${tookMs.map((ms) => ms.toFixed(0))} ms`);
  }, 60_000);

  // What the option is for, and the proof that the one above would notice.
  it(
    'would not without the entries that are kept for it',
    () =>
      inWorld({ seed: 1 }, async (world) => {
        const { nodes, late } = await laden(world, {
          bytesPerSecond: 400_000,
          consensus: { retainPulledEntries: 0 },
        });
        await underLoad(world, nodes[1] as Node, () => world.sleep(5_000));
        expect(late.group.stats.snapshotsPulled).toBeGreaterThan(1);
        expect(hasCaughtUp(late, nodes)).toBe(false);
      }),
    60_000,
  );

  it(
    'catches up though each chunk takes longer than an answer is waited for',
    () =>
      inWorld({ seed: 1 }, async (world) => {
        const { nodes, late } = await laden(world, { bytesPerSecond: 100_000 });
        console.log(`caught up after ${(await untilCaughtUp(world, late, nodes)).toFixed(0)} ms`);
        expect(late.group.stats.snapshotsPulled).toBe(1);
      }),
    60_000,
  );
});
