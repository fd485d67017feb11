import { eachSeed } from '@mosaik/testing/seeds';
import { describe, expect, it } from 'vitest';
import { runSwarm, type SwarmResult } from './swarm.ts';

describe('a swarm of whole nodes', () => {
  it('loses nothing, applies everything once, and recovers', async () => {
    const results: SwarmResult[] = [];
    await eachSeed({ count: 100, long: 1_000 }, async (seed) => {
      if (process.env['SWARM_VERBOSE']) process.stderr.write(`seed ${seed}\n`);
      results.push(await runSwarm(seed));
    });
    const total = (field: keyof SwarmResult): number =>
      results.reduce((sum, result) => sum + result[field], 0);
    console.log(
      `${results.length} seeds: ${total('answered')} of ${total('operations')} operations answered, ` +
        `${total('leaderChanges')} changes of leader, ${total('pulledSnapshots')} snapshots and ` +
        `${total('pulledEntries')} entries pulled, ${total('rests')} members resting when a fault came`,
    );
    expect(total('rests')).toBeGreaterThan(results.length / 2);
    expect(total('answered')).toBeGreaterThan(total('operations') / 2);
  }, 3_600_000);
});
