import { AbortedError, InvalidArgumentError } from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { DatumRefusedError, FullError, OfflineError, ProducerClosedError, stream } from '../../src/index.ts';
import { inWorld, startNodes } from '../support/cluster.ts';
import {
  flood,
  type Item,
  Items,
  KILOBYTE,
  numbersOf,
  range,
  readAll,
  sendItems,
} from '../support/traffic.ts';

const Positive = stream('positive', z.object({ value: z.number().positive() }));

describe('trySend', () => {
  it('gives the datum back: offline, full, closed', async () => {
    await inWorld({ seed: 1 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const producer = ann.streams.producer(Items, { bufferDatums: 8 });
      const datum: Item = { n: 1 };
      const failure = (): unknown => {
        try {
          for (;;) producer.trySend(datum);
        } catch (error) {
          return error;
        }
      };
      expect(failure()).toBeInstanceOf(OfflineError);
      expect(failure()).toMatchObject({ code: 'ERR_STREAM_OFFLINE', datum });
      expect((failure() as Error).message).toContain('at least 1 consumer');
      // A link of its own takes a quarter of a megabyte; then the queue fills.
      bob.streams.consumer(Items, { bufferBytes: 1 });
      await producer.when().online();
      const full = failure();
      expect(full).toBeInstanceOf(FullError);
      expect(full).toMatchObject({ code: 'ERR_STREAM_FULL', datum });
      const closing = producer.close();
      expect(failure()).toBeInstanceOf(ProducerClosedError);
      expect(failure()).toMatchObject({ code: 'ERR_CLOSED', datum });
      await closing;
    });
  });
});

describe('send', () => {
  it('waits until the producer is online, in the order of the calls, and gives up when told to', async () => {
    await inWorld({ seed: 2 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const producer = ann.streams.producer(Items);
      const controller = new AbortController();
      const sent = range(0, 10).map((n) =>
        producer.send({ n }, n === 5 ? { signal: controller.signal } : {}).then(
          () => n,
          (error: Error) => error,
        ),
      );
      await world.sleep(1_000);
      controller.abort();
      expect(await sent[5]).toBeInstanceOf(AbortedError);
      const seen = readAll(bob.streams.consumer(Items));
      await Promise.all(sent);
      await world.sleep(100);
      expect(numbersOf(seen)).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9]);
      expect(producer.stats.datums).toBe(9);
      await expect(producer.send({ n: 0 }, { signal: AbortSignal.abort() })).rejects.toThrow(AbortedError);
    });
  });

  it('that waits when the producer is closed gets its datum back, each its own', async () => {
    await inWorld({ seed: 3 }, async (world) => {
      const { ann } = await startNodes(world, 'ann');
      const producer = ann.streams.producer(Items);
      const sent = range(0, 5).map((n) => producer.send({ n }).catch((error: unknown) => error));
      await producer.close();
      expect(await Promise.all(sent)).toMatchObject(
        range(0, 5).map((n) => ({ code: 'ERR_CLOSED', datum: { n } })),
      );
      await expect(producer.send({ n: 9 })).rejects.toMatchObject({
        name: 'ProducerClosedError',
        datum: { n: 9 },
      });
    });
  });

  it('has a bound on how many may wait', async () => {
    await inWorld({ seed: 4 }, async (world) => {
      const { ann } = await startNodes(world, 'ann');
      const producer = ann.streams.producer(Items);
      const waiting = range(0, 16_384).map((n) => producer.send({ n }).catch(() => {}));
      await expect(producer.send({ n: -1 })).rejects.toMatchObject({
        code: 'ERR_TOO_MANY_WAITING',
        datum: { n: -1 },
      });
      await producer.close();
      await Promise.all(waiting);
    });
  });

  it('refuses what the schema refuses with its issues, and what cannot be encoded or is too large', async () => {
    await inWorld({ seed: 5 }, async (world) => {
      const { ann } = await startNodes(world, 'ann');
      const producer = ann.streams.producer(Positive);
      const error = await producer.send({ value: -1 }).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(DatumRefusedError);
      expect(error).toMatchObject({
        code: 'ERR_DATUM_REFUSED',
        datum: { value: -1 },
        issues: [{ path: ['value'] }],
      });
      expect(() => producer.trySend({ value: 'x' as never })).toThrow(DatumRefusedError);
      const items = ann.streams.producer(stream<unknown>('anything'));
      await expect(items.send(() => {})).rejects.toMatchObject({ issues: [] });
      await expect(items.send(new Uint8Array(17 * 1024 * 1024))).rejects.toThrow('bytes encoded');
    });
  });
});

describe('the handles of a producer', () => {
  it('are of one producer, which ends with the last of them', async () => {
    await inWorld({ seed: 6 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const acceptIf = (): boolean => true;
      const first = ann.streams.producer(Items, { acceptIf });
      const second = ann.streams.producer(Items);
      expect(second.position).toEqual(first.position);
      expect(() => ann.streams.producer(Items, { maxConsumers: 3 })).toThrow(InvalidArgumentError);
      const seen = readAll(bob.streams.consumer(Items));
      await first.send({ n: 0 });
      await first.close();
      await expect(first.send({ n: 1 })).rejects.toThrow(ProducerClosedError);
      await second.send({ n: 1 });
      await second.close();
      await world.sleep(500);
      expect(numbersOf(seen)).toEqual([0, 1]);
      expect(ann.streams.producers).toEqual([]);
      expect(ann.discovery.me.streams).toEqual([]);
      await using third = ann.streams.producer(Items, { maxConsumers: 3 });
      expect(third.position.epoch).not.toBe(first.position.epoch);
    });
  });
});

describe('what a producer tells', () => {
  it('of its channels, itself and its metrics', async () => {
    await inWorld({ seed: 7 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const producer = ann.streams.producer(Items);
      expect(producer.why()).toMatchObject({ isOnline: false, facts: { subscribed: 0 } });
      expect(producer.why().text).toBe('offline: needs at least 1 consumer, none subscribed');
      const consumer = bob.streams.consumer(Items);
      readAll(consumer);
      await sendItems(producer, 1_000);
      await producer.flushed();
      await world.sleep(2_000);
      const [channel] = producer.consumers;
      expect(channel).toMatchObject({ state: 'live', peer: { peer: bob.transport.local.peerId } });
      expect(channel?.stats).toMatchObject({ datums: 1_000, lagDatums: 0, lastError: undefined });
      expect(`${channel?.stats}`).toMatch(/^1000 datums, \d+\.\d KiB in 2\.\d s$/);
      expect(`${consumer.producers[0]?.stats}`).toMatch(/^1000 datums, \d+\.\d KiB in 2\.\d s$/);
      expect(producer.stats).toMatchObject({ datums: 1_000, refused: 0, droppedTooSlow: 0, undelivered: 0 });
      const value = (from: typeof ann, metric: string): number | undefined =>
        from.transport.metrics
          .snapshot()
          [`mosaik.streams.${metric}`]?.find(({ labels }) => labels['stream'] === 'items')?.value;
      expect(value(ann, 'sent.datums')).toBe(1_000);
      expect(value(ann, 'consumers')).toBe(1);
      expect(value(bob, 'received.datums')).toBe(1_000);
      expect(value(ann, 'sent.bytes')).toBe(value(bob, 'received.bytes'));
      expect(value(bob, 'gaps')).toBe(0);
    });
  });
});

describe('onUndelivered', () => {
  it('is told of what reached nobody, and of nothing else', async () => {
    await inWorld({ seed: 8 }, async (world) => {
      const { ann, bob, cid } = await startNodes(world, 'ann', 'bob', 'cid');
      const undelivered: number[] = [];
      const producer = ann.streams.producer(Items, {
        onlineWhen: (subscribed) => subscribed.minimumOf(0),
        onUndelivered: ({ n }) => undelivered.push(n),
      });
      await sendItems(producer, 3);
      await world.sleep(1);
      expect(undelivered).toEqual([0, 1, 2]);
      bob.streams.consumer(Items, { criteria: { n: { $lt: 15 } } });
      cid.streams.consumer(Items, { criteria: { n: { $gte: 18 } } });
      await producer.when().subscribed().minimumOf(2);
      await sendItems(producer, 10, 10);
      await producer.flushed();
      expect(undelivered.slice(3)).toEqual([15, 16, 17]);
      expect(producer.stats.undelivered).toBe(6);
    });
  });

  it('is told of what was queued for a consumer that went away; that it throws disturbs nobody', async () => {
    await inWorld({ seed: 9 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      let told = 0;
      const producer = ann.streams.producer(Items, {
        onUndelivered: () => {
          told++;
          throw new Error('a bug of the user');
        },
      });
      bob.streams.consumer(Items, { bufferBytes: 1 });
      await producer.when().online();
      const flow = flood(producer);
      await world.sleep(1_000);
      const lag = producer.consumers[0]?.stats.lagDatums ?? 0;
      expect(lag).toBeGreaterThan(100);
      bob.host.crash();
      await producer.when().offline();
      await flow.stop();
      expect(told).toBeGreaterThanOrEqual(lag);
      expect(producer.stats.undelivered).toBe(told);
    });
  });
});

describe('the egress of a producer', () => {
  it('is limited, and shared fairly', async () => {
    await inWorld({ seed: 10 }, async (world) => {
      const nodes = await startNodes(world, 'ann', 'bob', 'cid', 'dan');
      const limits = { maxEgressBytesPerSecond: 600_000, bufferBytes: 512 * 1024 };
      const producer = nodes.ann.streams.producer(Items, limits);
      const consumers = [nodes.bob, nodes.cid, nodes.dan].map(({ streams }) => streams.consumer(Items));
      for (const consumer of consumers) readAll(consumer);
      await producer.when().subscribed().minimumOf(3);
      const flow = flood(producer, KILOBYTE);
      await world.sleep(20_000);
      const received = consumers.map(({ stats }) => stats.bytes);
      for (const bytes of received) expect(bytes / 20).toBeGreaterThan(190_000);
      for (const bytes of received) expect(bytes / 20).toBeLessThan(215_000);
      expect(producer.stats.droppedTooSlow).toBe(0);
      await flow.stop();
    });
  });
});

describe('the ends of a stream as Web Streams', () => {
  it('pipe from one to the other, and close with it', async () => {
    await inWorld({ seed: 11 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const producer = ann.streams.producer(Items);
      const reader = bob.streams.consumer(Items).readable.getReader();
      const source = new ReadableStream<Item>({
        start(controller) {
          for (let n = 0; n < 100; n++) controller.enqueue({ n });
          controller.close();
        },
      });
      await source.pipeTo(producer.writable);
      await expect(producer.send({ n: 100 })).rejects.toThrow(ProducerClosedError);
      for (let n = 0; n < 100; n++) expect(await reader.read()).toEqual({ done: false, value: { n } });
      await reader.cancel();
      expect(bob.streams.consumers).toEqual([]);
    });
  });

  it('give up a write that waits when the writer aborts', async () => {
    await inWorld({ seed: 12 }, async (world) => {
      const { ann } = await startNodes(world, 'ann');
      const producer = ann.streams.producer(Items);
      const writer = producer.writable.getWriter();
      const written = writer.write({ n: 1 }).catch((error: unknown) => error);
      await world.sleep(10);
      await writer.abort(new Error('enough'));
      expect(await written).toBeInstanceOf(Error);
      expect(ann.streams.producers).toEqual([]);
    });
  });
});
