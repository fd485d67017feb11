import type { Runtime } from '@mosaik/primitives';
import type { Entry, LogIndex, LogPosition } from '../raft/types.ts';
import { type ApplierTestOptions, MachineApplier } from './applier/machine-applier.ts';
import type { CommandError } from './errors.ts';
import type { StateMachine } from './machine.ts';

/** What became of a command; the same on all members. */
export type Outcome<Result> =
  /** Applied, now or when it came first. `index` is of the entry that it was applied with. */
  | { readonly kind: 'applied'; readonly index: LogIndex; readonly result: Result }
  /** Applied, and what it threw: {@link CommandRejectedError}, {@link CommandFailedError}, {@link CommandMalformedError}. */
  | { readonly kind: 'failed'; readonly index: LogIndex; readonly error: CommandError }
  /** Not applied: the one before it has not been, either. Send all from `expected` on again, in order. */
  | { readonly kind: 'gap'; readonly expected: number }
  /** Not applied now: {@link SessionExpiredError}. */
  | { readonly kind: 'expired' }
  /** Applied before, and the result is not kept any more: {@link ResultForgottenError}. */
  | { readonly kind: 'forgotten' };

/** Hears what applying brings about; called synchronously, in the order of the log. Must not throw. */
export interface ApplyObserver<Result> {
  /** The session that was opened with this nonce (32 hexadecimal characters); a nonce sent twice opens two. */
  opened?(nonce: string, session: number): void;
  /** Whether the outcomes of a session are wanted here; asked once for each run of commands. */
  wants?(session: number): boolean;
  /** For each command of the sessions that are wanted. */
  outcome?(session: number, sequence: number, outcome: Outcome<Result>): void;
  /** A state hash at an agreed index; equal on all members, or they have diverged. Comes some time after the index. */
  hashed?(index: LogIndex, hash: Uint8Array): void;
  /** An entry that is no batch of commands, or a command that failed otherwise than by a rejection; for logs and counts. */
  fault?(index: LogIndex, error: Error): void;
}

/** A state at one moment, being written. */
export interface AppliedSnapshot {
  readonly position: LogPosition;
  /** Chunks of the same size but for the last; equal states give equal chunks. To be read once. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** How an applier is made. */
export interface ApplierOptions<Command, Result, Query, Answer> {
  readonly machine: StateMachine<Command, Result, Query, Answer>;
  readonly observer?: ApplyObserver<Result> | undefined;
  /**
   * Whether what is not deterministic throws inside `apply`: for development and tests. Default false: it costs some
   * microseconds for each run of commands.
   */
  readonly guard?: boolean | undefined;
  /**
   * Tells the hash of the state at each index that is a multiple of this, but for those that are applied while two earlier ones are
   * still hashed; default never.
   */
  readonly hashEvery?: number | undefined;
  /** Lets others run between the chunks of a state that is hashed; without it a large state is hashed in one go. */
  readonly runtime?: Runtime | undefined;
  /** Bytes of the chunks of snapshots. Members with another size cannot serve one snapshot together. Default 256 KiB. */
  readonly chunkBytes?: number | undefined;
}

/** Applies committed entries to a machine, each command exactly once. */
export interface Applier<Result, Query, Answer> {
  /** The last entry that the state contains. */
  readonly applied: LogPosition;
  /** The time that the log has reached, in ms since the Unix epoch: the largest stamp so far. */
  readonly nowMs: number;
  /** How many sessions there are. */
  readonly sessions: number;
  /**
   * Applies entries that are committed, the first one right after `applied`. Those of the core itself only move on.
   *
   * @throws {NondeterminismError} under the guard; the state is then not to be trusted any more.
   */
  apply(entries: readonly Entry[]): void;
  query(query: Query): Answer;
  /** What became of a command so far, from the session table; undefined when it was not applied yet. */
  outcomeOf(session: number, sequence: number): Outcome<Result> | undefined;
  /** Captures the state as it is now; its chunks can be read while further entries are applied. */
  snapshot(): AppliedSnapshot;
  /**
   * Replaces everything by a snapshot.
   *
   * @throws {SnapshotFormatError} when it is no snapshot of this machine at this position; the state is then undefined.
   */
  restore(position: LogPosition, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** The hash of everything that is replicated: machine and sessions. */
  hash(): Promise<Uint8Array>;
}

/** Creates an applier with an empty machine, at index 0. */
export function createApplier<Command, Result, Query, Answer>(
  options: ApplierOptions<Command, Result, Query, Answer> & ApplierTestOptions,
): Applier<Result, Query, Answer> {
  return new MachineApplier(options);
}
