import type { NetworkOptions, World } from '@mosaik/testing';
import { describe, expect, it } from 'vitest';
import type { Consumer, Producer, ProducerOptions } from '../../src/index.ts';
import { inWorld, type Node, startNodes } from '../support/cluster.ts';
import {
  flood,
  gapsOf,
  type Item,
  Items,
  largest,
  numbersOf,
  paced,
  readAll,
  requireExact,
  type Seen,
  sendItems,
} from '../support/traffic.ts';

const KIB = 1024;
const BUFFER = 1024 * KIB;

/** A megabyte a second; a tenth of it to and from hosts whose name begins with `slow`. */
const network: NetworkOptions = (from, to) => ({
  bytesPerSecond: [from, to].some(({ name }) => name.startsWith('slow')) ? 100_000 : 1_000_000,
});

async function startProducer(node: Node, options: ProducerOptions<Item> = {}): Promise<Producer<Item>> {
  return node.streams.producer(Items, { bufferBytes: BUFFER, ...options });
}

/** Data that a consumer gets in so many virtual milliseconds. */
async function rateOf(world: World, consumer: Consumer<Item>, durationMs: number): Promise<number> {
  const before = consumer.stats.datums;
  await world.sleep(durationMs);
  return ((consumer.stats.datums - before) / durationMs) * 1_000;
}

/** How fast the first of some consumers is served, over half a minute. */
async function rateAmong(names: readonly string[], options: ProducerOptions<Item> = {}): Promise<number> {
  let rate = 0;
  await inWorld({ seed: 1, network }, async (world) => {
    const nodes = await startNodes(world, 'producer', ...names);
    const producer = await startProducer(nodes['producer'] as Node, options);
    const consumers = names.map((name) => (nodes[name] as Node).streams.consumer(Items));
    for (const consumer of consumers) readAll(consumer);
    await producer.when().subscribed().minimumOf(names.length);
    const flow = flood(producer);
    rate = await rateOf(world, consumers[0] as Consumer<Item>, 30_000);
    await flow.stop();
  });
  return rate;
}

describe('a consumer that stalls', () => {
  it('is dropped, is back by itself and sees exactly the gap; others do not notice, and memory stays bounded', async () => {
    await inWorld({ seed: 3, network }, async (world) => {
      const { ann, bob, cid } = await startNodes(world, 'ann', 'bob', 'cid');
      const producer = await startProducer(ann);
      const [steady, stalling] = [bob.streams.consumer(Items), cid.streams.consumer(Items)];
      const [seen, seenByStalling] = [readAll(steady), readAll(stalling)];
      await producer.when().subscribed().minimumOf(2);
      const flow = flood(producer);
      const before = await rateOf(world, steady, 10_000);
      const lag = largest(world, () => Math.max(0, ...producer.consumers.map(({ stats }) => stats.lagBytes)));
      cid.host.stall(4_000);
      const during = await rateOf(world, steady, 10_000);
      expect(producer.stats.droppedTooSlow).toBe(1);
      expect(during / before).toBeGreaterThanOrEqual(0.97);
      expect(lag.stop()).toBeLessThanOrEqual(BUFFER + 64 * KIB);
      expect(stalling.when().subscribed().isMet).toBe(true);
      expect(stalling.producers[0]?.stats.lastError).toBe('too slow');
      await flow.stop();
      await world.sleep(5_000);
      expect(gapsOf(seenByStalling)).toHaveLength(1);
      requireExact(seenByStalling);
      expect(numbersOf(seenByStalling).at(-1)).toBe(numbersOf(seen).at(-1));
      expect(gapsOf(seen)).toEqual([]);
      requireExact(seen);
    });
  });
});

describe('a consumer that is slower than the others', () => {
  it('costs them hardly more than a fiftieth, however often it comes back', async () => {
    const alone = await rateAmong(['fast']);
    const together = await rateAmong(['fast', 'slow']);
    expect(alone).toBeGreaterThan(900);
    expect(together / alone).toBeGreaterThanOrEqual(0.97);
  });

  it('sets the pace when the producer says so, and is not dropped', async () => {
    const together = await rateAmong(['fast', 'slow'], {
      disconnectLagging: false,
      bufferBytes: 64 * KIB,
    });
    expect(together).toBeGreaterThan(70);
    expect(together).toBeLessThan(130);
  });

  it('is not dropped when it has the producer for itself', async () => {
    await inWorld({ seed: 4, network }, async (world) => {
      const { ann, slow } = await startNodes(world, 'ann', 'slow');
      const producer = await startProducer(ann, { bufferBytes: 128 * KIB });
      const consumer = slow.streams.consumer(Items);
      const seen = readAll(consumer);
      await producer.when().subscribed();
      const flow = flood(producer);
      await world.sleep(30_000);
      const sent = await flow.stop();
      await world.sleep(30_000);
      expect(producer.stats.droppedTooSlow).toBe(0);
      expect(numbersOf(seen)).toHaveLength(sent);
      requireExact(seen);
    });
  });
});

describe('a producer with a pace of its own', () => {
  it('keeps it, whether a consumer stands still or not', async () => {
    await inWorld({ seed: 9 }, async (world) => {
      const { ann, bob, cid } = await startNodes(world, 'ann', 'bob', 'cid');
      const producer = await startProducer(ann);
      const steady = bob.streams.consumer(Items);
      readAll(steady);
      readAll(cid.streams.consumer(Items));
      await producer.when().subscribed().minimumOf(2);
      const flow = paced(world, producer, 2_000);
      const before = await rateOf(world, steady, 10_000);
      cid.host.stall(4_500);
      const during = await rateOf(world, steady, 4_500);
      flow.stop();
      expect(before).toBeGreaterThan(1_990);
      expect(during / before).toBeGreaterThanOrEqual(0.97);
      expect(producer.stats.droppedTooSlow).toBe(1);
    });
  });
});

describe('a consumer that does not read', () => {
  it('is dropped after five seconds, though it is the only one, and sees the gap when it reads', async () => {
    await inWorld({ seed: 5, network }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const producer = await startProducer(ann, { bufferBytes: 128 * KIB });
      const consumer = bob.streams.consumer(Items, { bufferBytes: 16 * KIB });
      await producer.when().subscribed();
      const flow = flood(producer);
      await world.sleep(4_000);
      expect(producer.stats.droppedTooSlow).toBe(0);
      await world.sleep(4_000);
      expect(producer.stats.droppedTooSlow).toBe(1);
      expect(producer.consumers).toEqual([]);
      await world.sleep(60_000);
      await flow.stop();
      const seen = readAll(consumer);
      await producer.when().subscribed();
      await sendItems(producer, 10, 1_000_000);
      await world.sleep(5_000);
      expect(gapsOf(seen)).toHaveLength(1);
      requireExact(seen);
      expect(numbersOf(seen).at(-1)).toBe(1_000_009);
    });
  });

  it('keeps no more than its buffer, and loses no gap while it has no room for it', async () => {
    await inWorld({ seed: 6 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const consumer = bob.streams.consumer(Items, { bufferBytes: 4 * KIB });
      const held = largest(world, () =>
        consumer.producers.reduce((sum, { stats }) => sum + stats.lagBytes, 0),
      );
      // Each life of the producer leaves something unread, and the buffer stays full.
      for (let life = 0; life < 5; life++) {
        const producer = ann.streams.producer(Items);
        const flow = flood(producer);
        await world.sleep(2_000);
        await flow.stop();
        const cut = world.faults.isolate(ann.host);
        await world.sleep(15_000);
        cut.heal();
        await producer.close();
        await world.sleep(15_000);
      }
      expect(held.stop()).toBeLessThanOrEqual(4 * KIB);
      const seen = readAll(consumer);
      const last = ann.streams.producer(Items);
      await last.when().subscribed();
      await sendItems(last, 10);
      await world.sleep(5_000);
      const epochs = new Set(seen.map(({ epoch }) => epoch));
      // Of each epoch that was seen, all is accounted for: it ends with a gap, or with the end of it.
      for (const epoch of epochs) requireExact(seen.filter((record) => record.epoch === epoch));
      expect(gapsOf(seen).length).toBeGreaterThan(0);
    });
  });
});

describe('newcomers of equal speed', () => {
  it('do not get the others dropped', async () => {
    await inWorld({ seed: 7, network: { bytesPerSecond: 4_000_000 } }, async (world) => {
      const names = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
      const nodes = await startNodes(world, 'producer', ...names);
      const producer = nodes.producer.streams.producer(Items);
      const flow = flood(producer, new Uint8Array(50_000));
      const seen: Seen[][] = [];
      for (const name of names) {
        seen.push(readAll(nodes[name].streams.consumer(Items)));
        await world.sleep(1_000);
      }
      await world.sleep(5_000);
      await flow.stop();
      await world.sleep(5_000);
      expect(producer.stats.droppedTooSlow).toBe(0);
      for (const records of seen) {
        expect(gapsOf(records)).toEqual([]);
        requireExact(records);
      }
    });
  }, 30_000);

  it('do not get it dropped that wants all, when they want little', async () => {
    await inWorld({ seed: 8, network }, async (world) => {
      const { producer: node, all, few } = await startNodes(world, 'producer', 'all', 'few');
      const producer = await startProducer(node);
      const [everything, little] = [
        all.streams.consumer(Items),
        few.streams.consumer(Items, { criteria: { n: 3 } }),
      ];
      const [seen, seenByFew] = [readAll(everything), readAll(little)];
      await producer.when().subscribed().minimumOf(2);
      const flow = flood(producer);
      await world.sleep(20_000);
      await flow.stop();
      await world.sleep(5_000);
      expect(producer.stats.droppedTooSlow).toBe(0);
      expect(numbersOf(seen).length).toBeGreaterThan(19_000);
      expect(gapsOf(seen)).toEqual([]);
      expect(numbersOf(seenByFew)).toEqual([3]);
    });
  }, 30_000);
});
