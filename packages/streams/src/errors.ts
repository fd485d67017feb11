import { ClosedError, MosaikError } from '@mosaik/primitives';
import type { StandardSchemaV1 } from '@standard-schema/spec';

/** A datum was not taken; it is handed back, so that nothing is lost silently. */
export class UnsentError<T = unknown> extends MosaikError {
  override readonly name: string = 'UnsentError';
  readonly datum: T;

  constructor(code: string, message: string, datum: T, options?: ErrorOptions) {
    super(code, message, options);
    this.datum = datum;
  }
}

/** The producer's `onlineWhen` does not hold now. */
export class OfflineError<T = unknown> extends UnsentError<T> {
  override readonly name = 'OfflineError';

  constructor(datum: T, why: string) {
    super('ERR_STREAM_OFFLINE', `the producer is offline: ${why}`, datum);
  }
}

/** The queues of the consumers are full. */
export class FullError<T = unknown> extends UnsentError<T> {
  override readonly name = 'FullError';

  constructor(datum: T) {
    super('ERR_STREAM_FULL', 'the queue to the consumers is full: use send, which waits', datum);
  }
}

/** The producer is closed. */
export class ProducerClosedError<T = unknown> extends ClosedError {
  override readonly name = 'ProducerClosedError';
  readonly datum: T;

  constructor(stream: string, datum: T) {
    super(`the producer of ${stream} is closed`);
    this.datum = datum;
  }
}

/** What keeps the data of this producer has failed; whether this datum was kept is not known. */
export class JournalFailedError<T = unknown> extends UnsentError<T> {
  override readonly name = 'JournalFailedError';

  constructor(datum: T, cause: Error) {
    super('ERR_JOURNAL_FAILED', `the data of this producer cannot be kept: ${cause.message}`, datum, {
      cause,
    });
  }
}

/** A datum that its schema refuses, or that cannot be encoded. */
export class DatumRefusedError<T = unknown> extends UnsentError<T> {
  override readonly name = 'DatumRefusedError';
  /** What the schema found; empty when the datum cannot be encoded or is too large. */
  readonly issues: readonly StandardSchemaV1.Issue[];

  constructor(
    datum: T,
    message: string,
    options: ErrorOptions & { readonly issues?: readonly StandardSchemaV1.Issue[] } = {},
  ) {
    super('ERR_DATUM_REFUSED', message, datum, options);
    this.issues = options.issues ?? [];
  }
}

/** Criteria that cannot be used: an unknown operator, or more of them than a producer evaluates for one consumer. */
export class CriteriaError extends MosaikError {
  override readonly name = 'CriteriaError';

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_CRITERIA', `criteria: ${message}`, options);
  }
}
