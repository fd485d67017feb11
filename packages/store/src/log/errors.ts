import { MosaikError } from '@mosaik/primitives';
import type { Sequence } from '@mosaik/streams';

/**
 * What is wrong with a log: `damaged`, of another stream or producer than asked for (`other`), of a `format` that is not
 * known, `inUse` by another owner, `closed`, an `invalid` block, or it could not be written or read (`io`).
 */
export type LogStorageFailure = 'damaged' | 'other' | 'format' | 'inUse' | 'closed' | 'invalid' | 'io';

const CODES: Readonly<Record<LogStorageFailure, string>> = {
  damaged: 'ERR_LOG_DAMAGED',
  other: 'ERR_LOG_OTHER',
  format: 'ERR_LOG_FORMAT',
  inUse: 'ERR_LOG_IN_USE',
  closed: 'ERR_LOG_CLOSED',
  invalid: 'ERR_LOG_INVALID_BLOCK',
  io: 'ERR_LOG_IO',
};

/** Offsets that cannot be read, from `first` up to, without, `next`. What is before and after may well be. */
export interface DamagedRange {
  readonly first: Sequence;
  readonly next: Sequence;
}

export interface LogStorageErrorOptions extends ErrorOptions {
  readonly damaged?: DamagedRange | undefined;
}

/** A log, or what holds it, cannot be used as asked. */
export class LogStorageError extends MosaikError {
  override readonly name = 'LogStorageError';
  readonly reason: LogStorageFailure;
  /** Where a log is damaged, if that is known, and it is not the log as a whole. */
  readonly damaged: DamagedRange | undefined;

  constructor(reason: LogStorageFailure, message: string, options?: LogStorageErrorOptions) {
    super(CODES[reason], message, options);
    this.reason = reason;
    this.damaged = options?.damaged;
  }
}
