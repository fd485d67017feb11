import { InvalidArgumentError } from '@mosaik/primitives';
import type { Operation } from './history.ts';
import type { Model } from './model.ts';
import { Search } from './search.ts';
import type { Verdict } from './verdict.ts';

export interface CheckOptions {
  /**
   * Steps of the model, and comparisons of states, that may be spent on each key; 1,000,000 unless given, which is a
   * second or two and, as each step may keep a state, up to half a gigabyte for states of some size. The problem is
   * NP-complete; what makes it hard is many operations at the same time, above all many that were never answered. When
   * the steps are spent the verdict is `unknown`.
   */
  readonly maxSteps?: number;
}

const DEFAULT_MAX_STEPS = 1_000_000;

/**
 * Whether a history can be explained by the operations having happened one at a time, each at some moment between its call
 * and its return, as the model prescribes (linearizability: Herlihy and Wing, 1990).
 *
 * Operations that failed are left out; those that were never answered may have happened at any time after their call, or
 * not at all. A violation at one key is reported though another key could not be decided.
 *
 * @throws {InvalidArgumentError} when an operation returned before it was called, or a limit is no number.
 */
export function checkLinearizable<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: Iterable<Operation<Input, Output>>,
  { maxSteps = DEFAULT_MAX_STEPS }: CheckOptions = {},
): Verdict<State, Input, Output> {
  if (!(maxSteps > 0)) throw new InvalidArgumentError('maxSteps', 'a number above 0 is needed');
  const orders = new Map<string, readonly Operation<Input, Output>[]>();
  const undecided: string[] = [];
  let steps = 0;
  for (const [key, operations] of byKey(model, history)) {
    const search = new Search(model, operations);
    const found = search.run(maxSteps);
    steps += search.steps;
    if (found.type === 'none') return { verdict: 'violation', key, ...found.why, steps };
    if (found.type === 'order') orders.set(key, found.order);
    else undecided.push(key);
  }
  if (undecided.length > 0) return { verdict: 'unknown', keys: undecided, steps };
  return { verdict: 'linearizable', orders, steps };
}

/** What happened to each key, keys in the order of their first operations. */
function byKey<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: Iterable<Operation<Input, Output>>,
): Map<string, Operation<Input, Output>[]> {
  const groups = new Map<string, Operation<Input, Output>[]>();
  for (const operation of history) {
    if (operation.outcome.type === 'failed') continue;
    checkTimes(operation);
    const key = model.key?.(operation.input) ?? '';
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [operation]);
    else group.push(operation);
  }
  return groups;
}

function checkTimes({ calledAt, outcome, client }: Operation<unknown, unknown>): void {
  const isPossible = outcome.type === 'ok' ? outcome.returnedAt >= calledAt : !Number.isNaN(calledAt);
  if (!isPossible)
    throw new InvalidArgumentError('history', `an operation of ${client} returned before it was called`);
}
