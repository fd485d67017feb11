import { MosaikError } from './errors.ts';

/** A bug in mosaik itself: something that must always hold did not. Please report it with its stack. */
export class InvariantError extends MosaikError {
  override readonly name = 'InvariantError';

  constructor(message: string) {
    super('ERR_INVARIANT', message);
  }
}

/**
 * Throws unless `condition` holds. Stays on in production: going on from a state that cannot be is how data is lost.
 *
 * @throws {InvariantError} when `condition` is falsy.
 */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Marks a branch that the types say cannot be reached, such as the default of an exhaustive `switch`. */
export function unreachable(value: never, message = 'unreachable value'): never {
  throw new InvariantError(`${message}: ${String(value)}`);
}
