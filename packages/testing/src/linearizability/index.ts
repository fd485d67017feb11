/**
 * `@mosaik/testing/linearizability`: whether what clients of a replicated object were told can be explained by the object
 * being one. Record with {@link createHistory}, hold the history to a {@link Model} with {@link assertLinearizable}.
 */
export { type CheckOptions, checkLinearizable } from './check.ts';
export { isEqual } from './equal.ts';
export {
  createHistory,
  type History,
  type Operation,
  OperationEndedError,
  type Outcome,
  type PendingOperation,
  type RecordedWork,
} from './history.ts';
export {
  type DeterministicModel,
  deterministic,
  type KeyedInput,
  keyed,
  type Model,
  type Step,
  unanswered,
} from './model.ts';
export { type AppendListInput, type AppendListOutput, appendListModel } from './models/append-list.ts';
export { type CounterInput, counterModel } from './models/counter.ts';
export { type KvInput, type KvOutput, kvMapModel } from './models/kv-map.ts';
export { type RegisterInput, type RegisterOutput, registerModel } from './models/register.ts';
export { assertLinearizable, describeVerdict, LinearizabilityError } from './report.ts';
export type { Linearizable, Undecided, Verdict, Violation } from './verdict.ts';
