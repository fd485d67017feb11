import { type Scope, toError } from '@mosaik/primitives';

/**
 * Calls a function that the user gave us. What it throws is reported to the owner of the scope, and does not reach our
 * caller: a predicate that fails on one peer must not keep a node from noticing the others.
 */
export function callUser<T>(scope: Scope, name: string, { call, otherwise }: UserCall<T>): T {
  try {
    return call();
  } catch (thrown) {
    const error = toError(thrown);
    if (!scope.isClosing) scope.spawn(name, () => Promise.reject(error));
    return otherwise;
  }
}

interface UserCall<T> {
  readonly call: () => T;
  /** What stands in for the result when there is none. */
  readonly otherwise: T;
}
