/** Failures, as they cross from the worker: plain data there, the typed errors of the contract here. */
import { FailureError, type KitFailure, failureOf as kitFailureOf } from '../sqlite-kit/index.ts';
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
  | KitFailure
  | { readonly kind: 'group'; readonly expected: string; readonly found: string };

export function damaged(detail: string): FailureError<Failure> {
  return new FailureError<Failure>({ kind: 'damaged', detail });
}

/** What was thrown, as a failure. */
export function failureOf(thrown: unknown): Failure {
  return thrown instanceof FailureError ? (thrown.failure as Failure) : kitFailureOf(thrown);
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
