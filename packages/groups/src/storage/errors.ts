import { MosaikError } from '@mosaik/primitives';
import type { LogIndex } from '../raft/types.ts';

/** A log could not be opened, read or written; `where` names it. */
export class StorageError extends MosaikError {
  override readonly name: string = 'StorageError';
  /** The file, or what stands for it. */
  readonly where: string;

  constructor(code: string, options: ErrorOptions & { readonly where: string; readonly message: string }) {
    super(code, `${options.where}: ${options.message}`, options);
    this.where = options.where;
  }
}

/** The log is open already, here or in another process. */
export class StorageLockedError extends StorageError {
  override readonly name = 'StorageLockedError';

  constructor(where: string, options: ErrorOptions = {}) {
    super('ERR_STORAGE_LOCKED', { ...options, where, message: 'the log is open already, here or elsewhere' });
  }
}

/** The log is of another group. */
export class StorageGroupError extends StorageError {
  override readonly name = 'StorageGroupError';
  readonly expected: string;
  readonly found: string;

  constructor(where: string, groups: { readonly expected: string; readonly found: string }) {
    const message = `the log of group ${groups.found}, not of ${groups.expected}`;
    super('ERR_STORAGE_GROUP', { where, message });
    this.expected = groups.expected;
    this.found = groups.found;
  }
}

/** Not a log, or one of a format version that this release does not know. */
export class StorageFormatError extends StorageError {
  override readonly name = 'StorageFormatError';

  constructor(where: string, message: string, options: ErrorOptions = {}) {
    super('ERR_STORAGE_FORMAT', { ...options, where, message });
  }
}

/**
 * What is read is not what was written. Whoever was a member with this log must not vote or lead with it: what it has
 * promised may be gone.
 */
export class StorageDamagedError extends StorageError {
  override readonly name = 'StorageDamagedError';

  constructor(where: string, message: string, options: ErrorOptions = {}) {
    super('ERR_STORAGE_DAMAGED', { ...options, where, message: `damaged: ${message}` });
  }
}

/** The disk refused: it is full, or reading or writing failed. Nothing more can be written until the log is reopened. */
export class StorageFailedError extends StorageError {
  override readonly name = 'StorageFailedError';
  readonly reason: 'full' | 'io';

  constructor(
    where: string,
    reason: 'full' | 'io',
    options: ErrorOptions & { readonly detail?: string } = {},
  ) {
    const detail = options.detail === undefined ? '' : `: ${options.detail}`;
    const message = `${reason === 'full' ? 'the disk is full' : 'the disk failed'}${detail}`;
    super('ERR_STORAGE_FAILED', { ...options, where, message });
    this.reason = reason;
  }
}

/** The entries that were asked for have been removed; a snapshot holds what they did. */
export class LogPrunedError extends StorageError {
  override readonly name = 'LogPrunedError';
  /** The last index that is gone. */
  readonly base: LogIndex;

  constructor(where: string, base: LogIndex) {
    super('ERR_LOG_PRUNED', { where, message: `entries up to ${base} are only in the snapshot` });
    this.base = base;
  }
}

/** A chunk that is not of its manifest, or a manifest with chunks missing. */
export class SnapshotMismatchError extends MosaikError {
  override readonly name = 'SnapshotMismatchError';
  /** Of the chunk, from 0. */
  readonly position: number;

  constructor(position: number, message: string) {
    super('ERR_SNAPSHOT_MISMATCH', `chunk ${position} of the snapshot: ${message}`);
    this.position = position;
  }
}
