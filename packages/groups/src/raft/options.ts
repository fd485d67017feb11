import { invariant } from './invariant.ts';
import type { RaftOptions, StoredState } from './raft.ts';
import { type Rules, safeRules } from './rules.ts';

/** What tests may replace besides; no part of the public contract. */
export interface TestOptions {
  readonly rules?: Partial<Rules>;
}

/** Options with their defaults filled in. */
export type Options = Required<Omit<RaftOptions, 'stored'>> & { readonly rules: Rules };

const mebibyte = 2 ** 20;

const defaults = {
  preference: 'normal',
  recordsFirstVoters: false,
  heartbeatTicks: 1,
  electionTicks: 10,
  reluctance: 3,
  appendBytesMax: mebibyte,
  inflightBytesMax: 8 * mebibyte,
  inflightMessagesMax: 256,
  unappliedBytesMax: 64 * mebibyte,
  applyingBytesMax: 4 * mebibyte,
  retainedBytesMax: 16 * mebibyte,
  readsMax: 65_536,
} as const;

export function withDefaults({ stored: _, rules, ...given }: RaftOptions & TestOptions): Options {
  const options: Options = { ...defaults, ...given, rules: { ...safeRules, ...rules } };
  invariant(options.heartbeatTicks >= 1, 'heartbeatTicks is at least 1');
  invariant(
    options.electionTicks > options.heartbeatTicks,
    'an election timeout is longer than the time between heartbeats',
  );
  invariant(options.reluctance >= 1, 'reluctance is at least 1');
  return options;
}

/** What the storage held must be one history: anything else is damage that the storage did not notice. */
export function checkStored({ hardState, snapshot, entries = [] }: StoredState): void {
  let last = { index: snapshot?.index ?? 0, term: snapshot?.term ?? 0 };
  for (const entry of entries) {
    invariant(entry.index === last.index + 1, `the stored log has a hole before ${entry.index}`);
    invariant(entry.term >= last.term, `the stored log's term falls at ${entry.index}`);
    last = entry;
  }
  invariant((hardState?.term ?? 0) >= last.term, 'the stored term is older than the stored log');
}
