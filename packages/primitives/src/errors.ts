/**
 * The base of every error a user of mosaik can meet in normal operation.
 *
 * Three kinds of failure are kept apart: operating errors (this class: typed, with a stable code and the data
 * needed to recover), misbehaviour of a peer (a numeric close code, counted where it is noticed) and bugs
 * ({@link InvariantError}).
 */
export class MosaikError extends Error {
  override readonly name: string = 'MosaikError';
  /** Stable, machine-readable: `ERR_…`. Never changes between releases, while messages may. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A wait was given up because its `AbortSignal` fired; `cause` is the signal's reason. */
export class AbortedError extends MosaikError {
  override readonly name = 'AbortedError';

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_ABORTED', message, options);
  }
}

/** Something did not happen within the time it was given. */
export class TimeoutError extends MosaikError {
  override readonly name = 'TimeoutError';
  readonly timeoutMs: number;

  constructor(what: string, timeoutMs: number, options?: ErrorOptions) {
    super('ERR_TIMEOUT', `${what}: no answer within ${timeoutMs} ms`, options);
    this.timeoutMs = timeoutMs;
  }
}

/** The thing that was asked is closed, or is closing. */
export class ClosedError extends MosaikError {
  override readonly name: string = 'ClosedError';

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_CLOSED', message, options);
  }
}

/** An option or argument of a public call that cannot be used; names the argument and what is expected of it. */
export class InvalidArgumentError extends MosaikError {
  override readonly name = 'InvalidArgumentError';

  constructor(argument: string, expected: string, options?: ErrorOptions) {
    super('ERR_INVALID_ARGUMENT', `${argument}: ${expected}`, options);
  }
}

/** Whatever was thrown, as an `Error`: JavaScript lets anything be thrown, a handler wants one shape. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}
