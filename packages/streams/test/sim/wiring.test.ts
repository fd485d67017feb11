import { describe, expect, it } from 'vitest';
import { stream } from '../../src/index.ts';
import { inWorld, startNodes } from '../support/cluster.ts';

const Price = stream<{ symbol: string; price: number }>('prices');

async function take<T>(from: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of from) {
    taken.push(item);
    if (taken.length === count) break;
  }
  return taken;
}

describe('producers and consumers', () => {
  it('find each other, whoever is first', async () => {
    await inWorld({ seed: 1 }, async (world) => {
      const { ann, bob, cid } = await startNodes(world, 'ann', 'bob', 'cid');
      const early = bob.streams.consumer(Price);
      const producer = ann.streams.producer(Price, { onlineWhen: (subscribed) => subscribed.minimumOf(2) });
      const late = cid.streams.consumer(Price);
      await producer.when().online();
      for (let price = 0; price < 1_000; price++) await producer.send({ symbol: 'BTC', price });
      const expected = Array.from({ length: 1_000 }, (_, price) => ({ symbol: 'BTC', price }));
      expect(await take(early, 1_000)).toEqual(expected);
      expect(await take(late, 1_000)).toEqual(expected);
      expect(producer.consumers.map(({ stats }) => stats.datums)).toEqual([1_000, 1_000]);
      expect(early.stats).toMatchObject({ datums: 1_000, gaps: 0, invalid: 0 });
    });
  });

  it('serve a node its own stream', async () => {
    await inWorld({ seed: 2 }, async (world) => {
      const { ann } = await startNodes(world, 'ann');
      const consumer = ann.streams.consumer(Price);
      const second = ann.streams.consumer(Price);
      const producer = ann.streams.producer(Price, { onlineWhen: (subscribed) => subscribed.minimumOf(2) });
      for (let price = 0; price < 100; price++) await producer.send({ symbol: 'ETH', price });
      expect((await take(consumer, 100)).at(-1)).toEqual({ symbol: 'ETH', price: 99 });
      expect((await take(second, 100)).at(-1)).toEqual({ symbol: 'ETH', price: 99 });
    });
  });
});
