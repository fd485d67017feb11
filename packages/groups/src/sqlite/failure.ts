/** Failures, as they cross from the worker: plain data there, the typed errors of the contract here. */
import { DecodeError, toError } from '@mosaik/primitives';
import {
  StorageDamagedError,
  type StorageError,
  StorageFailedError,
  StorageFormatError,
  StorageGroupError,
  StorageLockedError,
} from '../storage/errors.ts';

/** What went wrong. */
export type Failure =
  | { readonly kind: 'locked' }
  | { readonly kind: 'group'; readonly expected: string; readonly found: string }
  | { readonly kind: 'format' | 'damaged' | 'full' | 'io'; readonly detail: string };

/** Thrown inside the worker for what SQLite does not know of. */
export class FailureError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.kind);
    this.failure = failure;
  }
}

export function damaged(detail: string): FailureError {
  return new FailureError({ kind: 'damaged', detail });
}

/** Result codes of SQLite (its extended ones end with the same byte). */
const KIND_BY_CODE: ReadonlyMap<number, Failure['kind']> = new Map([
  [5, 'locked'],
  [6, 'locked'],
  [11, 'damaged'],
  [13, 'full'],
  [26, 'damaged'],
]);

/** What was thrown, as a failure. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof FailureError) return thrown.failure;
  const error = toError(thrown);
  if (error instanceof DecodeError) return { kind: 'damaged', detail: error.message };
  const { errcode, code } = error as { errcode?: number; code?: string };
  const kind = code === 'ENOSPC' ? 'full' : KIND_BY_CODE.get((errcode ?? 0) & 0xff);
  if (kind === 'locked') return { kind };
  if (kind === 'damaged' || kind === 'full') return { kind, detail: error.message };
  return { kind: 'io', detail: error.message };
}

/** The error that callers get. */
export function errorOf(where: string, failure: Failure): StorageError {
  switch (failure.kind) {
    case 'locked':
      return new StorageLockedError(where);
    case 'group':
      return new StorageGroupError(where, failure);
    case 'format':
      return new StorageFormatError(where, failure.detail);
    case 'damaged':
      return new StorageDamagedError(where, failure.detail);
    case 'full':
    case 'io':
      return new StorageFailedError(where, failure.kind, { detail: failure.detail });
  }
}
