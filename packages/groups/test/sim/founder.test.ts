import type { World } from '@mosaik/testing';
import { describe, expect, it } from 'vitest';
import { inWorld } from '../support/world.ts';
import { leaderOf, type Node, startCluster } from './cluster.ts';

/** Loses the founder of three when it has acknowledged its first command; the others then have to go on with that. */
async function withoutFounder(world: World, lose: (founder: Node) => Promise<void>): Promise<void> {
  const nodes = await startCluster(world, 3, { consensus: { founders: 3 } });
  await world.until(() => leaderOf(nodes) !== undefined);
  const founder = leaderOf(nodes) as Node;
  await founder.group.execute({ put: 'x', value: 1 });
  expect(founder.group.stats.voters).toHaveLength(3);
  await lose(founder);
  const [other, another] = nodes.filter((node) => node !== founder) as [Node, Node];
  await other.group.execute({ put: 'y', value: 2 });
  const { result } = await another.group.query({ get: 'x' }, 'strong');
  expect(result.entries[0]?.value).toBe(1);
}

// The first voters are known to their founder alone until they are in the log.
describe.each([1, 2, 3, 4, 5, 6, 7, 8])('a founder (seed %i)', (seed) => {
  it('that leaves as soon as it leads leaves a group that goes on', () =>
    inWorld({ seed }, (world) => withoutFounder(world, (founder) => founder.close())));

  it('that crashes as soon as it has acknowledged a command leaves a group that goes on', () =>
    inWorld({ seed }, (world) => withoutFounder(world, async ({ host }) => void host.crash())));
});
