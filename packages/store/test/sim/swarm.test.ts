import { eachSeed } from '@mosaik/testing/seeds';
import { describe, expect, it } from 'vitest';
import { inWorld } from '../support/cluster.ts';
import { Swarm } from './swarm.ts';

describe('a swarm of producers, mirrors and late joiners', () => {
  it('sees exactly what was retained, in order, and is told what is gone', async () => {
    const totals = { seeds: 0, lives: 0, data: 0, gaps: 0, replaced: 0 };
    await eachSeed({ count: 100, long: 2_000 }, async (seed) => {
      await inWorld({ seed }, async (world) => {
        const swarm = new Swarm(world);
        await swarm.run();
        count(swarm, totals);
      });
    });
    console.log(totals);
    // Of a few seeds there may be one in which hardly anything was sent.
    if (totals.seeds >= 20) expect(totals.data).toBeGreaterThan(totals.seeds * 300);
  }, 3_600_000);
});

function count(
  { consumers, replaced }: Swarm,
  totals: Record<'seeds' | 'lives' | 'data' | 'gaps' | 'replaced', number>,
): void {
  const lives = consumers.flatMap((consumer) => consumer.lives);
  const records = lives.flatMap((life) => life.records);
  totals.seeds++;
  totals.lives += lives.length;
  totals.data += records.filter(({ type }) => type === 'datum').length;
  totals.gaps += records.filter(({ type }) => type === 'gap').length;
  totals.replaced += replaced;
}
