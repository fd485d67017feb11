import { createWorld } from '@mosaik/testing';
import { expect, it } from 'vitest';
import { Counter, decodeCbor, type Inspection, inspectionProtocol, Network, stream } from '../src/index.ts';

const Greetings = stream<string>('greetings');

it('a node tells whoever asks what it produces, consumes, and how its groups stand', async () => {
  const world = createWorld({ seed: 5, networkName: 'demo' });
  await world.run(async () => {
    const [ann, bob] = await Promise.all(
      ['ann', 'bob'].map((name) =>
        Network.create('demo', { transport: world.host(name).transport(), bootstrap: ['sim://ann'] }),
      ),
    );
    if (ann === undefined || bob === undefined) throw new Error('no nodes');
    const consumer = bob.streams.consumer(Greetings);
    await ann.streams.producer(Greetings).send('hello');
    await consumer.recv();
    const group = await ann.groups.join({ key: 'a demo', machine: Counter });
    await group.execute({ add: 5 });

    const seen = await inspect(bob, ann);
    expect(seen.producers).toMatchObject([
      {
        name: 'greetings',
        datums: 1,
        isOnline: true,
        consumers: [{ peer: bob.local.peerId, state: 'live' }],
      },
    ]);
    expect(seen.groups).toMatchObject([
      { group: group.id, role: 'leader', leader: ann.local.peerId, durability: 'memory', reason: 'ok' },
    ]);
    expect(seen.groups[0]?.committed).toBe(group.stats.log.committed);
    const other = await inspect(ann, bob);
    expect(other.consumers).toMatchObject([
      { name: 'greetings', datums: 1, producers: [{ peer: ann.local.peerId }] },
    ]);
    await Promise.all([ann.close(), bob.close()]);
  });
  expect(world.errors).toEqual([]);
});

async function inspect(from: Network, whom: Network): Promise<Inspection> {
  await using link = await from.transport.open(whom.local.peerId, inspectionProtocol);
  const answer = await link.receive();
  expect(await link.receive()).toBeUndefined();
  return decodeCbor(answer ?? new Uint8Array()) as Inspection;
}
