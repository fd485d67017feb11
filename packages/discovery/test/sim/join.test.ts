import { describe, expect, it } from 'vitest';
import { inWorld, isConverged, knowEachOther, startCluster } from './cluster.ts';

/** A thousand take a minute; `npm run sim` has it. */
const COUNTS = process.env['MOSAIK_SIM'] === 'long' ? [2, 10, 100, 1_000] : [2, 10, 100, 250];

describe('nodes that are told one random address each', () => {
  it.each(COUNTS)(
    '%i of them have equal catalogs within 10 s of the last join',
    async (count) => {
      await inWorld({ seed: count }, async (world) => {
        const nodes = await startCluster(world, count, { everyMs: 5 });
        const joinedAtMs = world.now;
        // To look at a million entries after each event would take longer than the events.
        const everyMs = count / 50;
        await world.until(() => knowEachOther(nodes), { withinMs: 10_000, everyMs });
        await world.until(() => isConverged(nodes), { withinMs: 10_000, everyMs });
        const { events, gossip } = world.stats;
        console.log(
          `${count} nodes: equal ${(world.now - joinedAtMs).toFixed(0)} ms after the last join; ${events} events, ${gossip.messages} messages of gossip`,
        );
        expect(world.now - joinedAtMs).toBeLessThanOrEqual(10_000);
      });
    },
    300_000,
  );
});
