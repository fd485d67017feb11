import { type Runtime, randomInt } from '@mosaik/primitives';
import type { LeadershipPreference } from '../../../src/machine/machine.ts';
import type { NodeOptions } from '../cluster.ts';

/** What goes wrong, or just happens; see `Faults`. */
export const FAULT_KINDS = [
  'blackout',
  'cut',
  'rotate',
  'reconnect',
  'heal',
  'crash',
  'stall',
  'stallDisk',
  'damage',
  'rot',
  'leave',
  'join',
  'transfer',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export type Weights = Readonly<Record<FaultKind, number>>;

/** What a seed decides. */
export interface Plan {
  /** Members that found the group. */
  readonly count: number;
  /** Members that may come besides, at most. */
  readonly newcomers: number;
  /** What each wants to be, those that may come among them. */
  readonly preferences: readonly LeadershipPreference[];
  readonly isDurable: boolean;
  readonly clients: number;
  readonly keys: number;
  readonly faults: number;
  /** How likely each fault is, beside the others. */
  readonly weights: Weights;
  /** Between two faults, at most, in ms. */
  readonly pauseMs: number;
  /** Logs are lost whatever the state of the group, also where it cannot be expected to survive that. */
  readonly isCareless: boolean;
  /** Mostly so few that a voter whose disk stalls is demoted. */
  readonly demoteBehindEntries: number;
  readonly snapshotEvery: number;
  readonly retainEntries: number;
  readonly retainBytes: number;
  /** Mostly none, so that logs are pruned behind members that pull. */
  readonly retainPulledEntries: number;
  /** How long a disk takes to sync, in ms. */
  readonly syncMs: number;
  /** Share of faults before which clients fall silent, so that the group comes to rest. */
  readonly hushes: number;
  /** How often a group that rests is looked after; mostly never, so that events alone have to wake it. */
  readonly restMs: number;
}

const USUAL: Weights = {
  blackout: 0,
  cut: 0.25,
  rotate: 0.05,
  reconnect: 0.06,
  heal: 0.06,
  crash: 0.3,
  stall: 0.08,
  stallDisk: 0.07,
  damage: 0.1,
  rot: 0.15,
  leave: 0.06,
  join: 0.06,
  transfer: 0.05,
};

/** These and no others. */
export function only(weights: Partial<Weights>): Weights {
  const none = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as unknown as Weights;
  return { ...none, ...weights };
}

export function planOf(runtime: Runtime): Plan {
  const count = 1 + randomInt(runtime, 7);
  // Fewer than found the group: else they could found another one among themselves, cut off from all others.
  const newcomers = runtime.random() < 0.4 ? 0 : Math.min(1 + randomInt(runtime, 2), Math.floor(count / 2));
  return {
    count,
    newcomers,
    preferences: preferencesOf(runtime, count, newcomers),
    isDurable: runtime.random() < 0.6,
    clients: 2 + randomInt(runtime, 5),
    keys: 2 + randomInt(runtime, 3),
    faults: 3 + randomInt(runtime, 10),
    weights: { ...USUAL, blackout: runtime.random() < 0.5 ? 0 : 0.1 },
    pauseMs: 2_000,
    isCareless: false,
    snapshotEvery: runtime.random() < 0.6 ? 20 + randomInt(runtime, 100) : 10_000,
    retainEntries: randomInt(runtime, 50),
    retainBytes: runtime.random() < 0.7 ? 1 + randomInt(runtime, 2_000) : 16_777_216,
    syncMs: runtime.random() < 0.5 ? 1 : 20 * runtime.random(),
    hushes: runtime.random() < 0.5 ? 0 : 0.5,
    restMs: runtime.random() < 0.7 ? Number.POSITIVE_INFINITY : 500 + 3_000 * runtime.random(),
    demoteBehindEntries: runtime.random() < 0.6 ? 10 + randomInt(runtime, 60) : 100_000,
    retainPulledEntries: runtime.random() < 0.7 ? 0 : randomInt(runtime, 1_000),
  };
}

/** Founding takes a majority of the founders: fewer than half of them observe. */
function preferencesOf(runtime: Runtime, count: number, newcomers: number): LeadershipPreference[] {
  const isMixed = runtime.random() < 0.4;
  let observers = 0;
  return Array.from({ length: count + newcomers }, (_, index) => {
    const chance = isMixed ? runtime.random() : 1;
    const mayObserve = index >= count || observers < Math.floor((count - 1) / 2);
    if (chance < 0.25 && mayObserve) {
      observers++;
      return 'observer';
    }
    return chance < 0.5 ? { reluctant: 3 } : 'normal';
  });
}

/** What is wrong on purpose. */
export interface Mutant {
  readonly rules?: NodeOptions['rules'];
  readonly syncsFirst?: boolean;
  /** A member that has lost its log goes on under the same identity. */
  readonly keepsIdentity?: boolean;
  /** Plans in which it can show. */
  readonly plan?: Partial<Plan>;
}
