import { stream } from '@mosaik/streams';
import { describe, expect, it } from 'vitest';
import { type Cursor, LogReplacedError, memory } from '../../src/index.ts';
import { LogDisk } from '../../src/simulated/index.ts';
import {
  addressOf,
  dataIn,
  inWorld,
  type Node,
  range,
  restart,
  startNode,
  startNodes,
  takeData,
  takeToMark,
  takeUntil,
} from '../support/cluster.ts';

const Numbers = stream<number>('numbers');
const Blobs = stream<Uint8Array>('blobs');

async function sendAll(node: Node, numbers: readonly number[]): Promise<void> {
  const producer = node.streams.producer(Numbers);
  for (const n of numbers) await producer.send(n);
}

describe('mirrors', () => {
  it('keep the same log, and serve it when its producer is gone', async () => {
    await inWorld({ seed: 1 }, async (world) => {
      const { bob, ann, cyd } = await startNodes(world, 'bob', 'ann', 'cyd');
      const own = await ann.store.retain(Numbers, { storage: memory() });
      const copy = await bob.store.retain(Numbers, { storage: memory(), mirror: true });
      await sendAll(ann, range(0, 3_000));
      await world.until(() => copy.logs[0]?.extent.next === 3_000);
      expect(copy.own).toBeUndefined();
      expect(copy.logs[0]).toMatchObject({ identity: own.own, isOwn: false, extent: own.logs[0]?.extent });
      ann.host.crash();
      const replay = cyd.store.replay(Numbers);
      const past = await takeToMark(replay);
      expect(dataIn(past)).toEqual(range(0, 3_000));
      expect(replay.sources[0]?.from).toEqual([bob.transport.local.peerId]);
    });
  });

  it('give the history, and the producer what comes', async () => {
    await inWorld({ seed: 2 }, async (world) => {
      const { ann, bob, cyd, dan } = await startNodes(world, 'ann', 'bob', 'cyd', 'dan');
      await ann.store.retain(Blobs, { storage: memory() });
      const copies = [
        await bob.store.retain(Blobs, { storage: memory(), mirror: true }),
        await cyd.store.retain(Blobs, { storage: memory(), mirror: true }),
      ];
      const producer = ann.streams.producer(Blobs);
      for (const n of range(0, 1_200)) await producer.send(new Uint8Array(10_000).fill(n % 251));
      await world.until(() => copies.every(({ logs }) => logs[0]?.extent.next === 1_200));
      const served = (node: Node): number => {
        const [point] = node.transport.metrics.snapshot()['mosaik.store.served.bytes'] ?? [];
        return point !== undefined && 'value' in point ? Number(point.value) : 0;
      };
      const before = served(ann);
      const replay = dan.store.replay(Blobs, { minHolders: 3, maxBuffer: 3 * 1024 * 1024 });
      const past = dataIn(await takeToMark(replay));
      expect(past.map((blob) => blob[0])).toEqual(range(0, 1_200).map((n) => n % 251));
      expect(served(ann) - before).toBeLessThan(1_000_000);
      expect(served(bob)).toBeGreaterThan(3_000_000);
      expect(served(cyd)).toBeGreaterThan(3_000_000);
      await producer.send(Uint8Array.of(99));
      expect(await takeData(replay, 1)).toEqual([Uint8Array.of(99)]);
      expect(replay.sources[0]?.from).toEqual([ann.transport.local.peerId]);
    });
  });

  it('fill in for one that dies in the middle', async () => {
    await inWorld({ seed: 3 }, async (world) => {
      const { ann, bob, cyd, dan } = await startNodes(world, 'ann', 'bob', 'cyd', 'dan');
      await ann.store.retain(Blobs, { storage: memory() });
      const copies = [
        await bob.store.retain(Blobs, { storage: memory(), mirror: true }),
        await cyd.store.retain(Blobs, { storage: memory(), mirror: true }),
      ];
      const producer = ann.streams.producer(Blobs);
      for (const n of range(0, 1_200)) await producer.send(new Uint8Array(10_000).fill(n % 251));
      await world.until(() => copies.every(({ logs }) => logs[0]?.extent.next === 1_200));
      const replay = dan.store.replay(Blobs, { minHolders: 3, maxBuffer: 3 * 1024 * 1024 });
      const seen = dataIn(
        await takeUntil(replay, (record) => record.type === 'datum' && record.offset === 300),
      );
      bob.host.crash({ mode: 'powerLoss' });
      const rest = dataIn(
        await takeUntil(replay, (record) => record.type === 'datum' && record.offset === 1_199),
      );
      expect([...seen, ...rest].map((blob) => blob[0])).toEqual(range(0, 1_200).map((n) => n % 251));
      expect(replay.stats.gaps).toBe(0);
    });
  });

  it('have what the producer has removed', async () => {
    await inWorld({ seed: 4 }, async (world) => {
      const { ann, bob, cyd } = await startNodes(world, 'ann', 'bob', 'cyd');
      await ann.store.retain(Numbers, { storage: memory(), retention: { maxItems: 10 } });
      const copy = await bob.store.retain(Numbers, { storage: memory(), mirror: true });
      for (const end of range(1, 11)) {
        await sendAll(ann, range(10 * end - 10, 10 * end));
        await world.until(() => copy.logs[0]?.extent.next === 10 * end);
      }
      const replay = cyd.store.replay(Numbers, { minHolders: 2 });
      expect(dataIn(await takeToMark(replay))).toEqual(range(0, 100));
      expect(replay.stats.gaps).toBe(0);
    });
  });

  it('tell what they have missed, and do not give it for there', async () => {
    await inWorld({ seed: 5 }, async (world) => {
      const { bob, ann, cyd } = await startNodes(world, 'bob', 'ann', 'cyd');
      await ann.store.retain(Numbers, { storage: memory(), retention: { maxItems: 10 } });
      const copy = await bob.store.retain(Numbers, { storage: memory(), mirror: true });
      await sendAll(ann, range(0, 8));
      await world.until(() => copy.logs[0]?.extent.next === 8);
      world.faults.partition([ann.host], [bob.host]);
      await sendAll(ann, range(8, 100));
      await world.sleep(20_000);
      world.faults.clear();
      await world.until(() => copy.logs[0]?.extent.next === 100);
      expect(copy.stats.gaps).toBe(1);
      ann.host.crash();
      await world.until(() => cyd.discovery.catalog.size === 1);
      const past = await takeToMark(cyd.store.replay(Numbers));
      expect(dataIn(past)).toEqual([...range(0, 8), ...range(90, 100)]);
      expect(past.filter(({ type }) => type === 'gap')).toMatchObject([{ from: 8, to: 90 }]);
    });
  });

  it('are left for the producer when it comes back, also when it has removed what comes next', async () => {
    await inWorld({ seed: 6 }, async (world) => {
      const disk = new LogDisk();
      const { bob, cyd, ann } = await startNodes(world, 'bob', 'cyd', 'ann');
      const retention = { maxItems: 20 };
      await ann.store.retain(Numbers, { storage: disk.mount(ann.host.runtime), retention });
      const copy = await bob.store.retain(Numbers, { storage: memory(), mirror: true });
      await sendAll(ann, range(0, 10));
      await world.until(() => copy.logs[0]?.extent.next === 10);
      const replay = cyd.store.replay(Numbers, { minHolders: 2 });
      await takeToMark(replay);
      ann.host.crash();
      await world.until(() => replay.sources[0]?.from[0] === bob.transport.local.peerId);
      world.faults.partition([ann.host], [bob.host]);
      const again = await restart(ann, cyd);
      await again.store.retain(Numbers, { storage: disk.mount(again.host.runtime), retention });
      await sendAll(again, range(10, 100));
      const next = await takeUntil(replay, (record) => record.type === 'datum' && record.datum === 99);
      expect(dataIn(next).at(-1)).toBe(99);
      expect(dataIn(next)).toEqual(range(100 - dataIn(next).length, 100));
    });
  });

  it('let go of copies of which nothing is left, and take the log anew when it comes back', async () => {
    await inWorld({ seed: 8 }, async (world) => {
      const [disk, storage] = [new LogDisk(), memory()];
      const { bob, ann } = await startNodes(world, 'bob', 'ann');
      await ann.store.retain(Numbers, { storage: disk.mount(ann.host.runtime) });
      const copy = await bob.store.retain(Numbers, {
        storage,
        mirror: true,
        retention: { maxAgeMs: 60_000 },
      });
      await sendAll(ann, range(0, 100));
      await world.until(() => copy.logs[0]?.extent.next === 100);
      await world.sleep(200_000);
      expect(copy.logs[0]?.extent).toMatchObject({ first: 100, next: 100 });
      ann.host.crash();
      await world.sleep(100_000);
      expect(copy.logs).toEqual([]);
      expect(await storage.list(Numbers.id)).toEqual([]);
      const again = await restart(ann, bob);
      await again.store.retain(Numbers, { storage: disk.mount(again.host.runtime) });
      await sendAll(again, [100]);
      await world.until(() => copy.logs[0]?.extent.next === 101);
    });
  });

  it('go on with their copies after a restart', async () => {
    await inWorld({ seed: 7 }, async (world) => {
      const disk = new LogDisk();
      const { ann, bob, cyd } = await startNodes(world, 'ann', 'bob', 'cyd');
      await ann.store.retain(Numbers, { storage: memory() });
      await bob.store.retain(Numbers, { storage: disk.mount(bob.host.runtime), mirror: true });
      await sendAll(ann, range(0, 100));
      await world.sleep(1_000);
      const again = await restart(bob, cyd);
      ann.host.crash();
      const copy = await again.store.retain(Numbers, {
        storage: disk.mount(again.host.runtime),
        mirror: true,
      });
      expect(copy.logs[0]?.extent).toMatchObject({ first: 0, next: 100 });
      await world.until(() => cyd.discovery.catalog.size === 1);
      expect(dataIn(await takeToMark(cyd.store.replay(Numbers)))).toEqual(range(0, 100));
    });
  });
});

describe('logs that end', () => {
  it('end with a gap whose end is not known, and the next one begins', async () => {
    await inWorld({ seed: 8 }, async (world) => {
      const { bob, ann } = await startNodes(world, 'bob', 'ann');
      const first = await ann.store.retain(Numbers, { storage: memory() });
      await sendAll(ann, range(0, 10));
      const replay = bob.store.replay(Numbers);
      await takeToMark(replay);
      const again = await restart(ann, bob);
      const second = await again.store.retain(Numbers, { storage: memory() });
      await sendAll(again, range(0, 5));
      const next = await takeUntil(replay, ({ type }) => type === 'gap');
      const rest = dataIn(next).length === 5 ? [] : await takeData(replay, 5);
      expect([...dataIn(next), ...rest]).toEqual(range(0, 5));
      expect(next.at(-1)).toMatchObject({ type: 'gap', log: first.own?.log, from: 10, to: undefined });
      const saved = JSON.parse(JSON.stringify(replay.cursor)) as Cursor;
      expect(saved.positions).toContainEqual(expect.objectContaining({ log: first.own?.log, isOver: true }));
      await replay.close();
      const resumed = bob.store.replay(Numbers, { from: saved });
      await again.streams.producer(Numbers).send(5);
      const [datum] = await takeUntil(resumed, ({ type }) => type === 'datum');
      expect(datum).toMatchObject({ datum: 5, offset: 5, log: second.own?.log });
    });
  });

  it('refuse a cursor into them, unless somebody has kept them', async () => {
    await inWorld({ seed: 9 }, async (world) => {
      const { bob, ann, cyd } = await startNodes(world, 'bob', 'ann', 'cyd');
      await ann.store.retain(Numbers, { storage: memory() });
      await sendAll(ann, range(0, 100));
      const replay = bob.store.replay(Numbers);
      await takeData(replay, 50);
      const { cursor } = replay;
      await replay.close();
      const copy = await cyd.store.retain(Numbers, { storage: memory(), mirror: true });
      await world.until(() => copy.logs[0]?.extent.next === 100);
      const again = await restart(ann, bob);
      const present = await again.store.retain(Numbers, { storage: memory() });
      await sendAll(again, range(1_000, 1_010));
      const kept = await takeToMark(bob.store.replay(Numbers, { from: cursor, minHolders: 2 }));
      expect(dataIn(kept).filter((n) => n < 1_000)).toEqual(range(50, 100));
      await copy.close();
      const refused = takeToMark(bob.store.replay(Numbers, { from: cursor }));
      await expect(refused).rejects.toBeInstanceOf(LogReplacedError);
      await expect(refused).rejects.toMatchObject({ offset: 50, present: present.own?.log });
    });
  });
});

describe('several producers', () => {
  it('are merged, each in its own order, none before another', async () => {
    await inWorld({ seed: 10 }, async (world) => {
      const { ann, bob, cyd } = await startNodes(world, 'ann', 'bob', 'cyd');
      for (const node of [ann, bob]) await node.store.retain(Numbers, { storage: memory() });
      await Promise.all([sendAll(ann, range(0, 50_000)), sendAll(bob, range(100_000, 150_000))]);
      const replay = cyd.store.replay(Numbers, { minHolders: 2 });
      const past = dataIn(await takeToMark(replay));
      expect(past.filter((n) => n < 100_000)).toEqual(range(0, 50_000));
      expect(past.filter((n) => n >= 100_000)).toEqual(range(100_000, 150_000));
      const half = past.slice(0, past.length / 2).filter((n) => n < 100_000).length;
      expect(half / past.length).toBeGreaterThan(0.1);
      expect(half / past.length).toBeLessThan(0.4);
    });
  });
});

describe('where a replay begins', () => {
  it('is the end, an offset, or a time', async () => {
    await inWorld({ seed: 11 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      await ann.store.retain(Numbers, { storage: memory() });
      await sendAll(ann, range(0, 100));
      await world.sleep(5_000);
      const since = ann.host.runtime.wallNow();
      await sendAll(ann, range(100, 150));
      await world.sleep(5_000);
      const past = (from: Parameters<typeof bob.store.replay>[1]) =>
        takeToMark(bob.store.replay(Numbers, from)).then(dataIn);
      expect(await past({ from: 'end' })).toEqual([]);
      expect(await past({ from: { offset: 140 } })).toEqual(range(140, 150));
      expect(await past({ from: { since } })).toEqual(range(100, 150));
      expect(await past({ from: { since: new Date(ann.host.runtime.wallNow()) } })).toEqual([]);
      expect(await past({ from: { since: 0 } })).toEqual(range(0, 150));
    });
  });

  it('is told when it is below what is kept', async () => {
    await inWorld({ seed: 12 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      await ann.store.retain(Numbers, { storage: memory(), retention: { maxItems: 30 } });
      await sendAll(ann, range(0, 100));
      const [gap, ...rest] = await takeToMark(bob.store.replay(Numbers, { from: { offset: 5 } }));
      expect(gap).toMatchObject({ type: 'gap', from: 5, to: 70 });
      expect(dataIn(rest)).toEqual(range(70, 100));
      const fromStart = await takeToMark(bob.store.replay(Numbers));
      expect(fromStart[0]).toMatchObject({ type: 'datum', offset: 70 });
    });
  });

  it.each([
    ['maxBytes', { maxBytes: 1_000 }, 400, 1_000],
    ['maxAgeMs', { maxAgeMs: 60_000 }, 0, 1],
  ])('moves with retention by %s', async (_name, retention, least, most) => {
    await inWorld({ seed: 13 }, async (world) => {
      const { ann } = await startNodes(world, 'ann');
      const retained = await ann.store.retain(Numbers, { storage: memory(), retention });
      const producer = ann.streams.producer(Numbers);
      for (const n of range(0, 1_000)) {
        await producer.send(n);
        if (n % 50 === 0) await world.sleep(100);
      }
      await world.sleep(70_000);
      const bytes = retained.logs[0]?.extent.bytes ?? -1;
      expect(bytes).toBeGreaterThanOrEqual(least);
      expect(bytes).toBeLessThanOrEqual(most);
      expect(retained.logs[0]?.extent.next).toBe(1_000);
    });
  });
});

describe('acceptIf', () => {
  it('decides who reads, also while it does', async () => {
    await inWorld({ seed: 14 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      await ann.store.retain(Numbers, { storage: memory(), acceptIf: (peer) => peer.hasTag('reader') });
      await sendAll(ann, range(0, 10));
      const refused = bob.store.replay(Numbers);
      const marked = takeToMark(refused);
      await world.sleep(10_000);
      expect(refused.stats.datums).toBe(0);
      expect(refused.why().facts).toMatchObject({ refused: 1 });
      bob.discovery.addTags('reader');
      expect(dataIn(await marked)).toEqual(range(0, 10));
      bob.discovery.removeTags('reader');
      await world.sleep(10_000);
      await sendAll(ann, range(10, 20));
      await world.sleep(10_000);
      expect(refused.stats.datums).toBe(10);
      const eve = await startNode(world.host('eve'), { bootstrap: [addressOf(ann.host)] });
      expect(eve.store.stats.readers).toBe(0);
    });
  });
});
