/** Failures: plain data while they cross from a worker, the typed errors of the contract for callers. */
import { FailureError, type KitFailure, failureOf as kitFailureOf } from '@mosaik/groups/sqlite-kit';
import { type DamagedRange, LogStorageError, type LogStorageFailure } from '../log/errors.ts';

export interface Failure extends KitFailure {
  /** Of a damaged block: the offsets that cannot be read. */
  readonly range?: DamagedRange | undefined;
}

const REASONS: Readonly<Record<Failure['kind'], LogStorageFailure>> = {
  locked: 'inUse',
  format: 'format',
  damaged: 'damaged',
  full: 'io',
  io: 'io',
};

const DESCRIPTIONS: Readonly<Record<Failure['kind'], string>> = {
  locked: 'in use by another store or process',
  format: 'not of the format that this release reads',
  damaged: 'damaged',
  full: 'no space is left',
  io: 'could not be read or written',
};

export function damaged(detail: string, range?: DamagedRange): FailureError<Failure> {
  return new FailureError({ kind: 'damaged', detail, range });
}

/** What was thrown, as a failure. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof FailureError) return thrown.failure as Failure;
  const failure = kitFailureOf(thrown);
  // A number that is beyond what any column was given.
  const isOutOfRange = (thrown as { code?: string }).code === 'ERR_OUT_OF_RANGE';
  return isOutOfRange ? { kind: 'damaged', detail: failure.detail } : failure;
}

/** The error that callers get. */
export function errorOf(where: string, { kind, detail, range }: Failure): LogStorageError {
  const offsets = range === undefined ? '' : `, offsets ${range.first} up to ${range.next}`;
  const message = `${where}: ${DESCRIPTIONS[kind]}${offsets}: ${detail}`;
  return new LogStorageError(REASONS[kind], message, { damaged: range });
}
