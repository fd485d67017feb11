import { accessSync, constants } from 'node:fs';
import { DecodeError, toError } from '@mosaik/primitives';

/** What can be wrong with a database, whatever it holds. */
export type FailureKind = 'locked' | 'format' | 'damaged' | 'full' | 'io';

/** A failure as it crosses from the worker: plain data. */
export interface KitFailure {
  readonly kind: FailureKind;
  readonly detail: string;
}

/** Thrown inside the worker for what SQLite does not know of. */
export class FailureError<F extends { readonly kind: string } = KitFailure> extends Error {
  readonly failure: F;

  constructor(failure: F) {
    super(failure.kind);
    this.failure = failure;
  }
}

/** Result codes of SQLite (its extended ones end with the same byte). */
const KIND_BY_CODE: ReadonlyMap<number, FailureKind> = new Map([
  [5, 'locked'],
  [6, 'locked'],
  [11, 'damaged'],
  [13, 'full'],
  [26, 'damaged'],
]);

const SQLITE_ERROR = 1;
const SQLITE_READONLY = 8;

/**
 * What was thrown while a database was opened that is known to be ours. When SQLite then says that it is of a kind that it does
 * not know, bits of its header have changed.
 */
export function failureOfOurs(path: string, thrown: unknown): KitFailure {
  const failure = failureOf(thrown);
  const code = ((thrown as { errcode?: number }).errcode ?? 0) & 0xff;
  const isDamage = code === SQLITE_ERROR || (code === SQLITE_READONLY && isWritable(path));
  return isDamage ? { kind: 'damaged', detail: failure.detail } : failure;
}

/** By asking, not by opening: to close a file that SQLite has open, too, would undo its lock. */
function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** What was thrown by SQLite, the file system or a decoder, as a failure. */
export function failureOf(thrown: unknown): KitFailure {
  const error = toError(thrown);
  if (error instanceof DecodeError) return { kind: 'damaged', detail: error.message };
  const { errcode, code } = error as { errcode?: number; code?: string };
  const kind = code === 'ENOSPC' ? 'full' : KIND_BY_CODE.get((errcode ?? 0) & 0xff);
  return { kind: kind ?? 'io', detail: error.message };
}
