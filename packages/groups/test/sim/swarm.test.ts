import { eachSeed, seedsOf } from '@mosaik/testing/seeds';
import { describe, expect, it } from 'vitest';
import { FAULT_KINDS } from './swarm/plan.ts';
import { runSwarm, type SwarmResult } from './swarm/swarm.ts';

const HOW_MANY = { count: 100, long: 1_000 };

type Count = Exclude<keyof SwarmResult, 'faults' | 'trace'>;

describe('a swarm of whole nodes', () => {
  it('loses nothing, applies everything once, and recovers', async () => {
    const results: SwarmResult[] = [];
    await eachSeed(HOW_MANY, async (seed) => {
      if (process.env['SWARM_VERBOSE']) process.stderr.write(`seed ${seed}\n`);
      results.push(await runSwarm(seed));
    });
    const total = (field: Count): number => results.reduce((sum, result) => sum + result[field], 0);
    console.log(
      `${results.length} seeds: ${total('answered')} of ${total('operations')} operations answered, ` +
        `${total('heardLater')} of them after they had been given up, ` +
        `${total('leaderChanges')} changes of leader, ${total('pulledSnapshots')} snapshots and ` +
        `${total('pulledEntries')} entries pulled, ${total('rests')} members resting when a fault came, ` +
        `${total('discards')} logs found damaged by running members; ` +
        FAULT_KINDS.map((kind) => `${faultsOf(results, kind)} × ${kind}`).join(', '),
    );
    requireVariety(results);
    // One in some dozens of seeds: a sample may have none.
    if (results.length >= 500) expect(total('discards')).toBeGreaterThan(0);
    expect(total('answered')).toBeGreaterThan(total('operations') / 2);
    if (results.length >= 100) expect(total('heardLater')).toBeGreaterThan(0);
  }, 3_600_000);

  it('does the same again from the same seed', async () => {
    const [seed = 1] = seedsOf(HOW_MANY);
    for (const again of [seed, seed + 1, seed + 2])
      expect(await runSwarm(again)).toEqual(await runSwarm(again));
  });
});

/** What does not happen is not tested. A single seed may be a dull one. */
function requireVariety(results: readonly SwarmResult[]): void {
  if (results.length < 100) return;
  const rests = results.reduce((sum, result) => sum + result.rests, 0);
  expect(rests).toBeGreaterThan(results.length / 2);
  for (const kind of FAULT_KINDS) expect(faultsOf(results, kind), kind).toBeGreaterThan(0);
}

function faultsOf(results: readonly SwarmResult[], kind: (typeof FAULT_KINDS)[number]): number {
  return results.reduce((sum, { faults }) => sum + faults[kind], 0);
}
