import { isLongSimulation } from '@mosaik/testing/seeds';
import { describe, expect, it } from 'vitest';
import type { Mutant } from './plan.ts';
import { runChurn } from './run.ts';

const DURATION_MS = 120_000;
/** More than any of them takes. */
const SEEDS_MAX = 50;
const DARK = { faultEveryMs: 1_000, blackouts: 0.9, syncMs: 50 };

/** The others take many seeds each. */
const QUICK = 'a gap is not told';

const mutants: Readonly<Record<string, Mutant>> = {
  'a write of a group is acknowledged before it is on a disk': {
    groupSyncsLate: true,
    plan: { ...DARK, members: 3 },
  },
  'an order counts as kept before it is on the disk': { storeSyncsLate: true, plan: DARK },
  [QUICK]: { hidesGaps: true },
};

describe('the churn notices that', () => {
  it.each(Object.entries(mutants).filter(([name]) => isLongSimulation || name === QUICK))(
    '%s',
    async (name, mutant) => {
      for (let seed = 1; seed <= SEEDS_MAX; seed++) {
        const error = await runChurn(seed, DURATION_MS, mutant).then(
          () => undefined,
          (thrown: Error) => thrown,
        );
        if (error === undefined) continue;
        console.log(`${name}: noticed with seed ${seed}: ${error.message.split('\n')[0]}`);
        return;
      }
      expect.unreachable(`${SEEDS_MAX} seeds have not noticed that ${name}`);
    },
    600_000,
  );
});
