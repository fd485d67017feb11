import { type Runtime, randomInt } from '@mosaik/primitives';

/** What a seed decides. */
export interface Plan {
  readonly hosts: number;
  /** Of the hosts, those that start for the first time in the middle. */
  readonly lateHosts: number;
  /** Hosts that are members of the group: the first ones. */
  readonly members: number;
  readonly tickProducers: number;
  readonly tickConsumers: number;
  /** Hosts that produce orders and retain them. */
  readonly retainers: number;
  readonly mirrors: number;
  readonly replays: number;
  readonly folds: number;
  /** What is kept of each log of orders; `Infinity` for all. */
  readonly maxItems: number;
  /** How long a disk takes to sync, in ms. */
  readonly syncMs: number;
  readonly snapshotEvery: number;
  readonly retainEntries: number;
  /** Between two faults, on average, in ms. */
  readonly faultEveryMs: number;
  /** Share of faults that take the power from all hosts at once. */
  readonly blackouts: number;
}

export function drawPlan(runtime: Runtime): Plan {
  const members = runtime.random() < 0.5 ? 3 : 5;
  const lateHosts = randomInt(runtime, 3);
  return {
    hosts: Math.max(members, 5 + randomInt(runtime, 4)) + lateHosts,
    lateHosts,
    members,
    tickProducers: 1 + randomInt(runtime, 2),
    tickConsumers: 1 + randomInt(runtime, 3),
    retainers: 1 + randomInt(runtime, 2),
    mirrors: randomInt(runtime, 2),
    replays: 1 + randomInt(runtime, 2),
    folds: randomInt(runtime, 2),
    maxItems: runtime.random() < 0.5 ? 100 + randomInt(runtime, 1_000) : Number.POSITIVE_INFINITY,
    syncMs: runtime.random() < 0.5 ? 1 : 20 * runtime.random(),
    snapshotEvery: runtime.random() < 0.6 ? 50 + randomInt(runtime, 500) : 10_000,
    retainEntries: randomInt(runtime, 200),
    faultEveryMs: 1_000 + 6_000 * runtime.random(),
    blackouts: runtime.random() < 0.5 ? 0 : 0.02,
  };
}

/** What is wrong on purpose: the churn has to notice it, or it proves nothing. */
export interface Mutant {
  /** A member says that a write is on its disk before it is. */
  readonly groupSyncsLate?: boolean;
  /** An order counts as kept before it is on the disk. */
  readonly storeSyncsLate?: boolean;
  /** A consumer does not tell what is missing. */
  readonly hidesGaps?: boolean;
  /** Plans in which it can show. */
  readonly plan?: Partial<Plan>;
}
