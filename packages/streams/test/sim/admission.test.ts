import { describe, expect, it } from 'vitest';
import { StreamCode, stream } from '../../src/index.ts';
import { encodeSubscribe } from '../../src/wire/messages.ts';
import { streamProtocol } from '../../src/wire/protocol.ts';
import { inWorld, startNodes } from '../support/cluster.ts';
import { Items, numbersOf, range, readAll, sendItems } from '../support/traffic.ts';

describe('acceptIf', () => {
  it('follows the tags of consumers: refuses, lets in, and lets go, with the code', async () => {
    await inWorld({ seed: 1 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const producer = ann.streams.producer(Items, { acceptIf: (peer) => peer.hasTag('trusted') });
      const consumer = bob.streams.consumer(Items);
      await world.until(() => consumer.producers[0]?.stats.lastError !== undefined);
      expect(consumer.producers[0]).toMatchObject({
        state: 'waiting',
        stats: { lastError: 'not allowed by acceptIf' },
      });
      expect(consumer.why().text).toContain('1 did not admit this node: see acceptIf there');
      expect(producer.why().text).toContain('1 refused by acceptIf: admit them there');
      expect(producer.stats.refused).toBeGreaterThan(0);

      bob.discovery.addTags('trusted');
      await producer.when().subscribed();
      expect(producer.why().text).toBe('online: 1 consumer subscribed');
      await sendItems(producer, 10);

      bob.discovery.removeTags('trusted');
      await producer.when().unsubscribed();
      await world.until(() => consumer.producers[0]?.state === 'waiting');
      expect(consumer.producers[0]?.stats.lastError).toBe('not allowed by acceptIf');
      expect(ann.transport.metrics.snapshot()['mosaik.streams.refused']).toMatchObject([
        { labels: { code: String(StreamCode.NotAllowed) } },
      ]);
    });
  });

  it('follows the round trip', async () => {
    await inWorld({ seed: 2 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const producer = ann.streams.producer(Items, { acceptIf: (peer) => peer.rttBelow(50) });
      bob.streams.consumer(Items);
      await producer.when().subscribed();
      const slow = world.faults.slow([ann.host], [bob.host], { latencyMs: 100 });
      await world.until(() => producer.consumers.length === 0, { withinMs: 120_000, everyMs: 100 });
      slow.heal();
      await world.until(() => producer.consumers.length === 1, { withinMs: 120_000, everyMs: 100 });
    });
  });

  it('that throws refuses, is reported, and keeps nothing else from working', async () => {
    await inWorld({ seed: 3 }, async (world) => {
      const { ann, bob, cid } = await startNodes(world, 'ann', 'bob', 'cid');
      const bobs = bob.transport.local.peerId;
      const acceptIf = ({ peer }: { peer: string }): boolean => {
        if (peer === bobs) throw new Error('a bug of the user');
        return true;
      };
      const producer = ann.streams.producer(Items, { acceptIf });
      bob.streams.consumer(Items);
      const seen = readAll(cid.streams.consumer(Items));
      await producer.when().subscribed();
      await sendItems(producer, 10);
      await world.sleep(1_000);
      expect(producer.consumers).toHaveLength(1);
      expect(numbersOf(seen)).toEqual(range(0, 10));
    });
  });
});

describe('subscribeIf', () => {
  it('follows the tags of producers', async () => {
    await inWorld({ seed: 4 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const producer = ann.streams.producer(Items);
      const consumer = bob.streams.consumer(Items, { subscribeIf: (peer) => peer.hasTag('good') });
      await world.until(() => consumer.why().facts['known'] === 1);
      expect(consumer.why().text).toBe(
        'offline: needs at least 1 producer; 1 producer known, 0 subscribed; 1 refused by subscribeIf: admit them there',
      );
      ann.discovery.addTags('good');
      await consumer.when().subscribed();
      const ended = producer.when().unsubscribed();
      ann.discovery.removeTags('good');
      await ended;
      await consumer.when().unsubscribed();
      expect(consumer.producers).toEqual([]);
    });
  });

  it('does not lose a gap over a break of its own making', async () => {
    await inWorld({ seed: 5 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const producer = ann.streams.producer(Items, { onlineWhen: (subscribed) => subscribed.minimumOf(0) });
      ann.discovery.addTags('good');
      const consumer = bob.streams.consumer(Items, {
        subscribeIf: (peer) => peer.hasTag('good'),
        bufferBytes: 256,
      });
      await consumer.when().subscribed();
      // The buffer is full, and a block waits for room in it, when the subscription ends.
      await sendItems(producer, 500);
      await world.sleep(100);
      ann.discovery.removeTags('good');
      await consumer.when().unsubscribed();
      await sendItems(producer, 10, 500);
      ann.discovery.addTags('good');
      const seen = readAll(consumer);
      await consumer.when().subscribed();
      await sendItems(producer, 10, 510);
      await world.sleep(1_000);
      let next = 0;
      for (const record of seen) {
        expect(record.type === 'gap' ? record.from : record.sequence).toBe(next);
        next = record.type === 'gap' ? (record.to as number) : record.sequence + 1;
      }
      expect(next).toBe(520);
    });
  });
});

describe('capacity', () => {
  it('of a producer is not exceeded; whoever is refused comes in when there is room', async () => {
    await inWorld({ seed: 6 }, async (world) => {
      const { ann, bob, cid } = await startNodes(world, 'ann', 'bob', 'cid');
      const producer = ann.streams.producer(Items, { maxConsumers: 1 });
      const first = bob.streams.consumer(Items);
      await first.when().subscribed();
      const second = cid.streams.consumer(Items);
      await world.until(() => second.producers[0]?.stats.lastError === 'no capacity');
      expect(second.why().text).toContain('1 had no capacity: raise maxConsumers there');
      expect(second.why().facts).toMatchObject({ noCapacity: 1 });
      await first.close();
      await second.when().subscribed();
      expect(producer.consumers).toHaveLength(1);
    });
  });

  it('for one peer is 32 subscriptions', async () => {
    await inWorld({ seed: 7 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const producer = ann.streams.producer(Items);
      const consumers = Array.from({ length: 33 }, () => bob.streams.consumer(Items));
      await producer.when().subscribed().minimumOf(32);
      await world.sleep(1_000);
      expect(producer.consumers).toHaveLength(32);
      const refused = consumers.filter(({ producers }) => producers[0]?.state !== 'live');
      expect(refused).toHaveLength(1);
      expect(refused[0]?.producers[0]?.stats.lastError).toBe('no capacity');
    });
  });
});

describe('a stream that is not produced', () => {
  it('is not found, by whoever asks for it all the same', async () => {
    await inWorld({ seed: 8 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      await bob.discovery.watch().until((catalog) => catalog.size === 1);
      const link = await bob.transport.open(ann.transport.local.peerId, streamProtocol);
      const { id } = stream('nobody produces this');
      await link.sendEncoded(
        encodeSubscribe({ stream: id, criteria: undefined, entry: bob.discovery.signedMe }),
      );
      expect(await link.ended).toMatchObject({
        kind: 'closed',
        by: 'remote',
        code: StreamCode.StreamNotFound,
      });
      const consumer = bob.streams.consumer(Items);
      await world.sleep(1_000);
      expect(consumer.why().text).toBe(
        'offline: needs at least 1 producer; no producer known: start one, or wait until its announcement has come',
      );
    });
  });
});
