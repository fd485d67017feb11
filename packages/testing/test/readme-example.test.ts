import { cborCodec } from '@mosaik/primitives';
import { protocol } from '@mosaik/transport';
import { expect, it } from 'vitest';
import { createWorld } from '../src/index.ts';

const Greeting = protocol<string>({ name: 'greeting', codec: cborCodec() });

it('greets through a partition, and notices a power loss', async () => {
  const world = createWorld({ seed: 42 });
  await world.run(async () => {
    const [alice, bob] = [world.host('alice'), world.host('bob', { skewMs: 250 })];
    const [a, b] = [alice.transport(), bob.transport()];
    b.accept(Greeting, async (link) => {
      for await (const name of link) await link.send(`hello, ${name}`);
    });
    const link = await a.open(await a.connect('sim://bob'), Greeting);

    const cut = world.faults.partition([alice], [bob]);
    await link.send('alice');
    await world.sleep(3_000); // three virtual seconds, no real ones
    expect(link.stats.receivedMessages).toBe(0);
    cut.heal();
    expect(await link.receive()).toBe('hello, alice');

    bob.crash({ mode: 'powerLoss' });
    expect((await link.ended).kind).toBe('silent'); // after five more
  });
});
