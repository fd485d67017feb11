import { describe, expect, it } from 'vitest';
import { inWorld } from '../support/world.ts';
import { isFormed, leaderOf, type Node, startNode } from './cluster.ts';

describe('members that are reluctant to lead', () => {
  // Whom of two such a leader prefers depends on their ids, and so on the seed.
  it.each([1, 2, 3, 4, 5, 6])('hand over to one that is not, and not to each other (seed %i)', (seed) =>
    inWorld({ seed }, async (world) => {
      const nodes: Node[] = [];
      for (const [index, leadership] of ([{ reluctant: 3 }, { reluctant: 3 }, 'normal'] as const).entries()) {
        const bootstrap = index === 0 ? [] : ['sim://n0'];
        nodes.push(
          await startNode(world, `n${index}`, { bootstrap, leadership, consensus: { founders: 3 } }),
        );
      }
      const normal = nodes[2] as Node;
      await world.until(() => isFormed(nodes, 3) && leaderOf(nodes) === normal, { withinMs: 10_000 });
      const { term } = normal.group.stats;
      // One to be elected, and one for each hand-over, of which some may be lost to the formation.
      expect(term).toBeLessThan(8);
      await world.sleep(5_000);
      expect(normal.group.stats).toMatchObject({ role: 'leader', term });
    }),
  );
});
