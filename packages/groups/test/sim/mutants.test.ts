import { describe, expect, it } from 'vitest';
import { type Mutant, runSwarm } from './swarm.ts';

/** More than any of them takes; the promise is 1,000. */
const SEEDS_MAX = 300;
const BUSY = { clients: 6, faults: 14, hushes: 0 };
/** Nothing but events ends a rest. */
const HUSHED = { ...BUSY, hushes: 1, restMs: Number.POSITIVE_INFINITY };
const DARK = { ...BUSY, count: 3, isDurable: true, syncMs: 30, blackouts: 0.5 };

/** What the swarm of whole nodes must notice, or it proves nothing. Those of the core alone have their own. */
const mutants: Readonly<Record<string, Mutant>> = {
  'a retry is applied again': { rules: { applier: { appliesOnce: false } } },
  'a snapshot forgets sessions': {
    rules: { applier: { snapshotHoldsSessions: false } },
    plan: {
      ...BUSY,
      count: 3,
      snapshotEvery: 10,
      retainEntries: 0,
      retainBytes: 1,
      retainPulledEntries: 0,
    },
  },
  'a strong read is not confirmed': {
    rules: { raft: { confirmedRound: (_, sent) => sent } },
    plan: { ...BUSY, count: 5 },
  },
  'what is in the log counts as stored': {
    rules: { raft: { stored: (_, last) => last } },
    plan: DARK,
  },
  'a write is acknowledged before it is synced': {
    syncsFirst: false,
    plan: DARK,
  },
  'a member that has lost its log keeps its name': {
    keepsIdentity: true,
    // A vote is only cast twice when many lose their logs at about the same time.
    plan: { ...BUSY, count: 3, isDurable: false, blackouts: 0.5 },
  },
  'a member that rests does not miss its leader': {
    rules: { quiescence: { wakesOnSilence: false } },
    plan: { ...HUSHED, count: 3 },
  },
};

describe('the swarm notices that', () => {
  it.each(Object.entries(mutants))(
    '%s',
    async (name, mutant) => {
      for (let seed = 1; seed <= SEEDS_MAX; seed++) {
        const error = await runSwarm(seed, mutant).then(
          () => undefined,
          (thrown: Error) => thrown,
        );
        // A history that is too open to be judged proves nothing.
        if (error === undefined || error.message.startsWith('not decided')) continue;
        console.log(`${name}: noticed with seed ${seed}: ${error.message.split('\n')[0]}`);
        return;
      }
      expect.unreachable(`${SEEDS_MAX} seeds have not noticed that ${name}`);
    },
    600_000,
  );
});
