import { eachSeed, seedsOf } from '@mosaik/testing/seeds';
import { describe, expect, it } from 'vitest';
import type { Counts } from './sim/member.ts';
import { noCounts, runSeed } from './sim/swarm.ts';

const howMany = { count: 200, long: 3000 };

describe('a swarm over the core', () => {
  it('keeps every promise of Raft, and goes on after all faults', { timeout: 600_000 }, async () => {
    const total = noCounts();
    await eachSeed(howMany, async (seed) => add(total, runSeed(seed)));
    requireVariety(total, seedsOf(howMany).length);
  });

  it('runs the same again from the same seed', () => {
    for (const seed of [3, 17, 42]) expect(runSeed(seed)).toEqual(runSeed(seed));
  });
});

function add(total: Counts, counts: Counts): void {
  for (const key of Object.keys(total) as (keyof Counts)[]) total[key] += counts[key];
}

/** What does not happen is not tested. A single seed may be a dull one. */
function requireVariety(total: Counts, seeds: number): void {
  if (seeds < 50) return;
  for (const [what, count] of Object.entries(total)) expect(count, what).toBeGreaterThan(seeds / 2);
  expect(total.writes).toBeGreaterThan(seeds * 50);
}
