import type { Operation } from './history.ts';

/** There is an order of the operations, in keeping with time, in which each output is right. */
export interface Linearizable<Input, Output> {
  readonly verdict: 'linearizable';
  /** Such an order for each key; operations without an answer that are left out need not have happened. */
  readonly orders: ReadonlyMap<string, readonly Operation<Input, Output>[]>;
  /** Steps of the model that the search took, and states that it compared. */
  readonly steps: number;
}

/** There is no such order. */
export interface Violation<State, Input, Output> {
  readonly verdict: 'violation';
  readonly key: string;
  /** The first operation, by the time of its answer, up to which the history has no explanation. */
  readonly culprit: Operation<Input, Output>;
  /**
   * An order of what was answered before the culprit, and perhaps of some that were under way: the longest part of the
   * history that has an explanation.
   */
  readonly prefix: readonly Operation<Input, Output>[];
  /** The state after the prefix. */
  readonly state: State;
  /** Other operations that were under way when the culprit was answered, and are not in the prefix. */
  readonly concurrent: readonly Operation<Input, Output>[];
  readonly steps: number;
}

/** The search was given up for the keys named; those not named are linearizable. Neither a yes nor a no. */
export interface Undecided {
  readonly verdict: 'unknown';
  readonly keys: readonly string[];
  readonly steps: number;
}

/** What {@link checkLinearizable} found. */
export type Verdict<State, Input, Output> =
  | Linearizable<Input, Output>
  | Violation<State, Input, Output>
  | Undecided;
