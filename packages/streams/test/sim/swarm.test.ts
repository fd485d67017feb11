import { eachSeed } from '@mosaik/testing/seeds';
import { describe, expect, it } from 'vitest';
import { inWorld } from '../support/cluster.ts';
import { Swarm } from './swarm.ts';

describe('a swarm of producers and consumers', () => {
  it('every datum arrives in order, or a gap is reported', async () => {
    let seeds = 0;
    let datums = 0;
    let gaps = 0;
    await eachSeed({ count: 200, long: 2_000 }, async (seed) => {
      seeds++;
      await inWorld({ seed }, async (world) => {
        const swarm = new Swarm(world);
        await swarm.run();
        for (const { lives } of swarm.consumers) {
          for (const record of lives.flat()) record.type === 'gap' ? gaps++ : datums++;
        }
      });
    });
    console.log(`${seeds} seeds: ${datums} data, ${gaps} gaps`);
    // A single seed may be a quiet one.
    if (seeds < 100) return;
    expect(datums).toBeGreaterThan(seeds * 100);
    expect(gaps).toBeGreaterThan(seeds);
  }, 1_800_000);
});
