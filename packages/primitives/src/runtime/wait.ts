import { AbortedError, TimeoutError, toError } from '../errors.ts';
import type { Runtime } from './runtime.ts';

/** Options of everything that waits. */
export interface WaitOptions {
  /** Gives up the wait: it then rejects with {@link AbortedError}. */
  readonly signal?: AbortSignal | undefined;
}

/** Throws when `signal` has fired already. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw new AbortedError(`${what} was aborted`, { cause: signal.reason });
}

/**
 * Ties a wait to a signal: `start` begins it and returns what undoes it; whoever comes first, result or abort, settles.
 *
 * Every wait in mosaik goes through here, so that none leaves a listener behind on a long-lived signal.
 */
export function waitFor<T>(
  what: string,
  signal: AbortSignal | undefined,
  start: (resolve: (value: T) => void, reject: (error: Error) => void) => () => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    if (signal?.aborted) {
      reject(new AbortedError(`${what} was aborted`, { cause: signal.reason }));
      return;
    }
    let settled = false;
    let undo: (() => void) | undefined;
    const settle = (finish: () => void): void => {
      if (settled) return;
      settled = true;
      signal?.removeEventListener('abort', onAbort);
      undo?.();
      finish();
    };
    const onAbort = (): void =>
      settle(() => reject(new AbortedError(`${what} was aborted`, { cause: signal?.reason })));
    signal?.addEventListener('abort', onAbort, { once: true });
    undo = start(
      (value) => settle(() => resolve(value)),
      (error) => settle(() => reject(error)),
    );
    // `start` may have settled before its undo was known.
    if (settled) undo();
  });
}

/** Resolves after `delayMs` milliseconds. */
export function sleep(runtime: Runtime, delayMs: number, options: WaitOptions = {}): Promise<void> {
  return waitFor<void>('sleep', options.signal, (resolve) => {
    const timer = runtime.setTimer(delayMs, () => resolve());
    return () => timer.cancel();
  });
}

/** Resolves once the events that are ready now have been handled. */
export function yieldNow(runtime: Runtime): Promise<void> {
  return new Promise((resolve) => runtime.yieldTo(resolve));
}

/** Waits for `promise`, but gives up the wait (not the work) when `signal` fires. */
export function abortable<T>(promise: Promise<T>, what: string, options: WaitOptions = {}): Promise<T> {
  if (options.signal === undefined) return promise;
  return waitFor<T>(what, options.signal, (resolve, reject) => {
    promise.then(resolve, (thrown) => reject(toError(thrown)));
    return () => {};
  });
}

/**
 * Runs `work` with a signal that fires after `timeoutMs`; work that ignores the signal is left behind.
 *
 * @throws {TimeoutError} when the time is up first.
 */
export async function withTimeout<T>(
  runtime: Runtime,
  { what, timeoutMs, signal }: { what: string; timeoutMs: number; signal?: AbortSignal | undefined },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  throwIfAborted(signal, what);
  const limit = new AbortController();
  const timer = runtime.setTimer(timeoutMs, () => limit.abort(new TimeoutError(what, timeoutMs)));
  const onAbort = (): void => limit.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await abortable(work(limit.signal), what, { signal: limit.signal });
  } catch (error) {
    throw limit.signal.reason instanceof TimeoutError ? limit.signal.reason : error;
  } finally {
    timer.cancel();
    signal?.removeEventListener('abort', onAbort);
  }
}

/** `valueMs` moved by up to `share` of itself either way, so that many nodes do not act in step. */
export function jitter(runtime: Pick<Runtime, 'random'>, valueMs: number, share = 0.1): number {
  return valueMs * (1 + share * (2 * runtime.random() - 1));
}

/** A uniform whole number in [0, below). */
export function randomInt(runtime: Pick<Runtime, 'random'>, below: number): number {
  return Math.floor(runtime.random() * below);
}

/** Up to `count` distinct items of `items`, uniform, in random order (partial Fisher–Yates). */
export function sample<T>(runtime: Pick<Runtime, 'random'>, items: readonly T[], count: number): T[] {
  const pool = [...items];
  const taken = Math.min(count, pool.length);
  for (let index = 0; index < taken; index++) {
    const other = index + randomInt(runtime, pool.length - index);
    [pool[index], pool[other]] = [pool[other] as T, pool[index] as T];
  }
  return pool.slice(0, taken);
}
