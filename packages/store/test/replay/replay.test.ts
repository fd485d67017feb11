import { stream } from '@mosaik/streams';
import { describe, expect, it } from 'vitest';
import { memory } from '../../src/index.ts';
import { dataIn, inWorld, range, startNodes, takeData, takeToMark } from '../support/cluster.ts';

const Numbers = stream<number>('numbers');

describe('a replay', () => {
  it('gives the past, then says so, then the present', async () => {
    await inWorld({ seed: 1 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      await ann.store.retain(Numbers, { storage: memory() });
      const producer = ann.streams.producer(Numbers);
      for (const n of range(0, 5_000)) await producer.send(n);
      const replay = bob.store.replay(Numbers);
      const past = await takeToMark(replay);
      expect(dataIn(past)).toEqual(range(0, 5_000));
      expect(past.at(-1)).toEqual({ type: 'caughtUp' });
      expect(replay.when().caughtUp().isMet).toBe(true);
      for (const n of range(5_000, 6_000)) await producer.send(n);
      expect(await takeData(replay, 1_000)).toEqual(range(5_000, 6_000));
      expect(replay.stats).toMatchObject({ datums: 6_000, gaps: 0, invalid: 0 });
    });
  });

  it('serves a node its own stream', async () => {
    await inWorld({ seed: 2 }, async (world) => {
      const { ann } = await startNodes(world, 'ann');
      await ann.store.retain(Numbers, { storage: memory() });
      const producer = ann.streams.producer(Numbers);
      for (const n of range(0, 100)) await producer.send(n);
      const replay = ann.store.replay(Numbers);
      expect(dataIn(await takeToMark(replay))).toEqual(range(0, 100));
      await producer.send(100);
      expect(await takeData(replay, 1)).toEqual([100]);
    });
  });

  it('has the faces of a loop, of batches, of a Web Stream, and tells of gaps beside them', async () => {
    await inWorld({ seed: 3 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      await ann.store.retain(Numbers, { storage: memory(), retention: { maxItems: 50 } });
      const producer = ann.streams.producer(Numbers);
      for (const n of range(0, 100)) await producer.send(n);
      const replay = bob.store.replay(Numbers, { from: { offset: 10 } });
      const gaps = replay.gaps.subscribe();
      expect(await takeData(replay, 5)).toEqual(range(50, 55));
      expect((await gaps.next()).value).toMatchObject({ from: 10, to: 50 });
      // Batches are what has arrived.
      await world.sleep(100);
      const batch = await replay.batches({ maxDatums: 10 }).next();
      expect(batch.value).toEqual(range(55, 65));
      const run = await replay.recordBatches({ maxRecords: 3 }).next();
      expect(run.value).toMatchObject([65, 66, 67].map((n) => ({ type: 'datum', datum: n, offset: n })));
      const reader = replay.readable.getReader();
      expect((await reader.read()).value).toBe(68);
      expect(replay.cursor.positions).toMatchObject([{ next: 69 }]);
      await reader.cancel();
      expect(await takeData(replay, 1)).toEqual([]);
      expect(bob.store.stats.replays).toBe(0);
    });
  });

  it('tells whoever waits for it to catch up that it is closed', async () => {
    await inWorld({ seed: 5 }, async (world) => {
      const { ann } = await startNodes(world, 'ann');
      const replay = ann.store.replay(Numbers);
      const told = expect(replay.when().caughtUp().wait()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
      await replay.close();
      await told;
    });
  });

  it('tells how it stands, and gives up a wait when told to', async () => {
    await inWorld({ seed: 4 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      await ann.store.retain(Numbers, { storage: memory() });
      await ann.streams.producer(Numbers).send(1);
      const replay = bob.store.replay(Numbers);
      await takeToMark(replay);
      expect(replay.why()).toMatchObject({ isOnline: true, text: 'caught up: 1 logs of 1 holders' });
      expect(replay.sources).toMatchObject([
        { next: 1, isCaughtUp: true, from: [ann.transport.local.peerId] },
      ]);
      const patience = new AbortController();
      const waited = replay.records({ signal: patience.signal }).next();
      patience.abort();
      await expect(waited).rejects.toMatchObject({ code: 'ERR_ABORTED' });
      await ann.streams.producer(Numbers).send(2);
      expect(await takeData(replay, 1)).toEqual([2]);
    });
  });
});
