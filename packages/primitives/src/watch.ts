import { ClosedError, toError } from './errors.ts';
import { type WaitOptions, waitFor } from './runtime/wait.ts';

/** A value that changes over time: read it, subscribe to it, or wait until it is what you need. */
export interface Watch<T> extends AsyncIterable<T> {
  /** The value now. */
  readonly value: T;
  /** Calls `listener` at each change, synchronously, not with the value now; returns what ends the subscription. */
  subscribe(listener: (value: T) => void): () => void;
  /**
   * Resolves with the first value that satisfies `predicate`, the value now included.
   *
   * @throws {ClosedError} when the watch ends first.
   */
  until(predicate: (value: T) => boolean, options?: WaitOptions): Promise<T>;
  /** The value now and then its changes; a slow reader skips to the newest and never queues. */
  values(options?: WaitOptions): AsyncGenerator<T, void, void>;
}

/** The writing end of a {@link Watch}. */
export interface WatchSource<T> extends Watch<T> {
  /** Sets the value and tells the listeners, unless it is the same (`Object.is`, or the `equals` given at creation). */
  set(value: T): void;
  /** Sets the value to `change(value)`. */
  update(change: (value: T) => T): void;
  readonly isClosed: boolean;
  /** Calls `listener` when the watch ends; returns what ends the subscription. */
  onClosed(listener: () => void): () => void;
  /** Ends the watch: iterations end, waits reject, the value stays readable. */
  close(): void;
}

/** Creates a watch that holds `initial`. */
export function createWatch<T>(
  initial: T,
  options: { readonly equals?: (a: T, b: T) => boolean } = {},
): WatchSource<T> {
  return new WatchNode(initial, options.equals ?? Object.is);
}

class WatchNode<T> implements WatchSource<T> {
  #value: T;
  readonly #equals: (a: T, b: T) => boolean;
  readonly #listeners = new Set<(value: T) => void>();
  readonly #closers = new Set<() => void>();
  #closed = false;

  constructor(initial: T, equals: (a: T, b: T) => boolean) {
    this.#value = initial;
    this.#equals = equals;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    if (this.#closed) throw new ClosedError('a watch that has ended cannot be set');
    if (this.#equals(value, this.#value)) return;
    this.#value = value;
    this.#notify();
  }

  update(change: (value: T) => T): void {
    this.set(change(this.#value));
  }

  /** Every listener is told, even when one throws; the first error goes to whoever set the value. */
  #notify(): void {
    let failure: Error | undefined;
    for (const listener of [...this.#listeners]) {
      if (!this.#listeners.has(listener)) continue;
      try {
        // Not the value that was set: a listener before this one may have set a newer one.
        listener(this.#value);
      } catch (thrown) {
        failure ??= toError(thrown);
      }
    }
    if (failure) throw failure;
  }

  subscribe(listener: (value: T) => void): () => void {
    const own = (value: T): void => listener(value);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  onClosed(listener: () => void): () => void {
    const own = (): void => listener();
    this.#closers.add(own);
    return () => void this.#closers.delete(own);
  }

  until(predicate: (value: T) => boolean, options: WaitOptions = {}): Promise<T> {
    return this.#wait('waiting for a value', predicate, options.signal);
  }

  #wait(what: string, predicate: (value: T) => boolean, signal: AbortSignal | undefined): Promise<T> {
    return waitFor<T>(what, signal, (resolve, reject) => {
      if (predicate(this.#value)) {
        resolve(this.#value);
        return () => {};
      }
      const onClosed = (): void => reject(new ClosedError('the watch has ended'));
      if (this.#closed) onClosed();
      const unsubscribe = this.subscribe((value) => {
        if (predicate(value)) resolve(value);
      });
      this.#closers.add(onClosed);
      return () => {
        unsubscribe();
        this.#closers.delete(onClosed);
      };
    });
  }

  async *values(options: WaitOptions = {}): AsyncGenerator<T, void, void> {
    let changed = true;
    let wake: (() => void) | undefined;
    const onChange = (): void => {
      changed = true;
      wake?.();
    };
    const unsubscribe = this.subscribe(onChange);
    const onClosed = (): void => wake?.();
    this.#closers.add(onClosed);
    try {
      while (true) {
        if (changed) {
          changed = false;
          yield this.#value;
        } else if (this.#closed) {
          return;
        } else {
          await waitFor<void>('watching', options.signal, (resolve) => {
            wake = resolve;
            return () => {
              wake = undefined;
            };
          });
        }
      }
    } finally {
      unsubscribe();
      this.#closers.delete(onClosed);
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    return this.values();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const closer of [...this.#closers]) closer();
    this.#listeners.clear();
  }
}

/** A watch of `project(source.value)`, evaluated at each change of the source and told on only when the result differs. */
export function mapWatch<T, U>(source: Watch<T>, project: (value: T) => U): Watch<U> & Disposable {
  const mapped = createWatch(project(source.value));
  const unsubscribe = source.subscribe((value) => mapped.set(project(value)));
  return Object.assign(mapped, {
    [Symbol.dispose]: () => {
      unsubscribe();
      mapped.close();
    },
  });
}
