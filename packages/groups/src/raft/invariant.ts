/** A bug in the core, or in how it is driven. Of its own, as nothing here imports from outside of the folder. */
export class RaftInvariantError extends Error {
  override readonly name = 'RaftInvariantError';
  readonly code = 'ERR_INVARIANT';
}

/**
 * Throws unless `condition` holds. Stays on in production: going on from a state that cannot be is how data is lost.
 *
 * @throws {RaftInvariantError} when `condition` is falsy.
 */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new RaftInvariantError(message);
}
