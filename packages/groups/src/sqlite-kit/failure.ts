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

/** What was thrown by SQLite, the file system or a decoder, as a failure. */
export function failureOf(thrown: unknown): KitFailure {
  const error = toError(thrown);
  if (error instanceof DecodeError) return { kind: 'damaged', detail: error.message };
  const { errcode, code } = error as { errcode?: number; code?: string };
  const kind = code === 'ENOSPC' ? 'full' : KIND_BY_CODE.get((errcode ?? 0) & 0xff);
  return { kind: kind ?? 'io', detail: error.message };
}
