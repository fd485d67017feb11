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
});
