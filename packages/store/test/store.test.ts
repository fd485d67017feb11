import { stream } from '@mosaik/streams';
import { describe, expect, it } from 'vitest';
import { type LogStorage, LogStorageError, type LogStore, memory } from '../src/index.ts';
import { LogDisk } from '../src/simulated/index.ts';
import { dataIn, inWorld, range, restart, startNodes, takeData, takeToMark } from './support/cluster.ts';

const Numbers = stream<number>('numbers');

/** A store whose disk is full after some blocks. */
function fullAfter(blocks: number): LogStore {
  const store = memory();
  let left = blocks;
  const limited = (log: LogStorage): LogStorage => ({
    ...{ identity: log.identity, durability: log.durability },
    get extent() {
      return log.extent;
    },
    append: (block) => {
      if (left-- > 0) return Promise.resolve(log.append(block));
      return Promise.reject(new LogStorageError('io', 'the disk is full'));
    },
    read: (from, maxBytes) => log.read(from, maxBytes),
    offsetAt: (timeMs) => log.offsetAt(timeMs),
    offsetWithin: (maxBytes) => log.offsetWithin(maxBytes),
    trim: (below) => log.trim(below),
    close: () => log.close(),
    [Symbol.asyncDispose]: () => log.close(),
  });
  return {
    durability: 'memory',
    openOwn: async (...args) => limited(await store.openOwn(...args)),
    openMirror: async (identity) => limited(await store.openMirror(identity)),
    list: (id) => store.list(id),
    remove: (identity) => store.remove(identity),
    loadSnapshot: (fold) => store.loadSnapshot(fold),
    saveSnapshot: (fold, snapshot) => store.saveSnapshot(fold, snapshot),
    close: () => store.close(),
  };
}

/** A store of which some offsets of each log cannot be read, though the log is there. */
function damagedAt(store: LogStore, first: number, next: number): LogStore {
  const damaged = (log: LogStorage): LogStorage => {
    const read = log.read.bind(log);
    log.read = async (from, maxBytes) => {
      const blocks = await read(from, maxBytes);
      if (blocks.some((block) => block.first < next && first < block.next))
        throw new LogStorageError('damaged', 'a block is damaged', { damaged: { first, next } });
      return blocks;
    };
    return log;
  };
  const openOwn = store.openOwn.bind(store);
  store.openOwn = async (...args) => damaged(await openOwn(...args));
  return store;
}

describe('a store', () => {
  it('shows what it keeps, and retains a stream once', async () => {
    await inWorld({ seed: 1 }, async (world) => {
      const { ann } = await startNodes(world, 'ann');
      const storage = memory();
      const retained = await ann.store.retain(Numbers, { storage, name: 'for people' });
      await expect(ann.store.retain(Numbers, { storage })).rejects.toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
      });
      const producer = ann.streams.producer(Numbers);
      for (const n of range(0, 10)) await producer.send(n);
      expect(producer.position).toEqual({ epoch: retained.own?.log, next: 10 });
      expect(retained).toMatchObject({ durability: 'memory', name: 'for people', stats: { datums: 10 } });
      expect(retained.logs).toMatchObject([{ isOwn: true, extent: { first: 0, next: 10 } }]);
      expect(ann.discovery.me.stores).toHaveLength(1);
      await retained.close();
      expect(ann.discovery.me.stores).toHaveLength(0);
      const again = await ann.store.retain(Numbers, { storage });
      expect(again.own).toEqual(retained.own);
      await producer.send(10);
      expect(dataIn(await takeToMark(ann.store.replay(Numbers)))).toEqual(range(0, 11));
      expect(ann.store.stats).toMatchObject({ retained: 1, folds: 0 });
    });
  });

  it.each([
    [{ retention: { maxItems: 0 } }, 'retention.maxItems'],
    [{ retention: { maxBytes: 1.5 } }, 'retention.maxBytes'],
    [{ retention: { maxItems: Number.POSITIVE_INFINITY, maxAgeMs: Number.NaN } }, 'retention.maxAgeMs'],
    [{ own: false }, 'own'],
  ])('refuses %j', async (options, name) => {
    await inWorld({ seed: 2 }, async (world) => {
      const { ann } = await startNodes(world, 'ann');
      await expect(ann.store.retain(Numbers, { storage: memory(), ...options })).rejects.toThrow(name);
      expect(() => ann.store.replay(Numbers, { from: { offset: -1 } })).toThrow('from.offset');
      expect(() => ann.store.replay(Numbers, { maxBuffer: 0 })).toThrow('maxBuffer');
    });
  });

  it('lets its readers go when it keeps a stream no more, and they go on elsewhere', async () => {
    await inWorld({ seed: 3 }, async (world) => {
      const { ann, bob, cyd } = await startNodes(world, 'ann', 'bob', 'cyd');
      const own = await ann.store.retain(Numbers, { storage: memory() });
      const copy = await bob.store.retain(Numbers, { storage: memory(), mirror: true });
      const producer = ann.streams.producer(Numbers);
      for (const n of range(0, 10)) await producer.send(n);
      await world.until(() => copy.logs[0]?.extent.next === 10);
      const replay = cyd.store.replay(Numbers, { minHolders: 2 });
      await takeToMark(replay);
      await own.close();
      await world.until(() => replay.sources[0]?.from[0] === bob.transport.local.peerId);
      expect(ann.store.stats.readers).toBe(0);
      const late = cyd.store.replay(Numbers);
      expect(dataIn(await takeToMark(late))).toEqual(range(0, 10));
    });
  });

  it('that cannot write any more refuses what is sent, and serves what it has', async () => {
    await inWorld({ seed: 4 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const retained = await ann.store.retain(Numbers, { storage: fullAfter(5) });
      const producer = ann.streams.producer(Numbers);
      for (const n of range(0, 5)) await producer.send(n);
      await expect(producer.send(5)).rejects.toThrow('the disk is full');
      await expect(producer.send(6)).rejects.toMatchObject({ code: 'ERR_JOURNAL_FAILED', datum: 6 });
      expect(retained.logs[0]?.state).toBe('the disk is full');
      expect(dataIn(await takeToMark(bob.store.replay(Numbers)))).toEqual(range(0, 5));
    });
  });

  it('whose mirror cannot write any more says so, and serves what it has', async () => {
    await inWorld({ seed: 5 }, async (world) => {
      const { bob, ann, cyd } = await startNodes(world, 'bob', 'ann', 'cyd');
      await ann.store.retain(Numbers, { storage: memory() });
      const copy = await bob.store.retain(Numbers, { storage: fullAfter(1), mirror: true });
      const producer = ann.streams.producer(Numbers);
      await producer.send(0);
      await world.until(() => copy.logs[0]?.extent.next === 1);
      await producer.send(1);
      await producer.send(2);
      await world.until(() => copy.logs[0]?.state === 'the disk is full');
      ann.host.crash();
      await world.until(() => cyd.discovery.catalog.size === 1);
      expect(dataIn(await takeToMark(cyd.store.replay(Numbers)))).toEqual([0]);
    });
  });

  it.each([false, true])(
    'leaves out what is damaged, and says so; a mirror has it: %s',
    async (hasMirror) => {
      await inWorld({ seed: 8 }, async (world) => {
        const disk = new LogDisk();
        const { bob, ann, cyd } = await startNodes(world, 'bob', 'ann', 'cyd');
        await ann.store.retain(Numbers, { storage: disk.mount(ann.host.runtime) });
        if (hasMirror) await bob.store.retain(Numbers, { storage: memory(), mirror: true });
        const producer = ann.streams.producer(Numbers);
        for (const n of range(0, 30)) await producer.send(n);
        await world.sleep(1_000);
        const again = await restart(ann, bob);
        const storage = damagedAt(disk.mount(again.host.runtime), 10, 15);
        await again.store.retain(Numbers, { storage });
        const past = await takeToMark(cyd.store.replay(Numbers, { minHolders: hasMirror ? 2 : 1 }));
        const gaps = past.filter(({ type }) => type === 'gap');
        expect(dataIn(past)).toEqual(hasMirror ? range(0, 30) : [...range(0, 10), ...range(15, 30)]);
        expect(gaps).toMatchObject(hasMirror ? [] : [{ from: 10, to: 15 }]);
      });
    },
  );

  it('gives data that cannot be decoded no place among the others, and tells of them', async () => {
    await inWorld({ seed: 6 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      await ann.store.retain(Numbers, { storage: memory() });
      const producer = ann.streams.producer(Numbers);
      for (const n of range(0, 3)) await producer.send(n);
      const { codec, ...rest } = Numbers;
      const decode = (bytes: Uint8Array): number => {
        const n = codec.decode(bytes);
        if (n === 1) throw new Error('not this one');
        return n;
      };
      const Picky = { ...rest, codec: { ...codec, decode } };
      const replay = bob.store.replay(Picky);
      const invalid = replay.invalid.subscribe();
      expect(dataIn(await takeToMark(replay))).toEqual([0, 2]);
      expect((await invalid.next()).value).toMatchObject({ type: 'invalid', offset: 1 });
      expect(replay.cursor.positions).toMatchObject([{ next: 3 }]);
    });
  });

  it('ends its replays and its waits when it is closed', async () => {
    await inWorld({ seed: 7 }, async (world) => {
      const { ann } = await startNodes(world, 'ann');
      await ann.store.retain(Numbers, { storage: memory() });
      const abort = new AbortController();
      const [one, two] = [ann.store.replay(Numbers), ann.store.replay(Numbers, { signal: abort.signal })];
      await Promise.all([takeToMark(one), takeToMark(two)]);
      const ends = [takeData(one, 1), takeData(two, 1)];
      abort.abort();
      expect(await ends[1]).toEqual([]);
      await ann.streams.close();
      await ann.store.close();
      expect(await ends[0]).toEqual([]);
      expect(() => ann.store.replay(Numbers)).toThrow('the store is closed');
    });
  });
});
