import { describe, expect, it } from 'vitest';
import { inWorld, isConverged, knowEachOther, startCluster } from './cluster.ts';

describe('nodes that are told one address each', () => {
  it.each([2, 10, 100])(
    '%i of them know each other within 10 s of the last join',
    async (count) => {
      await inWorld({ seed: count }, async (world) => {
        const nodes = await startCluster(world, count);
        const joinedAtMs = world.now;
        await world.until(() => knowEachOther(nodes), { withinMs: 10_000 });
        await world.until(() => isConverged(nodes), { withinMs: 10_000 });
        console.log(
          `${count} nodes: equal ${(world.now - joinedAtMs).toFixed(0)} ms after the last join, events ${world.stats.events}`,
        );
        expect(world.now - joinedAtMs).toBeLessThanOrEqual(10_000);
      });
    },
    60_000,
  );
});
