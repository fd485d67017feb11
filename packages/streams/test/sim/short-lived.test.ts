import { eachSeed } from '@mosaik/testing/seeds';
import { describe, expect, it } from 'vitest';
import { addressOf, inWorld, startNode, startNodes } from '../support/cluster.ts';
import { gapsOf, Items, numbersOf, range, readAll, sendItems } from '../support/traffic.ts';

describe('a producer that is gone as soon as it has sent', () => {
  it('is heard by whom it accepted, though the word of its end is there before its answer', async () => {
    await eachSeed({ count: 200, long: 2_000 }, async (seed) => {
      await inWorld({ seed }, async (world) => {
        const { ann, bob } = await startNodes(world, 'ann', 'bob');
        const seen = readAll(bob.streams.consumer(Items));
        const cid = await startNode(world.host('cid'), { bootstrap: [addressOf(ann.host)] });
        world.faults.delaySome({ share: 0.2, byMs: 500 });
        const producer = cid.streams.producer(Items);
        await sendItems(producer, 3);
        await producer.close();
        await cid.streams.close();
        await cid.discovery.close();
        await cid.transport.close();
        world.faults.clear();
        await world.sleep(30_000);
        expect(gapsOf(seen)).toEqual([]);
        expect(numbersOf(seen)).toEqual(range(0, 3));
      });
    });
  }, 600_000);
});
