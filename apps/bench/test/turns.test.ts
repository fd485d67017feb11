import { describe, expect, it } from 'vitest';
import { resultOf, roundTripResults } from '../src/result.ts';
import { inTurns, takeTurns } from '../src/turns.ts';

describe('taking turns', () => {
  it('warms both up, then alternates who is first', async () => {
    const done: string[] = [];
    const runs = await inTurns(
      { ours: 'ours', peer: 'peer' },
      {
        runs: 3,
        take: async (side) => done.push(side),
        warmUp: async (side) => done.push(`warm ${side}`),
      },
    );
    const warm = ['warm ours', 'warm peer'];
    expect(done).toEqual([...warm, 'ours', 'peer', 'peer', 'ours', 'ours', 'peer']);
    expect(runs).toEqual([
      { ours: 3, peer: 4 },
      { ours: 6, peer: 5 },
      { ours: 7, peer: 8 },
    ]);
  });

  it('lets each of three be first in its turn, and keeps the figures in the order of the sides', async () => {
    const done: string[] = [];
    const sides = ['a', 'b', undefined, 'c'];
    const rounds = await takeTurns(sides, {
      runs: 4,
      take: async (side) => {
        done.push(side);
        return `${side}!`;
      },
    });
    expect(done.join('')).toBe('abcbcacababc');
    expect(rounds).toEqual(Array.from({ length: 4 }, () => ['a!', 'b!', undefined, 'c!']));
  });

  it('goes without a side that is missing', async () => {
    const runs = await inTurns({ ours: 1 }, { runs: 2, take: async (side: number) => side });
    expect(runs).toEqual([
      { ours: 1, peer: undefined },
      { ours: 1, peer: undefined },
    ]);
  });
});

describe('a result', () => {
  const about = { name: 'a/b', unit: 'x', peerName: 'them' };

  it('is of medians, with a ratio above 1 where we are better', () => {
    const runs = [
      { ours: 30, peer: 10 },
      { ours: 20, peer: 100 },
      { ours: 10, peer: 5 },
    ];
    expect(resultOf(about, runs)).toMatchObject({ ours: 20, peer: 10, ratio: 2 });
    expect(resultOf({ ...about, isTime: true }, runs)).toMatchObject({ ours: 20, peer: 10, ratio: 0.5 });
  });

  it('has null in JSON for what was not measured', () => {
    const result = resultOf(about, [{ ours: undefined, peer: 5 }]);
    expect(JSON.parse(JSON.stringify(result))).toEqual({
      ...about,
      ours: null,
      peer: 5,
      ratio: null,
      runs: [{ ours: null, peer: 5 }],
    });
  });

  it('about round trips has the middle and the tail', () => {
    const times = Array.from({ length: 100 }, (_, index) => index + 1);
    const results = roundTripResults('a', 'them', [{ ours: times, peer: times.map((time) => 2 * time) }]);
    expect(results.map(({ name, ours, ratio }) => [name, ours, ratio])).toEqual([
      ['a/rtt-p50', 51, 2],
      ['a/rtt-p99', 100, 2],
    ]);
  });
});
