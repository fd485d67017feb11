import { type Model, type Operation, unanswered } from '../../../src/linearizability/index.ts';

/**
 * The definition, taken literally: some of the unanswered operations happened, and some permutation of these and the
 * answered ones is in keeping with time and right by the model. Shares nothing with the checker, not even the keys.
 */
export function isLinearizableByBruteForce<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
): boolean {
  const answered = history.filter(({ outcome }) => outcome.type === 'ok');
  const open = history.filter(({ outcome }) => outcome.type === 'unknown');
  return subsets(open).some((happened) =>
    permutations([...answered, ...happened]).some((order) => isInTime(order) && isExplained(model, order)),
  );
}

/** Whether an order is a legal sequential history, each key starting from its own beginning. */
export function isExplained<State, Input, Output>(
  model: Model<State, Input, Output>,
  order: readonly Operation<Input, Output>[],
): boolean {
  const states = new Map<string, State>();
  return order.every(({ input, outcome }) => {
    const key = model.key?.(input) ?? '';
    const state = states.has(key) ? (states.get(key) as State) : model.init();
    const step = model.step(state, input, outcome.type === 'ok' ? outcome.output : unanswered);
    if (step.ok) states.set(key, step.state);
    return step.ok;
  });
}

/** Whether nothing stands before what had returned before it was called. */
export function isInTime(order: readonly Operation<unknown, unknown>[]): boolean {
  return order.every((operation, index) =>
    order.slice(index + 1).every((later) => !precedes(later, operation)),
  );
}

function precedes({ outcome }: Operation<unknown, unknown>, other: Operation<unknown, unknown>): boolean {
  return outcome.type === 'ok' && outcome.returnedAt < other.calledAt;
}

function subsets<T>(items: readonly T[]): T[][] {
  const [first, ...rest] = items;
  if (first === undefined) return [[]];
  return subsets(rest).flatMap((subset) => [subset, [first, ...subset]]);
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((permutation) => [item, ...permutation]),
  );
}
