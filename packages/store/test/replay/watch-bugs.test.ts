import { stream } from '@mosaik/streams';
import { describe, expect, it } from 'vitest';
import { type Cursor, memory, OffsetAheadError } from '../../src/index.ts';
import { LogDisk } from '../../src/simulated/index.ts';
import {
  addressOf,
  dataIn,
  inWorld,
  range,
  restart,
  startNode,
  startNodes,
  takeData,
  takeToMark,
  takeUntil,
} from '../support/cluster.ts';

const Numbers = stream<number>('numbers');

/** The bugs that watches of logs and of key-value stores are known for, each as it was met. */
describe('a replay does not', () => {
  it('go back in time when a partition leaves it with a mirror that lags', async () => {
    await inWorld({ seed: 1 }, async (world) => {
      const { ann, bob, cyd } = await startNodes(world, 'ann', 'bob', 'cyd');
      await ann.store.retain(Numbers, { storage: memory() });
      const copy = await bob.store.retain(Numbers, { storage: memory(), mirror: true });
      const producer = ann.streams.producer(Numbers);
      for (const n of range(0, 500)) await producer.send(n);
      await world.until(() => copy.logs[0]?.extent.next === 500);
      const replay = cyd.store.replay(Numbers, { minHolders: 2 });
      expect(dataIn(await takeToMark(replay))).toEqual(range(0, 500));
      world.faults.partition([ann.host, cyd.host], [bob.host, cyd.host]);
      for (const n of range(500, 1_000)) await producer.send(n);
      expect(await takeData(replay, 500)).toEqual(range(500, 1_000));
      world.faults.clear();
      world.faults.partition([ann.host], [bob.host, cyd.host]);
      await world.sleep(30_000);
      expect(replay.stats.datums).toBe(1_000);
      world.faults.clear();
      await producer.send(1_000);
      expect(await takeData(replay, 1)).toEqual([1_000]);
      expect(replay.stats.gaps).toBe(0);
    });
  });

  it('lose what comes while its reader is slow, nor slow the producer, nor hold it all', async () => {
    await inWorld({ seed: 2 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      await ann.store.retain(Numbers, { storage: memory() });
      const producer = ann.streams.producer(Numbers);
      const replay = bob.store.replay(Numbers, { maxBuffer: 2_000 });
      await takeToMark(replay);
      const before = world.now;
      for (const n of range(0, 200_000)) await producer.send(n);
      expect(world.now - before).toBeLessThan(1_000);
      await world.sleep(60_000);
      expect(replay.stats.waitingBytes).toBeLessThanOrEqual(2_000);
      const seen = await takeData(replay, 200_000);
      expect(seen.every((n, index) => n === index)).toBe(true);
      expect(replay.stats.gaps).toBe(0);
    });
  });

  it('give anything twice after its connections are lost', async () => {
    await inWorld({ seed: 3 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      await ann.store.retain(Numbers, { storage: memory() });
      const producer = ann.streams.producer(Numbers);
      const replay = bob.store.replay(Numbers);
      world.faults.loseConnections({ perMinute: 120 });
      const sending = (async () => {
        for (const n of range(0, 3_000)) {
          await producer.send(n);
          if (n % 30 === 0) await world.sleep(100);
        }
      })();
      expect(await takeData(replay, 3_000)).toEqual(range(0, 3_000));
      await sending;
      expect(replay.stats.gaps).toBe(0);
    });
  });

  it('miss what retention removed while it was cut off', async () => {
    await inWorld({ seed: 4 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      await ann.store.retain(Numbers, { storage: memory(), retention: { maxItems: 100 } });
      const producer = ann.streams.producer(Numbers);
      for (const n of range(0, 50)) await producer.send(n);
      const replay = bob.store.replay(Numbers);
      await takeToMark(replay);
      world.faults.partition([ann.host], [bob.host]);
      for (const n of range(50, 1_000)) await producer.send(n);
      await world.sleep(30_000);
      world.faults.clear();
      const [gap, ...rest] = await takeUntil(
        replay,
        (record) => record.type === 'datum' && record.datum === 999,
      );
      expect(gap).toMatchObject({ type: 'gap', from: 50, to: 900 });
      expect(dataIn(rest)).toEqual(range(900, 1_000));
      expect(rest.map((record) => (record.type === 'datum' ? record.offset : -1))).toEqual(range(900, 1_000));
    });
  });

  it('give old data for an offset in the future', async () => {
    await inWorld({ seed: 5 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      await ann.store.retain(Numbers, { storage: memory() });
      const producer = ann.streams.producer(Numbers);
      for (const n of range(0, 10)) await producer.send(n);
      const replay = bob.store.replay(Numbers, { from: { offset: 11 } });
      const refused = takeData(replay, 1);
      await expect(refused).rejects.toBeInstanceOf(OffsetAheadError);
      await expect(refused).rejects.toMatchObject({ code: 'ERR_OFFSET_AHEAD', offset: 11 });
      const atEnd = bob.store.replay(Numbers, { from: { offset: 10 } });
      expect(dataIn(await takeToMark(atEnd))).toEqual([]);
    });
  });

  it('take a mirror that lags for the end of a log whose producer is away', async () => {
    await inWorld({ seed: 6 }, async (world) => {
      const disk = new LogDisk();
      const { bob, cyd, ann } = await startNodes(world, 'bob', 'cyd', 'ann');
      await ann.store.retain(Numbers, { storage: disk.mount(ann.host.runtime) });
      const copy = await bob.store.retain(Numbers, { storage: memory(), mirror: true });
      const producer = ann.streams.producer(Numbers);
      for (const n of range(0, 50)) await producer.send(n);
      await world.until(() => copy.logs[0]?.extent.next === 50);
      world.faults.partition([ann.host], [bob.host]);
      for (const n of range(50, 100)) await producer.send(n);
      ann.host.crash();
      await world.until(() => cyd.discovery.catalog.size === 1);
      const replay = cyd.store.replay(Numbers, { from: { offset: 80 } });
      const seen = takeData(replay, 21);
      await world.sleep(60_000);
      expect(replay.stats.datums).toBe(0);
      expect(replay.why().text).toContain('the mirrors that answer are not so far');
      world.faults.clear();
      const again = await restart(ann, bob);
      await again.store.retain(Numbers, { storage: disk.mount(again.host.runtime) });
      await again.streams.producer(Numbers).send(100);
      expect(await seen).toEqual(range(80, 101));
    });
  });

  it('begin anew when its process does', async () => {
    await inWorld({ seed: 7 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      await ann.store.retain(Numbers, { storage: memory() });
      const producer = ann.streams.producer(Numbers);
      for (const n of range(0, 1_000)) await producer.send(n);
      const first = bob.store.replay(Numbers);
      expect(await takeData(first, 333)).toEqual(range(0, 333));
      const saved = JSON.stringify(first.cursor);
      const again = await restart(bob, ann);
      for (const n of range(1_000, 1_100)) await producer.send(n);
      const second = again.store.replay(Numbers, { from: JSON.parse(saved) as Cursor });
      expect(dataIn(await takeToMark(second))).toEqual(range(333, 1_100));
    });
  });

  it('wait for ever to be caught up with a log that is empty', async () => {
    await inWorld({ seed: 8 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      await ann.store.retain(Numbers, { storage: memory() });
      const replay = bob.store.replay(Numbers);
      expect(await takeToMark(replay)).toEqual([{ type: 'caughtUp' }]);
      await ann.streams.producer(Numbers).send(7);
      const [next] = await takeUntil(replay, ({ type }) => type === 'datum');
      expect(next).toMatchObject({ type: 'datum', datum: 7, offset: 0 });
    });
  });

  it('say that it is caught up before anybody is known who could tell', async () => {
    await inWorld({ seed: 9 }, async (world) => {
      const { bob, cyd } = await startNodes(world, 'bob', 'cyd');
      const replay = bob.store.replay(Numbers);
      const marked = takeToMark(replay);
      await world.sleep(60_000);
      expect(replay.when().caughtUp().isMet).toBe(false);
      expect(replay.why().text).toContain('0 of 1 holders of numbers known');
      const ann = await startNode(world.host('ann'), { bootstrap: [addressOf(cyd.host)] });
      await ann.store.retain(Numbers, { storage: memory() });
      expect(await marked).toEqual([{ type: 'caughtUp' }]);
    });
  });
});
