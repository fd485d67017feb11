/**
 * `@mosaik/store`: the past of a stream, and then its present, as one sequence. Producers retain what they send; consumers that
 * come late replay it and go on live without a seam; folds keep a view of it that late joiners take over as a snapshot.
 */
import type { Store, StoreOptions } from './store.ts';
import { StoreNode } from './store-node.ts';

export { StoreCode } from './codes.ts';
export { CursorError, LogReplacedError, OffsetAheadError } from './errors.ts';
export type {
  Fold,
  FoldContext,
  FoldEvent,
  FoldOptions,
  FoldStats,
  FoldWhen,
} from './fold/fold.ts';
export { SnapshotTooLargeError } from './fold/snapshot.ts';
export { type DamagedRange, LogStorageError, type LogStorageFailure } from './log/errors.ts';
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
export { checkAppend } from './log/rules.ts';
export { memory } from './memory/memory.ts';
export type { Cursor, CursorPosition } from './replay/cursor.ts';
export type {
  CaughtUp,
  InvalidReplayedDatum,
  Replay,
  ReplayedDatum,
  ReplayFrom,
  ReplayGap,
  ReplayOptions,
  ReplayRecord,
  ReplaySource,
  ReplayStats,
  ReplayWhen,
} from './replay/replay.ts';
export type { Retained, RetainedLog, RetainedStats, RetainOptions } from './retain/retained.ts';
export type { Store, StoreOptions, StoreStats } from './store.ts';
export { storeIdOf } from './wire/protocol.ts';

/** The store of a node, on its transport, its catalog and its streams. */
export function createStore(options: StoreOptions): Store {
  return new StoreNode(options);
}
