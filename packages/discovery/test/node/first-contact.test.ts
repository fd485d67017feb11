import { it } from 'vitest';
import { createDiscovery } from '../../src/index.ts';
import { inWorld, knowEachOther, startNode } from '../sim/cluster.ts';

it.each([1, 2, 3, 4, 5])(
  'catalogs are compared on a connection that discovery did not ask for, at once (%i)',
  async (seed) => {
    await inWorld({ seed: `first contact ${seed}` }, async (world) => {
      // Two pairs that know nothing of each other, as two neighbourhoods that multicast brings together.
      const a = await startNode(world.host('a'));
      const b = await startNode(world.host('b'), { bootstrap: ['sim://a'] });
      const c = await startNode(world.host('c'));
      const d = await startNode(world.host('d'), { bootstrap: ['sim://c'] });
      await world.until(() => knowEachOther([a, b]) && knowEachOther([c, d]), { withinMs: 1_000 });
      // So long that gossip has forgotten what was announced at the start.
      await world.sleep(20_000);
      await b.transport.connect('sim://d');
      // By a periodic comparison or announcement it would happen, too: some seconds later.
      await world.until(() => knowEachOther([a, b, c, d]), { withinMs: 300 });
    });
  },
);

it('also when it stood before discovery began', async () => {
  await inWorld({ seed: 'before' }, async (world) => {
    const first = world.host('first');
    const early = first.transport();
    const b = await startNode(world.host('b'));
    await early.connect('sim://b');
    const discovery = await createDiscovery({ transport: early });
    await world.until(() => discovery.catalog.has(b.discovery.me.peer), { withinMs: 1_000 });
    await world.until(() => b.discovery.catalog.has(discovery.me.peer), { withinMs: 1_000 });
  });
});
