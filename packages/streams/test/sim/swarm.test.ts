import { describe, expect, it } from 'vitest';
import { inWorld } from '../support/cluster.ts';
import { Swarm } from './swarm.ts';

const SEEDS = process.env['MOSAIK_SIM'] === 'long' ? 2_000 : 200;
const BASE = Number(process.env['MOSAIK_SEED'] ?? 0);

describe('a swarm of producers and consumers', () => {
  it(`${SEEDS} seeds: every datum arrives in order, or a gap is reported`, async () => {
    let datums = 0;
    let gaps = 0;
    for (let seed = BASE; seed < BASE + SEEDS; seed++) {
      await inWorld({ seed }, async (world) => {
        const swarm = new Swarm(world);
        await swarm.run();
        for (const { lives } of swarm.consumers) {
          for (const record of lives.flat()) record.type === 'gap' ? gaps++ : datums++;
        }
      });
    }
    console.log(`${datums} data, ${gaps} gaps`);
    expect(datums).toBeGreaterThan(SEEDS * 100);
    expect(gaps).toBeGreaterThan(SEEDS);
  }, 600_000);
});
