import type { GroupId, Runtime } from '@mosaik/primitives';
import type { Entry, HardState, LogIndex, LogPosition, SnapshotMeta, Term } from '../raft/types.ts';
import type { SnapshotManifest } from './manifest.ts';

/**
 * What a log survives. `fsync`: the loss of power, as far as the disk keeps what it says it has written. `memory`:
 * nothing; a process that ends comes back as another member.
 */
export type Durability = 'fsync' | 'memory';

/**
 * One life of a log: 16 random bytes as 32 lowercase hexadecimal characters, made with the log and stored with it. A
 * member is a peer and this, so that a node that lost its log is never taken for the one that voted with it.
 */
export type Incarnation = string & { readonly __brand: 'Incarnation' };

/** What {@link Storage.open} is told. */
export interface OpenOptions {
  readonly group: GroupId;
  /** Chance for a new incarnation. */
  readonly runtime: Pick<Runtime, 'randomBytes'>;
}

/**
 * Where the log of a group lives: given to `groups.join({ storage })`, such as `memory()` and `sqlite(path)`.
 *
 * Whoever writes one holds it to `storageCompliance` of `@mosaik/groups/compliance`.
 */
export interface Storage {
  readonly durability: Durability;
  /** For people: what it is and where. */
  readonly description: string;
  /**
   * Opens the log, or makes an empty one with a new incarnation where there is none. Everything but the chunks of the
   * snapshot is verified before this resolves.
   *
   * @throws {StorageLockedError} when it is open already, here or in another process.
   * @throws {StorageGroupError} when it is of another group.
   * @throws {StorageFormatError} when it is of another format version, or of something else.
   * @throws {StorageDamagedError} when what was written is not what is read. The member that it was must neither vote
   *   nor lead any more; {@link Storage.setAside} makes room for another one.
   * @throws {StorageFailedError} when the disk refuses.
   */
  open(options: OpenOptions): Promise<LogStorage>;
  /**
   * Puts the log aside, whatever is in it, so that the next {@link Storage.open} makes a new one, of another incarnation:
   * for one that is damaged, and for one whose history lost against another. It must be closed. Nothing is deleted by
   * storages that outlive the process. Does nothing when there is no log.
   *
   * @returns where it is now, for people; undefined when there was none.
   * @throws {StorageLockedError} when it is open.
   */
  setAside(reason: 'damaged' | 'reverted'): Promise<string | undefined>;
}

/** What was found when the log was opened. All of it is durable. */
export interface RecoveredLog {
  /** Term 0 and no vote in a new log. */
  readonly hardState: HardState;
  /** The position before the first entry there is: 0 and term 0 in a new log. What is up to it is only in the snapshot. */
  readonly base: LogPosition;
  /** The last entry, or `base` when there is none. */
  readonly last: LogPosition;
  /** The newest snapshot; at `base` or later. Present whenever `base.index` is not 0. */
  readonly snapshot: SnapshotMeta | undefined;
  /**
   * An index up to which all is known to be committed: the last {@link LogBatch.commit} that made it to the disk, and
   * the snapshot's at least. The true commit index may be higher.
   */
  readonly commit: LogIndex;
}

/** What is written at once. Either all of it is there after a crash or, before the promise has resolved, maybe nothing. */
export interface LogBatch {
  readonly hardState?: HardState | undefined;
  /** Removes this entry and all after it before the new ones are added. Above `base`; may be one after the last. */
  readonly truncateFrom?: LogIndex | undefined;
  /** Contiguous, the first one right after the last there is; terms never fall. Must not be changed afterwards. */
  readonly entries?: readonly Entry[] | undefined;
  /** A hint, see {@link RecoveredLog.commit}: alone it forces no write, and may be lost. */
  readonly commit?: LogIndex | undefined;
}

/** A range of entries to read: both ends are included. */
export interface ReadRange {
  readonly from: LogIndex;
  readonly to: LogIndex;
  /** Stops before the entry whose data would exceed this, but never before the first. Default 1 MiB. */
  readonly maxBytes?: number | undefined;
}

/**
 * An open log. Calls take effect in the order in which they are made, also on what is read; several writes may be under
 * way, and those that wait while the disk is busy become durable together. How much is under way is the caller's to bound.
 *
 * A write that fails fails all that were called after it, too, and nothing can be written any more: after a failed fsync
 * nobody knows what the disk holds (Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020). Close it,
 * open it again, and act on what is recovered.
 */
export interface LogStorage extends AsyncDisposable {
  readonly durability: Durability;
  readonly incarnation: Incarnation;
  readonly recovered: RecoveredLog;
  /** Bytes of entries that were given to {@link LogStorage.append} and are not durable yet. */
  readonly pendingBytes: number;
  /** The term of an entry, or of `base`; undefined for what is not there. Sees what was appended, durable or not. */
  termAt(index: LogIndex): Term | undefined;
  /**
   * Writes; resolves when all of it is durable. One with nothing to write (a hint is nothing) resolves without a write, and
   * says nothing about those before it.
   *
   * @throws {InvariantError} at once for entries that do not follow, and for a truncation at or below `base`.
   * @throws {StorageFailedError}
   * @throws {ClosedError} after {@link LogStorage.close}.
   */
  append(batch: LogBatch): Promise<void>;
  /**
   * Reads entries, verified. Sees what was appended before, durable or not. Ends early at the last entry.
   *
   * @throws {LogPrunedError} when `from` is at or below `base`.
   * @throws {StorageDamagedError}
   */
  read(range: ReadRange): Promise<readonly Entry[]>;
  /**
   * Begins to write a snapshot. Nothing of it is seen before its commit; one that was not committed is gone after a
   * crash. One at a time.
   *
   * @throws {InvariantError} when another one is being written, or a snapshot at `meta.index` or later is there.
   */
  stageSnapshot(meta: SnapshotMeta, options?: StageOptions): Promise<SnapshotStage>;
  /** The newest snapshot, for reading; undefined when there is none. Stays readable until closed, whatever replaces it. */
  openSnapshot(): Promise<SnapshotReader | undefined>;
  /**
   * Removes the entries up to `upTo`, which a snapshot must hold; below `base` it does nothing.
   *
   * @throws {InvariantError} when no snapshot at `upTo` or later was committed.
   */
  prune(upTo: LogIndex): Promise<void>;
  /** Waits for what is under way, then releases the log. Idempotent. */
  close(): Promise<void>;
}

/** How a snapshot is written. */
export interface StageOptions {
  /**
   * What the chunks must be, when they come from others: each is verified against it as it is written, and they may be
   * written in any order. Without it they are written in order and the manifest follows from them.
   */
  readonly manifest?: SnapshotManifest | undefined;
}

/** A snapshot that is being written. Leaving its scope without a commit discards it. */
export interface SnapshotStage extends AsyncDisposable {
  readonly meta: SnapshotMeta;
  /**
   * Writes a chunk: the next one, or with a manifest the one at `position` (from 0). A chunk that is there already is
   * ignored. The bytes may be transferred: they must not be used afterwards.
   *
   * @throws {SnapshotMismatchError} when it is not the chunk of the manifest. Nothing is written; another may be.
   * @throws {StorageFailedError}
   */
  write(chunk: Uint8Array, position?: number): Promise<void>;
  /**
   * Makes it the current snapshot, durably and at once with what it does to the log (Raft §7): where the log holds the
   * entry at `meta` the entries after it stay, and so do those before until they are pruned; else all entries are
   * removed, and `base` is `meta`.
   *
   * @throws {SnapshotMismatchError} when chunks of the manifest are missing.
   */
  commit(): Promise<SnapshotManifest>;
  /** Forgets it; does nothing after a commit. */
  discard(): Promise<void>;
}

/** A snapshot that is being read. */
export interface SnapshotReader extends AsyncDisposable {
  readonly meta: SnapshotMeta;
  readonly manifest: SnapshotManifest;
  /**
   * The chunk at a position (from 0), verified.
   *
   * @throws {StorageDamagedError} when it is not what was written.
   */
  read(position: number): Promise<Uint8Array>;
  /** All chunks in order. */
  chunks(): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}
