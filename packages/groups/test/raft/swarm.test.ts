import { describe, expect, it } from 'vitest';
import { isLong, seedsToRun } from './sim/seeds.ts';
import { noCounts, runSeed } from './sim/swarm.ts';

describe('a swarm over the core', () => {
  const seeds = seedsToRun(isLong ? 3000 : 200);

  it(`keeps every promise of Raft, and goes on after all faults, in ${seeds.length} seeds`, {
    timeout: 300_000,
  }, () => {
    const total = noCounts();
    const failures: string[] = [];
    for (const seed of seeds) {
      try {
        const counts = runSeed(seed);
        for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += counts[key];
      } catch (failure) {
        failures.push(`${(failure as Error).message} (again: MOSAIK_SEED=${seed})`);
      }
    }
    expect(failures).toEqual([]);
    if (seeds.length === 1) return;
    // What does not happen is not tested.
    for (const [what, count] of Object.entries(total)) {
      expect(count, what).toBeGreaterThan(
        what === 'reads' || what === 'writes' ? seeds.length * 50 : seeds.length / 2,
      );
    }
  });

  it('runs the same again from the same seed', () => {
    for (const seed of [3, 17, 42]) expect(runSeed(seed)).toEqual(runSeed(seed));
  });
});
