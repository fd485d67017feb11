/**
 * `@mosaik/primitives`: what every part of mosaik is made of. Ids, codecs, the {@link Runtime} that carries time and
 * chance, the {@link Scope} tree that owns all work, and the small reactive pieces between a worker and its users.
 * Runs anywhere; imports nothing of the platform.
 */
export { type BatchSource, batchesOf, DONE, iteratorOf, readableOf } from './async-iterator.ts';
export { type Backoff, type BackoffOptions, createBackoff } from './backoff.ts';
export * from './codec/index.ts';
export {
  type Condition,
  type ConditionSource,
  createCondition,
  type WatchConditionSource,
  watchCondition,
} from './condition.ts';
export {
  AbortedError,
  ClosedError,
  InvalidArgumentError,
  MosaikError,
  TimeoutError,
  toError,
} from './errors.ts';
export {
  createEventStream,
  type EventSource,
  type EventStream,
  type EventSubscription,
  type Lagged,
} from './event-stream.ts';
export * from './ids/index.ts';
export { InvariantError, invariant, unreachable } from './invariant.ts';
export * from './log.ts';
export * from './memory.ts';
export * from './metrics.ts';
export * from './queue.ts';
export * from './runtime/index.ts';
export { createScope, type ErrorHandler, type Scope, type Task } from './scope.ts';
export { createWatch, mapWatch, type Watch, type WatchSource } from './watch.ts';
