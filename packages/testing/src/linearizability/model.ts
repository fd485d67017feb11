import { isEqual } from './equal.ts';

/** Stands for the output of an operation that nobody heard of: the model has to take any answer for possible. */
export const unanswered: unique symbol = Symbol('unanswered');

/** What a step leads to, or that the output was impossible in that state. */
export type Step<State> = { readonly ok: true; readonly state: State } | { readonly ok: false };

/**
 * A sequential specification: what an object does when operations come one after the other.
 *
 * States are values: a step returns another one and leaves the one it was given as it is. The state after an operation
 * follows from the state before it, its input and its output; after an {@link unanswered} one from the first two.
 */
export interface Model<State, Input, Output> {
  /** The state before the first operation. */
  init(): State;
  /** Whether an operation can have had this output in this state, and the state after it. */
  step(state: State, input: Input, output: Output | typeof unanswered): Step<State>;
  /**
   * The part of the object that an operation concerns. Parts are independent, each starts from `init()`, and a history is
   * linearizable if and only if that of each part is (locality: Herlihy and Wing 1990, theorem 1), so each is checked by
   * itself, which is what makes long histories cheap. Without it there is one part.
   */
  key?(input: Input): string;
  /** Whether two states are the same; by structure unless given. */
  equal?(a: State, b: State): boolean;
  /** Equal states have equal hashes; by structure unless given. A poor one makes the search slow. */
  hash?(state: State): string | number;
}

/** A specification that prescribes the one output of each operation. */
export interface DeterministicModel<State, Input, Output> extends Omit<Model<State, Input, Output>, 'step'> {
  /** The state after an operation, and its output. */
  apply(state: State, input: Input): { readonly state: State; readonly output: Output };
  /** Whether two outputs are the same; by structure unless given. */
  equalOutput?(a: Output, b: Output): boolean;
}

/** The model of an object whose operations have exactly one right output: the usual case. */
export function deterministic<State, Input, Output>(
  definition: DeterministicModel<State, Input, Output>,
): Model<State, Input, Output> {
  const { apply, equalOutput = isEqual, ...rest } = definition;
  return {
    ...rest,
    step(state, input, output) {
      const after = apply(state, input);
      const isPossible = output === unanswered || equalOutput(after.output, output);
      return isPossible ? { ok: true, state: after.state } : { ok: false };
    },
  };
}

/** An input for one of many objects of a kind. */
export interface KeyedInput<Input> {
  readonly key: string;
  readonly input: Input;
}

/** Many independent objects of a kind, each under its key. */
export function keyed<State, Input, Output>(
  model: Model<State, Input, Output>,
): Model<State, KeyedInput<Input>, Output> {
  return {
    ...model,
    step: (state, { input }, output) => model.step(state, input, output),
    key: ({ key, input }) => (model.key === undefined ? key : `${key}/${model.key(input)}`),
  };
}
