import { expect, it } from 'vitest';
import { createDiscovery } from '../../src/index.ts';
import { inWorld, knowEachOther, startNode } from '../sim/cluster.ts';

it('catalogs are compared on a connection that discovery did not ask for, at once', async () => {
  await inWorld({ seed: 'first contact' }, async (world) => {
    // Two pairs that know nothing of each other, as two neighbourhoods that multicast brings together.
    const a = await startNode(world.host('a'));
    const b = await startNode(world.host('b'), { bootstrap: ['sim://a'] });
    const c = await startNode(world.host('c'));
    const d = await startNode(world.host('d'), { bootstrap: ['sim://c'] });
    await world.until(() => knowEachOther([a, b]) && knowEachOther([c, d]), { withinMs: 1_000 });
    const metAtMs = world.now;
    await b.transport.connect('sim://d');
    await world.until(() => knowEachOther([a, b, c, d]), { withinMs: 1_000 });
    expect(world.now - metAtMs).toBeLessThan(1_000);
  });
});

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
