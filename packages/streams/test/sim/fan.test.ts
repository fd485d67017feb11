import { describe, expect, it } from 'vitest';
import { type Consumer, FullError, type Producer } from '../../src/index.ts';
import { inWorld, type Node, startNode, startNodes } from '../support/cluster.ts';
import {
  gapsOf,
  type Item,
  Items,
  KILOBYTE,
  numbersOf,
  range,
  readAll,
  requireExact,
  type Seen,
  sendItems,
} from '../support/traffic.ts';

function names(count: number, prefix: string): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

describe('fan-out', () => {
  it('of one producer reaches 50 consumers, all of it, once and in order', async () => {
    await inWorld({ seed: 1 }, async (world) => {
      const nodes = Object.values(await startNodes(world, ...names(51, 'n')));
      const [first, ...others] = nodes as [Node, ...Node[]];
      const seen = others.map(({ streams }) => readAll(streams.consumer(Items)));
      const producer = first.streams.producer(Items, {
        onlineWhen: (subscribed) => subscribed.minimumOf(50),
      });
      await sendItems(producer, 1_000);
      await world.sleep(1_000);
      for (const records of seen) expect(numbersOf(records)).toEqual(range(0, 1_000));
      expect(seen.flatMap(gapsOf)).toEqual([]);
      expect(producer.consumers).toHaveLength(50);
    });
  }, 30_000);

  it('of one producer goes on to all consumers, though it has more connections than it would keep', async () => {
    await inWorld({ seed: 3 }, async (world) => {
      const nodes = Object.values(await startNodes(world, ...names(31, 'n')));
      const [first, ...others] = nodes as [Node, ...Node[]];
      const consumers = others.map(({ streams }) => streams.consumer(Items));
      const seen = consumers.map(readAll);
      const producer = first.streams.producer(Items, {
        onlineWhen: (subscribed) => subscribed.minimumOf(30),
      });
      await producer.when().online();
      expect(producer.consumers).toHaveLength(30);
      // Those that are too many are let go of one by one, some seconds after they were made.
      for (let second = 0; second < 20; second++) {
        await sendItems(producer, 10);
        await world.sleep(1_000);
      }
      expect(seen.flatMap(gapsOf)).toEqual([]);
      for (const { stats } of producer.consumers) expect(stats.uptimeMs).toBeGreaterThanOrEqual(20_000);
    });
  }, 30_000);

  it('of 20 producers reaches 20 consumers, that serve no producer before another', async () => {
    await inWorld({ seed: 2 }, async (world) => {
      const nodes = Object.values(await startNodes(world, ...names(20, 'n')));
      const consumers = nodes.map(({ streams }) => streams.consumer(Items));
      const seen = consumers.map(readAll);
      const onlineWhen: Parameters<Node['streams']['producer']>[1] = {
        onlineWhen: (all) => all.minimumOf(20),
      };
      const producers = nodes.map(({ streams }) => streams.producer(Items, onlineWhen));
      await Promise.all(producers.map((producer) => sendItems(producer, 200)));
      await world.sleep(1_000);
      for (const records of seen) {
        expect(records).toHaveLength(20 * 200);
        for (const { transport } of nodes) {
          const own = records.filter(({ producer }) => producer === transport.local.peerId);
          expect(numbersOf(own)).toEqual(range(0, 200));
        }
        expect(new Set(records.slice(0, 1_000).map(({ producer }) => producer)).size).toBeGreaterThan(1);
      }
    });
  }, 30_000);
});

describe('the end of a producer', () => {
  const restart = async (
    end: (node: Node, producer: Producer<Item>) => Promise<void>,
    check: (consumer: Consumer<Item>, seen: ReturnType<typeof readAll>) => void,
  ): Promise<void> => {
    await inWorld({ seed: 3 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const consumer = bob.streams.consumer(Items);
      const seen = readAll(consumer);
      const producer = ann.streams.producer(Items);
      await sendItems(producer, 100);
      await end(ann, producer);
      await world.sleep(500);
      const next = ann.streams.producer(Items);
      expect(next.position.epoch).not.toBe(producer.position.epoch);
      await next.when().subscribed();
      await sendItems(next, 100, 100);
      await world.sleep(500);
      check(consumer, seen);
    });
  };

  it('in an orderly way leaves no gap, and nothing unsent', () =>
    restart(
      (_, producer) => producer.close(),
      (consumer, seen) => {
        expect(numbersOf(seen)).toEqual(range(0, 200));
        expect(consumer.stats.gaps).toBe(0);
      },
    ));

  it('with criteria leaves no gap either, though the last data were not wanted', async () => {
    await inWorld({ seed: 4 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const consumer = bob.streams.consumer(Items, { criteria: { n: { $lt: 50 } } });
      const seen = readAll(consumer);
      for (let life = 0; life < 3; life++) {
        const producer = ann.streams.producer(Items);
        await producer.when().subscribed();
        await sendItems(producer, 100);
        await producer.close();
        await world.sleep(100);
      }
      expect(numbersOf(seen)).toEqual([...range(0, 50), ...range(0, 50), ...range(0, 50)]);
      expect(consumer.stats.gaps).toBe(0);
    });
  });

  it('by a crash leaves a gap without an end, in the epoch of before, and the data go on', async () => {
    await inWorld({ seed: 5 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const consumer = ann.streams.consumer(Items);
      const seen = readAll(consumer);
      const producer = bob.streams.producer(Items);
      await sendItems(producer, 100);
      await world.sleep(100);
      bob.host.crash();
      await world.sleep(3_000);
      expect(consumer.producers).toEqual([]);
      bob.host.restart();
      const again = await startNode(bob.host, { bootstrap: ['sim://ann'] });
      const next = again.streams.producer(Items);
      await next.when().subscribed();
      await sendItems(next, 10, 100);
      await world.sleep(500);
      expect(numbersOf(seen)).toEqual(range(0, 110));
      const { epoch } = producer.position;
      const lost = { type: 'gap', producer: bob.transport.local.peerId, epoch, from: 100, to: undefined };
      expect(gapsOf(seen)).toEqual([lost]);
      expect(seen.indexOf(gapsOf(seen)[0] as never)).toBe(100);
    });
  });

  it('that a consumer does not take within five seconds is seen as a gap later', async () => {
    await inWorld({ seed: 6 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const consumer = bob.streams.consumer(Items, { bufferBytes: 1_024 });
      const producer = ann.streams.producer(Items);
      await producer.when().subscribed();
      const fill = (): void => {
        for (let n = 0; ; n++) producer.trySend({ n, weight: KILOBYTE });
      };
      expect(fill).toThrow(FullError);
      const startMs = world.now;
      await producer.close();
      expect(world.now - startMs).toBeGreaterThanOrEqual(5_000);
      expect(world.now - startMs).toBeLessThan(8_000);
      const seen = readAll(consumer);
      const next = ann.streams.producer(Items);
      await next.when().subscribed();
      await next.send({ n: 1_000_000 });
      await world.sleep(1_000);
      const [gap] = gapsOf(seen);
      expect(gap).toMatchObject({ epoch: producer.position.epoch, to: undefined });
      requireExact(seen.filter(({ epoch }) => epoch === producer.position.epoch));
      expect(numbersOf(seen).at(-1)).toBe(1_000_000);
    });
  });
});

describe('a partition', () => {
  it('that cuts consumers off leaves them exactly the gap of what was sent meanwhile, and others nothing', async () => {
    await inWorld({ seed: 7 }, async (world) => {
      const { ann, bob, cid, dan } = await startNodes(world, 'ann', 'bob', 'cid', 'dan');
      const producer = ann.streams.producer(Items);
      const [near, ...far] = [bob, cid, dan].map(({ streams }) => readAll(streams.consumer(Items)));
      await producer.when().subscribed().minimumOf(3);
      await sendItems(producer, 100);
      await world.sleep(100);
      const cut = world.faults.partition([ann.host, bob.host], [cid.host, dan.host]);
      await producer.when().subscribed().minimumOf(2).unmet();
      await sendItems(producer, 100, 100);
      cut.heal();
      await producer.when().subscribed().minimumOf(3);
      await sendItems(producer, 100, 200);
      await world.sleep(1_000);
      expect(numbersOf(near as Seen[])).toEqual(range(0, 300));
      for (const seen of far) {
        expect(gapsOf(seen)).toMatchObject([{ from: 100, to: 200 }]);
        expect(numbersOf(seen)).toEqual([...range(0, 100), ...range(200, 300)]);
      }
    });
  });
});
