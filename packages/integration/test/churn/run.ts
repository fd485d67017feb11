import { enableLog, setLogSink } from '@mosaik/primitives';
import { createWorld, DeadlockError, type World } from '@mosaik/testing';
import { expect } from 'vitest';
import { Churn, type ChurnResult } from './churn.ts';
import type { Mutant } from './plan.ts';

const MINUTE_MS = 60_000;
const LIMITS = { maxVirtualMs: 24 * 60 * MINUTE_MS, maxEvents: 1e9 };

/** One seed of churn, for so long, in a world of its own; fails with whatever is wrong in it, also with errors in a log. */
export async function runChurn(seed: number, durationMs: number, mutant?: Mutant): Promise<ChurnResult> {
  const world = createWorld({ seed: `churn ${seed}`, networkName: 'churn' });
  const alarms: string[] = [];
  const undo = [
    enableLog('mosaik:*:error'),
    setLogSink(
      ({ namespace, message }) => void alarms.push(`${world.now.toFixed(0)} ${namespace} ${message}`),
    ),
  ];
  try {
    const result = await world.run(() => new Churn(world, mutant).run(durationMs), LIMITS);
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
