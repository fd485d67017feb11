import { describe, expect, it } from 'vitest';
import type { Rules } from '../../src/raft/rules.ts';
import { mutants as coreMutants } from '../raft/sim/mutants.ts';
import { type Promised, Violation } from '../raft/sim/oracle.ts';
import { type Mutant, only } from './swarm/plan.ts';
import { runSwarm } from './swarm/swarm.ts';

/** More than any of them takes; the promise is 1,000. */
const SEEDS_MAX = 300;
const BUSY = { clients: 6, faults: 14, hushes: 0, newcomers: 0, preferences: [] };
/** Snapshots are all that is left of most of the log. */
const SNAPPING = {
  ...BUSY,
  count: 3,
  snapshotEvery: 10,
  retainEntries: 0,
  retainBytes: 1,
  retainPulledEntries: 0,
};
/** Nothing but events ends a rest. */
const HUSHED = { ...BUSY, hushes: 1, restMs: Number.POSITIVE_INFINITY };
const DARK = {
  ...BUSY,
  count: 3,
  isDurable: true,
  syncMs: 30,
  weights: only({ blackout: 0.5, crash: 0.2, cut: 0.2, transfer: 0.1 }),
};

/** An acknowledged write that is gone: seen where somebody leads, or commits, without it, or by whoever reads. */
const LOST: readonly Promised[] = ['leader completeness', 'state machine safety', 'linearizability'];

interface Planted extends Mutant {
  /** What it breaks; to be noticed otherwise, such as by a group that hangs, does not count. */
  readonly breaks: readonly Promised[];
  /** How it says so, where that promise has many sides. */
  readonly says?: RegExp;
}

/** A wrong rule of the core, for whole nodes. */
function coreRules(name: string): Partial<Rules> {
  const mutant = coreMutants[name];
  if (mutant === undefined) throw new Error(`the core has no mutant "${name}"`);
  return mutant.rules;
}

/** What the swarm of whole nodes must notice, or it proves nothing. Those of the core are tried on the core, too. */
const mutants: Readonly<Record<string, Planted>> = {
  'a retry is applied again': {
    breaks: ['exactly once'],
    rules: { applier: { appliesOnce: false } },
    // What was under way is sent again over the next connection.
    plan: { ...BUSY, count: 3, weights: only({ reconnect: 1 }) },
  },
  'a snapshot forgets sessions': {
    breaks: ['exactly once'],
    // Sessions that are refused where they are not known end what was under way, and nothing is applied twice: the second line
    // of defence has to go, too.
    rules: { applier: { snapshotHoldsSessions: false, refusesUnknownSessions: false } },
    plan: SNAPPING,
  },
  'a snapshot forgets sessions, which are refused from then on': {
    breaks: ['equal states'],
    rules: { applier: { snapshotHoldsSessions: false } },
    plan: SNAPPING,
  },
  'a strong read is not confirmed': {
    breaks: ['linearizability'],
    rules: { raft: { confirmedRound: (_, sent) => sent } },
    // A leader that stood still, and is asked before it has heard that there is another one.
    plan: { ...BUSY, count: 5, weights: only({ stall: 0.6, cut: 0.2, heal: 0.2 }) },
  },
  'a leader that hears from no quorum goes on': {
    // Reads are confirmed and writes committed all the same, so that nothing is wrong but that clients wait for it in vain.
    breaks: ['progress'],
    says: /a leader that is cut off steps down/,
    rules: { raft: { checksQuorum: false } },
    plan: { ...BUSY, count: 3 },
  },
  'those that can be reached are a quorum': {
    breaks: LOST,
    rules: { raft: coreRules('quorum of the reachable only') },
    plan: {
      ...BUSY,
      count: 4,
      isDurable: true,
      weights: only({ rotate: 0.4, cut: 0.3, transfer: 0.2, crash: 0.1 }),
    },
  },
  'learners count as voters': {
    breaks: LOST,
    rules: { raft: coreRules('learners counted') },
    plan: { ...BUSY, count: 5, isDurable: true },
  },
  'what is in the log counts as stored': {
    breaks: LOST,
    rules: { raft: { stored: (_, last) => last } },
    plan: DARK,
  },
  'a write is acknowledged before it is synced': {
    breaks: LOST,
    syncsFirst: false,
    plan: DARK,
  },
  'a member that has lost its log keeps its name': {
    breaks: ['one vote a term', 'election safety'],
    keepsIdentity: true,
    // A vote is given twice where the leader of a term is cut off, who voted for it loses its log, and who was cut off before
    // stands in that term.
    plan: {
      ...BUSY,
      count: 3,
      isDurable: false,
      isCareless: true,
      weights: only({ rotate: 0.4, transfer: 0.2, crash: 0.4 }),
    },
  },
  'a member that rests does not miss its leader': {
    // Nothing else is promised of a group that rests.
    breaks: ['progress'],
    says: /a leader that is cut off steps down/,
    rules: { quiescence: { wakesOnSilence: false } },
    plan: { ...HUSHED, count: 3 },
  },
};

describe('the swarm notices that', () => {
  it.each(Object.entries(mutants))(
    '%s',
    async (name, planted) => {
      const { breaks, says = /./, ...mutant } = planted;
      const others = new Map<string, number>();
      for (let seed = 1; seed <= SEEDS_MAX; seed++) {
        const violation = await violationOf(seed, mutant);
        if (violation === undefined) continue;
        if (breaks.includes(violation.promised) && says.test(violation.message)) {
          console.log(`${name}: noticed with seed ${seed}: ${violation.message.split('\n')[0]}`);
          await expectHarmless(seed, planted);
          return;
        }
        others.set(violation.promised, (others.get(violation.promised) ?? 0) + 1);
      }
      expect.unreachable(
        `${SEEDS_MAX} seeds have not noticed that ${name}, but ${JSON.stringify([...others])}`,
      );
    },
    600_000,
  );
});

/**
 * What was noticed was the bug, not the plan: without it the same seed breaks nothing. A careless one may lose so many logs that
 * the group hangs, or is founded anew; but what the bug is about it does not break.
 */
async function expectHarmless(seed: number, { breaks, plan = {} }: Planted): Promise<void> {
  const violation = await violationOf(seed, { plan });
  if (plan.isCareless) expect(breaks).not.toContain(violation?.promised);
  else expect(violation).toBeUndefined();
}

/** What a seed breaks. A history that is too open to be judged proves nothing. */
async function violationOf(seed: number, mutant: Mutant): Promise<Violation | undefined> {
  try {
    await runSwarm(seed, mutant);
    return undefined;
  } catch (thrown) {
    const { cause } = thrown as Error;
    if (cause instanceof Violation) return cause;
    if ((thrown as Error).message.startsWith('not decided')) return undefined;
    throw thrown;
  }
}
