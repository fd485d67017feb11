import { AssertionError } from 'node:assert';
import { describe, expect, it } from 'vitest';
import { readEnvironment } from '../../src/seeds/environment.ts';
import { eachSeed, seedsOf } from '../../src/seeds/index.ts';
import { replayCommand } from '../../src/seeds/replay.ts';

const sample = readEnvironment({});
const long = readEnvironment({ MOSAIK_SIM: 'long' });

describe('the seeds of a simulation', () => {
  it('are its own number of them, and more at full length', () => {
    expect(seedsOf({ count: 3 }, sample)).toEqual([1, 2, 3]);
    expect(seedsOf({ count: 3 }, long)).toHaveLength(30);
    expect(seedsOf({ count: 3, long: 7 }, long)).toHaveLength(7);
  });

  it('are as many as asked for, from the one asked for', () => {
    const environment = readEnvironment({ MOSAIK_SEED: '4294967295', MOSAIK_SEEDS: '2' });
    expect(seedsOf({ count: 100 }, environment)).toEqual([4_294_967_295, 4_294_967_296]);
  });

  it('are a share of those that all are asked for, and all of those asked of it alone', () => {
    const asked = (variables: Record<string, string>) =>
      seedsOf({ count: 3, share: 0.05 }, readEnvironment({ MOSAIK_SIM: 'long', ...variables }));
    expect(asked({ MOSAIK_SEEDS: '1000', MOSAIK_SEEDS_OF: 'all' })).toHaveLength(50);
    expect(asked({ MOSAIK_SEEDS: '3', MOSAIK_SEEDS_OF: 'all' })).toHaveLength(1);
    expect(asked({ MOSAIK_SEEDS: '1000' })).toHaveLength(1_000);
    expect(asked({ MOSAIK_SEEDS_OF: 'all' })).toHaveLength(30);
  });

  it.each(['x', '-1', '1.5', '1e3'])('are not guessed from %s', (text) => {
    expect(() => readEnvironment({ MOSAIK_SEED: text })).toThrow('MOSAIK_SEED is to be a whole number');
    expect(() => readEnvironment({ MOSAIK_SEEDS: text })).toThrow('MOSAIK_SEEDS is to be a whole number');
  });
});

describe('each seed', () => {
  it('is run, in order, one after the other', async () => {
    const events: string[] = [];
    const run = async (seed: number): Promise<void> => {
      events.push(`begin ${seed}`);
      await Promise.resolve();
      events.push(`end ${seed}`);
    };
    await eachSeed({ count: 2 }, run, sample);
    expect(events).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2']);
  });

  it("says when it fails which one it was, and how to run it again (with this test's name)", async () => {
    const failing = new AssertionError({ message: 'lost a write' });
    const run = async (seed: number): Promise<void> => {
      if (seed === 2) throw failing;
    };
    await expect(eachSeed({ count: 5 }, run, sample)).rejects.toBe(failing);
    expect(failing.message).toMatch(
      /^lost a write\nseed 2; again: npm test -- --seed 2 --seeds 1 \S+seeds\.test\.ts -t /,
    );
    const name = String.raw`'^each seed > says when it fails which one it was, and how to run it again \(with this test'\''s name\)$'`;
    expect(failing.message.endsWith(name)).toBe(true);
  });
});

describe('the command that runs a seed again', () => {
  it('is of the same task', () => {
    const replay = { seed: 7, test: undefined, file: 'a/b.test.ts' };
    expect(replayCommand({ ...replay, isLong: false })).toBe('npm test -- --seed 7 --seeds 1 a/b.test.ts');
    expect(replayCommand({ ...replay, isLong: true })).toBe('npm run sim -- --seed 7 --seeds 1 a/b.test.ts');
  });
});
