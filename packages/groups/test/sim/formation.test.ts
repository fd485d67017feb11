import { describe, expect, it } from 'vitest';
import { inWorld } from '../support/world.ts';
import { describe as describeNodes, isFormed, leaderOf, startCluster } from './cluster.ts';

describe('a group', () => {
  it.each([1, 2, 3, 4, 5, 7])('of %i forms and runs commands', async (count) => {
    await inWorld({ seed: count }, async (world) => {
      const nodes = await startCluster(world, count);
      const startedAtMs = world.now;
      const voters = count === 4 ? 3 : Math.min(count, 5);
      await world
        .until(() => isFormed(nodes, voters), { withinMs: 10_000 })
        .catch((error) => {
          throw new Error(`${error.message}\n${describeNodes(nodes)}`);
        });
      console.log(`${count} formed after ${(world.now - startedAtMs).toFixed(0)} ms`);
      for (const [index, { group }] of nodes.entries()) {
        const before = world.now;
        const { result } = await group.execute({ put: 'x', value: index });
        expect(result).toEqual(index === 0 ? { done: true } : { done: true, before: index - 1 });
        expect(world.now - before).toBeLessThan(20);
        const { result: answer } = await group.query({ get: 'x' }, 'strong');
        expect(answer.entries[0]?.value).toBe(index);
      }
      expect(leaderOf(nodes)?.group.why().code).toBe('ok');
    });
  });
});
