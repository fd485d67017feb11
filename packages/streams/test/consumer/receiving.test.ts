import { bytesCodec, ClosedError, InvalidArgumentError } from '@mosaik/primitives';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { CriteriaError, type InvalidDatum, type ProducerOptions, stream } from '../../src/index.ts';
import { inWorld, startNodes } from '../support/cluster.ts';
import {
  flood,
  gapsOf,
  type Item,
  Items,
  KILOBYTE,
  largest,
  numbersOf,
  range,
  readAll,
  sendItems,
} from '../support/traffic.ts';

describe('a consumer', () => {
  it('gives its data one by one, in batches, and without waiting', async () => {
    await inWorld({ seed: 1 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const consumer = bob.streams.consumer(Items);
      expect(consumer.tryRecv()).toBeUndefined();
      const first = consumer.recv();
      const producer = ann.streams.producer(Items);
      await sendItems(producer, 1_000);
      expect(await first).toEqual({ n: 0 });
      await world.sleep(100);
      expect(consumer.tryRecv()).toEqual({ n: 1 });
      for await (const batch of consumer.batches({ maxDatums: 100 })) {
        expect(batch.map(({ n }) => n)).toEqual(range(2, 102));
        break;
      }
      for await (const { n } of consumer) {
        expect(n).toBe(102);
        break;
      }
      expect(consumer.stats).toMatchObject({ datums: 1_000, gaps: 0, invalid: 0 });
      expect(consumer.producers[0]?.stats.lagDatums).toBeLessThan(1_000);
    });
  });

  it('that is closed ends whoever waits for it, and is not waited for in vain', async () => {
    await inWorld({ seed: 2 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const producer = ann.streams.producer(Items);
      const consumer = bob.streams.consumer(Items);
      await consumer.when().subscribed();
      const received = consumer.recv().catch((error: unknown) => error);
      const iterated = consumer[Symbol.asyncIterator]().next();
      const recorded = consumer.records().next();
      const batched = consumer.batches().next();
      const read = consumer.readable.getReader().read();
      const aborted = consumer.recv({ signal: AbortSignal.abort() }).catch((error: Error) => error.name);
      expect(await aborted).toBe('AbortedError');
      await consumer.close();
      expect(await received).toBeInstanceOf(ClosedError);
      for (const end of await Promise.all([iterated, recorded, batched, read])) expect(end.done).toBe(true);
      expect(consumer.tryRecv()).toBeUndefined();
      expect(consumer.why()).toMatchObject({ isOnline: false, text: 'closed' });
      await producer.when().unsubscribed();
    });
  });

  it('keeps no more unread than it says, at itself and, within its bound, at the producer', async () => {
    await inWorld({ seed: 3, network: { bytesPerSecond: 5e6 } }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const producer = ann.streams.producer(Items, { bufferBytes: 256 * 1024, disconnectLagging: false });
      const consumer = bob.streams.consumer(Items, { bufferBytes: 64 * 1024 });
      await consumer.when().subscribed();
      const held = largest(world, () => consumer.producers[0]?.stats.lagBytes ?? 0);
      const queued = largest(world, () => producer.consumers[0]?.stats.lagBytes ?? 0);
      const flow = flood(producer);
      await world.sleep(3_000);
      const sent = await flow.stop();
      expect(held.stop()).toBeLessThanOrEqual(64 * 1024);
      expect(queued.stop()).toBeLessThanOrEqual((256 + 64) * 1024);
      // What was taken is in the two buffers and on the link between them.
      expect(sent).toBeLessThan(2_000);
      const seen = readAll(consumer);
      await world.sleep(2_000);
      expect(numbersOf(seen)).toEqual(range(0, sent));
    });
  });

  it('takes a block that is larger than its buffer', async () => {
    await inWorld({ seed: 4 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const producer = ann.streams.producer(Items);
      const seen = readAll(bob.streams.consumer(Items, { bufferBytes: 10 }));
      await producer.when().online();
      for (let n = 0; n < 5; n++) await producer.send({ n, weight: new Uint8Array(100_000) });
      await world.sleep(500);
      expect(numbersOf(seen)).toEqual(range(0, 5));
    });
  });

  it('shares its node with others, each of which sees everything', async () => {
    await inWorld({ seed: 5 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const all = [bob, bob, ann, ann].map(({ streams }) => readAll(streams.consumer(Items)));
      const producer = ann.streams.producer(Items, { onlineWhen: (subscribed) => subscribed.minimumOf(4) });
      await sendItems(producer, 500);
      await world.sleep(500);
      for (const seen of all) expect(numbersOf(seen)).toEqual(range(0, 500));
    });
  });

  it('gets what its criteria want, and no more travels', async () => {
    await inWorld({ seed: 6 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const producer = ann.streams.producer(Items);
      const consumer = bob.streams.consumer(Items, { criteria: { n: { $gte: 9_990 } } });
      const seen = readAll(consumer);
      await producer.when().online();
      await sendItems(producer, 10_000);
      await world.sleep(500);
      expect(numbersOf(seen)).toEqual(range(9_990, 10_000));
      expect(seen[0]).toMatchObject({ sequence: 9_990 });
      expect(gapsOf(seen)).toEqual([]);
      expect(consumer.stats.bytes).toBeLessThan(500);
      expect(() => bob.streams.consumer(Items, { criteria: { n: { $near: 3 } } as never })).toThrow(
        CriteriaError,
      );
    });
  });

  it('is refused options out of range', async () => {
    await inWorld({ seed: 7 }, async (world) => {
      const { ann } = await startNodes(world, 'ann');
      const consume = (options: object) => (): unknown => ann.streams.consumer(Items, options);
      expect(consume({ maxProducers: 0 })).toThrow(InvalidArgumentError);
      expect(consume({ bufferBytes: -1 })).toThrow(InvalidArgumentError);
      expect(() => ann.streams.producer(Items, { bufferBytes: 0 })).toThrow(InvalidArgumentError);
      await ann.streams.close();
      expect(consume({})).toThrow(ClosedError);
    });
  });
});

describe('a consumer whose buffer is full', () => {
  it('loses no gap that finds no room in it', async () => {
    await inWorld({ seed: 10 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const onlineWhen: ProducerOptions<Item>['onlineWhen'] = (subscribed) => subscribed.minimumOf(0);
      const producer = ann.streams.producer(Items, { onlineWhen });
      const consumer = bob.streams.consumer(Items, { bufferBytes: 1_050 });
      await producer.when().subscribed();
      await producer.send({ n: 0, weight: KILOBYTE });
      await world.until(() => (consumer.producers[0]?.stats.lagBytes ?? 0) > 1_000);
      const cut = world.faults.isolate(ann.host);
      await producer.when().unsubscribed();
      await sendItems(producer, 5, 1);
      cut.heal();
      // Accepted, but the gap has to wait: nobody reads.
      await producer.when().subscribed();
      await world.sleep(30_000);
      const seen = readAll(consumer);
      await world.until(() => consumer.when().subscribed().isMet);
      await sendItems(producer, 3, 6);
      await world.sleep(1_000);
      expect(numbersOf(seen)).toEqual([0, 6, 7, 8]);
      expect(gapsOf(seen)).toMatchObject([{ from: 1, to: 6 }]);
    });
  });
});

describe('a datum that cannot be used', () => {
  const name = 'checked';
  /** The same stream as seen by one who does not check what it sends. */
  const Unchecked = stream<unknown>(name);
  const Checked = stream(
    name,
    v.object({
      at: v.pipe(
        v.string(),
        v.transform((text) => text.length),
      ),
    }),
  );
  const Raw = stream<Uint8Array>(name, { codec: bytesCodec });

  it('is counted and reported with its place, and the stream goes on', async () => {
    await inWorld({ seed: 8 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const consumer = bob.streams.consumer(Checked);
      const told: InvalidDatum[] = [];
      const subscription = consumer.invalid.subscribe();
      void (async () => {
        for await (const event of subscription) if (event.type === 'invalid') told.push(event);
      })();
      const producer = ann.streams.producer(Unchecked);
      await producer.send({ at: 'one' });
      await producer.send({ at: 2 });
      await producer.send({ at: 'three' });
      expect([await consumer.recv(), await consumer.recv()]).toEqual([{ at: 3 }, { at: 5 }]);
      await world.sleep(10);
      expect(consumer.stats.invalid).toBe(1);
      expect(told).toMatchObject([
        { sequence: 1, producer: ann.transport.local.peerId, epoch: producer.position.epoch },
      ]);
      expect(told[0]?.error).toMatchObject({ code: 'ERR_DECODE', reason: 'schema' });
      const [metric] = bob.transport.metrics.snapshot()['mosaik.streams.invalid'] ?? [];
      expect(metric).toMatchObject({ labels: { stream: name }, value: 1 });
    });
  });

  it('because its bytes are none, too', async () => {
    await inWorld({ seed: 9 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const consumer = bob.streams.consumer(Checked);
      const producer = ann.streams.producer(Raw);
      await producer.send(Uint8Array.of(0xff, 0xff));
      await producer.send(Uint8Array.of(0xa1, 0x62, 0x61, 0x74, 0x61, 0x78));
      expect(await consumer.recv()).toEqual({ at: 1 });
      expect(consumer.stats).toMatchObject({ invalid: 1, gaps: 0 });
    });
  });
});
