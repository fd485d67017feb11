import { describe, expect, it } from 'vitest';
import { inWorld } from '../support/world.ts';
import { leaderOf, startCluster } from './cluster.ts';

describe('a founder', () => {
  // The first voters are known to their founder alone until they are in the log, which takes a look at who votes.
  it.each([1, 2, 3, 4, 5, 6])(
    'that leaves as soon as it leads leaves a group that goes on (seed %i)',
    (seed) =>
      inWorld({ seed }, async (world) => {
        const nodes = await startCluster(world, 3, { consensus: { founders: 3 } });
        await world.until(() => leaderOf(nodes) !== undefined);
        const leader = leaderOf(nodes);
        await leader?.group.execute({ put: 'x', value: 1 });
        await leader?.close();
        const [other, another] = nodes.filter((node) => node !== leader);
        await other?.group.execute({ put: 'y', value: 2 });
        const { result } = (await another?.group.query({ get: 'x' }, 'strong')) ?? {};
        expect(result?.entries[0]?.value).toBe(1);
      }),
  );
});
