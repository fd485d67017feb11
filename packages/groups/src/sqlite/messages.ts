/** What goes between a log and the worker that writes it. Bytes are transferred, not copied. */
import type { GroupId } from '@mosaik/primitives';
import type { HardState, LogIndex, LogPosition } from '../raft/types.ts';
import type { TermRun } from '../storage/shape.ts';
import type { Incarnation } from '../storage/storage.ts';
import type { HoldPoint, KillPoint } from './points.ts';

/** A piece of work, and for which of the worker's logs. */
export type WorkerWork = { readonly log: number } & Work;

export type Work = OpenWork | SetAsideWork | LogWork;

export interface OpenWork {
  readonly kind: 'open';
  readonly path: string;
  readonly group: GroupId;
  /** For a log that is not there yet. */
  readonly incarnation: Incarnation;
  readonly killAt: KillPoint | undefined;
  readonly holdAt: HoldPoint | undefined;
}

export interface SetAsideWork {
  readonly kind: 'setAside';
  readonly path: string;
  readonly suffix: string;
  readonly killAt: KillPoint | undefined;
}

/** Work on a log that is open. */
export type LogWork = WriteWork | ReadWork | { readonly kind: 'close'; readonly commit: LogIndex };

export interface AppendWork {
  readonly kind: 'append';
  readonly hardState: HardState | undefined;
  readonly truncateFrom: LogIndex | undefined;
  /** Entries `first` to `last`, as {@link encodeEntries} writes them. */
  readonly run: { readonly first: LogIndex; readonly last: LogIndex; readonly bytes: Uint8Array } | undefined;
  readonly commit: LogIndex;
}

export interface CommitWork {
  readonly kind: 'commit';
  readonly snapshot: number;
  readonly record: Uint8Array;
  readonly position: LogPosition;
  /** Whether the entries stay. */
  readonly holdsLog: boolean;
}

export type WriteWork =
  | AppendWork
  | CommitWork
  | {
      readonly kind: 'chunk';
      readonly snapshot: number;
      readonly position: number;
      readonly bytes: Uint8Array;
    }
  /** Removes the chunks of a snapshot that is not current; whenever there is time. */
  | { readonly kind: 'drop'; readonly snapshot: number }
  | { readonly kind: 'prune'; readonly base: LogPosition };

export type ReadWork =
  | { readonly kind: 'read'; readonly from: LogIndex; readonly to: LogIndex; readonly maxBytes: number }
  | { readonly kind: 'readChunk'; readonly snapshot: number; readonly position: number };

/** What was found when a log was opened. */
export interface Opened {
  readonly incarnation: Incarnation;
  readonly hardState: HardState;
  readonly base: LogPosition;
  readonly lastIndex: LogIndex;
  readonly runs: readonly TermRun[];
  readonly commit: LogIndex;
  /** Encoded, and under its number. */
  readonly snapshot: { readonly number: number; readonly record: Uint8Array } | undefined;
  /** No snapshot has this number or a higher one. */
  readonly nextSnapshot: number;
}

/** What a piece of work came to: `undefined` for writes. */
export type Value = Opened | readonly Uint8Array[] | string | undefined;
