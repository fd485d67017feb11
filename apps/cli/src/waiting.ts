import { AbortedError } from 'mosaik';

/** Resolves when the user wants it to end. */
export function interrupted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Waits for `work`; that it was given up because `signal` fired is an end like any other. */
export async function unlessAborted(signal: AbortSignal, work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (thrown) {
    if (!(thrown instanceof AbortedError && signal.aborted)) throw thrown;
  }
}
