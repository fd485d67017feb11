/** A signal that fires when one of others does; disposed when it is not needed any more. */
export interface EitherSignal extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * Like `AbortSignal.any`, whose signals the platform keeps alive while anybody listens: those of a wait that never ends would
 * never go, with all that waits.
 */
export function eitherSignal(...signals: readonly AbortSignal[]): EitherSignal {
  const abort = new AbortController();
  const fired = signals.find(({ aborted }) => aborted);
  if (fired !== undefined) abort.abort(fired.reason);
  const onAbort = ({ target }: Event): void => abort.abort((target as AbortSignal).reason);
  for (const signal of signals) signal.addEventListener('abort', onAbort, { once: true });
  return {
    signal: abort.signal,
    [Symbol.dispose]: () => {
      for (const signal of signals) signal.removeEventListener('abort', onAbort);
    },
  };
}
