import { enableLog, setLogSink } from '@mosaik/primitives';
import { createWorld, DeadlockError, type World } from '@mosaik/testing';
import { eachSeed, isLongSimulation } from '@mosaik/testing/seeds';
import { expect, it } from 'vitest';
import { Churn, type ChurnResult } from './churn.ts';

const MINUTE_MS = 60_000;
/** `npm run sim` takes the hour of the promise, `npm test` a sample. */
const DURATION_MS = isLongSimulation ? 60 * MINUTE_MS : 3 * MINUTE_MS;

it(
  'an hour of churn: nothing is lost or repeated, every gap is told, and all agree in the end',
  async () => {
    const results: ChurnResult[] = [];
    await eachSeed({ count: 3, long: 50 }, async (seed) => {
      results.push(await churn(seed));
    });
    const total = (field: keyof ChurnResult): number =>
      results.reduce((sum, result) => sum + result[field], 0);
    console.log(
      `${results.length} seeds, ${(total('virtualMs') / MINUTE_MS).toFixed(0)} virtual minutes: ${total('storms')} storms, ` +
        `${total('faults')} faults, ${total('starts')} starts; ${total('answered')} of ${total('operations')} operations ` +
        `answered, ${total('ticks')} ticks and ${total('orders')} orders received, ${total('gaps')} gaps told; ${total('events')} events`,
    );
    expect(total('answered')).toBeGreaterThan(total('operations') / 2);
  },
  24 * 3_600_000,
);

async function churn(seed: number): Promise<ChurnResult> {
  const world = createWorld({ seed: `churn ${seed}`, networkName: 'churn' });
  const alarms: string[] = [];
  const undo = [
    enableLog('mosaik:*:error'),
    setLogSink(
      ({ namespace, message }) => void alarms.push(`${world.now.toFixed(0)} ${namespace} ${message}`),
    ),
  ];
  try {
    const limits = { maxVirtualMs: 24 * 60 * MINUTE_MS, maxEvents: 1e9 };
    const result = await world.run(() => new Churn(world).run(DURATION_MS), limits);
    await expectSilence(world);
    expect(world.errors).toEqual([]);
    expect(alarms).toEqual([]);
    return result;
  } finally {
    for (const step of undo) step();
  }
}

/** Once all have left, nothing is open, and nothing ever happens again: no timer, no connection, no task is left behind. */
async function expectSilence(world: World): Promise<void> {
  expect(world.stats.connections).toBe(0);
  const forever = world.run(() => new Promise<void>(() => {}), { maxVirtualMs: 10 * MINUTE_MS });
  await expect(forever).rejects.toThrow(DeadlockError);
}
