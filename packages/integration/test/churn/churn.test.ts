import { eachSeed, isLongSimulation } from '@mosaik/testing/seeds';
import { expect, it } from 'vitest';
import type { ChurnResult } from './churn.ts';
import { runChurn } from './run.ts';

const MINUTE_MS = 60_000;
/** `npm run sim` takes the hour of the promise, `npm test` a sample. */
const DURATION_MS = isLongSimulation ? 60 * MINUTE_MS : 2 * MINUTE_MS;

it(
  'an hour of churn: nothing is lost or repeated, every gap is told, and all agree in the end',
  async () => {
    const results: ChurnResult[] = [];
    await eachSeed({ count: 3, long: 50, share: 0.05 }, async (seed) => {
      results.push(await runChurn(seed, DURATION_MS));
    });
    const total = (field: keyof ChurnResult): number =>
      results.reduce((sum, result) => sum + result[field], 0);
    console.log(
      `${results.length} seeds, ${(total('virtualMs') / MINUTE_MS).toFixed(0)} virtual minutes: ${total('storms')} storms, ` +
        `${total('faults')} faults, ${total('starts')} starts; ${total('answered')} of ${total('operations')} operations ` +
        `answered, ${total('ticks')} ticks and ${total('orders')} orders received, ${total('gaps')} gaps told; ${total('events')} events`,
    );
    expect(total('answered')).toBeGreaterThan(total('operations') / 2);
    expect(total('ticks')).toBeGreaterThan(0);
    expect(total('orders')).toBeGreaterThan(0);
  },
  24 * 3_600_000,
);
