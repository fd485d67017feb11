import { machine, type StateMachine } from '@mosaik/groups';

/** Writes down, under an id that is used once, what came with it. */
export interface Deposit {
  readonly id: string;
  /** To make states large. */
  readonly text?: string;
}

/** Deposits of one client that were acknowledged: ids are `prefix` and a number, from `from` on. */
export interface Receipt {
  readonly prefix: string;
  readonly from: number;
  /** Where the group said that each was applied. */
  readonly indices: readonly number[];
}

/** What a state says about receipts, and about itself: the first few of each kind. */
export interface Audit {
  /** Deposits in the state, whoever was told of them. */
  readonly deposits: number;
  /** Acknowledged, and not in the state. */
  readonly missing: readonly string[];
  /** Acknowledged, and applied with another entry than was said. */
  readonly misplaced: readonly string[];
  /** Applied more than once, acknowledged or not. */
  readonly repeated: readonly string[];
}

interface State {
  /** The entries that each id was applied with: one, if all is well. */
  readonly applied: Map<string, number[]>;
  readonly texts: string[];
}

const SHOWN_MAX = 10;

/** Counts how often each command was applied, and remembers where. */
export const Ledger: StateMachine<Deposit, number, readonly Receipt[], Audit> = machine({
  signature: 'integration.ledger/1',
  initial: (): State => ({ applied: new Map(), texts: [] }),
  apply({ applied, texts }: State, { id, text }: Deposit, { index }) {
    const entries = applied.get(id) ?? [];
    entries.push(index);
    applied.set(id, entries);
    if (text !== undefined) texts.push(text);
    return entries.length;
  },
  query: (state: State, receipts: readonly Receipt[]) => audit(state, receipts),
});

function audit({ applied }: State, receipts: readonly Receipt[]): Audit {
  const acknowledged = receipts.flatMap(({ prefix, from, indices }) =>
    indices.map((index, position) => ({ id: `${prefix}${from + position}`, index })),
  );
  const missing = acknowledged.filter(({ id }) => !applied.has(id));
  const misplaced = acknowledged.filter(({ id, index }) => applied.has(id) && applied.get(id)?.[0] !== index);
  const repeated = [...applied].filter(([, entries]) => entries.length > 1);
  return {
    deposits: applied.size,
    missing: missing.slice(0, SHOWN_MAX).map(({ id }) => id),
    misplaced: misplaced.slice(0, SHOWN_MAX).map(({ id, index }) => `${id} at ${index}, ${applied.get(id)}`),
    repeated: repeated.slice(0, SHOWN_MAX).map(([id, entries]) => `${id} at ${entries}`),
  };
}
