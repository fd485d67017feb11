/**
 * `@mosaik/store`: the past of a stream, and then its present, as one sequence. Producers retain what they send; consumers that
 * come late replay it and go on live without a seam; folds keep a view of it that late joiners take over as a snapshot.
 */
export { LogStorageError, type LogStorageFailure } from './log/errors.ts';
export type {
  Durability,
  KeptBlock,
  LogExtent,
  LogIdentity,
  LogListing,
  LogStorage,
  LogStore,
  Retention,
} from './log/log-storage.ts';
export { memory } from './memory/memory.ts';
