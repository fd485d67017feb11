import { InvalidArgumentError } from './errors.ts';
import { type WaitOptions, waitFor } from './runtime/wait.ts';

/** Stands in the place of events that a subscriber was too slow to take. */
export interface Lagged {
  readonly type: 'lagged';
  /** How many events were dropped at this place. */
  readonly missed: number;
}

/** One subscriber's view; it receives from the moment it was made, and is disposed by leaving the loop. */
export interface EventSubscription<T> extends AsyncIterableIterator<T | Lagged, void, void>, Disposable {
  /** Events waiting to be taken. */
  readonly length: number;
}

/** Events to subscribe to. */
export interface EventStream<T extends { readonly type: string }> extends AsyncIterable<T | Lagged> {
  /**
   * Subscribes from now on.
   *
   * @param options.backlog how many events are kept for this subscriber; when more wait, the oldest are dropped and a
   *   {@link Lagged} item tells how many. Default: the stream's own.
   */
  subscribe(options?: WaitOptions & { readonly backlog?: number }): EventSubscription<T>;
}

/** The writing end of an {@link EventStream}. */
export interface EventSource<T extends { readonly type: string }> extends EventStream<T> {
  /** Hands `event` to every subscriber; never waits and never throws. */
  emit(event: T): void;
  /** Ends the stream: subscribers take what waits for them and then end. */
  close(): void;
  readonly subscribers: number;
}

/** Enough for bursts at start-up of a thousand nodes; 8 bytes a slot. */
const DEFAULT_BACKLOG = 1024;

/** Creates a stream of events; `backlog` is the default bound a subscriber, 1024 unless set. */
export function createEventStream<T extends { readonly type: string }>(
  options: { readonly backlog?: number } = {},
): EventSource<T> {
  return new EventHub<T>(options.backlog ?? DEFAULT_BACKLOG);
}

class EventHub<T extends { readonly type: string }> implements EventSource<T> {
  readonly #backlog: number;
  readonly #subscriptions = new Set<Subscription<T>>();
  #closed = false;

  constructor(backlog: number) {
    this.#backlog = backlog;
  }

  get subscribers(): number {
    return this.#subscriptions.size;
  }

  emit(event: T): void {
    for (const subscription of this.#subscriptions) subscription.push(event);
  }

  subscribe(options: WaitOptions & { readonly backlog?: number } = {}): EventSubscription<T> {
    const subscription = new Subscription<T>(options.backlog ?? this.#backlog, options.signal, () =>
      this.#subscriptions.delete(subscription),
    );
    if (this.#closed) subscription.end();
    else this.#subscriptions.add(subscription);
    return subscription;
  }

  [Symbol.asyncIterator](): EventSubscription<T> {
    return this.subscribe();
  }

  close(): void {
    this.#closed = true;
    for (const subscription of this.#subscriptions) subscription.end();
    this.#subscriptions.clear();
  }
}

class Subscription<T> implements EventSubscription<T> {
  readonly #ring: (T | undefined)[];
  readonly #signal: AbortSignal | undefined;
  readonly #onDispose: () => void;
  #head = 0;
  #length = 0;
  #missed = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(backlog: number, signal: AbortSignal | undefined, onDispose: () => void) {
    if (!Number.isSafeInteger(backlog) || backlog < 1) {
      throw new InvalidArgumentError('backlog', `a whole number of 1 or more, not ${backlog}`);
    }
    this.#ring = new Array(backlog);
    this.#signal = signal;
    this.#onDispose = onDispose;
  }

  get length(): number {
    return this.#length;
  }

  push(event: T): void {
    if (this.#length === this.#ring.length) {
      this.#shift();
      this.#missed++;
    }
    this.#ring[(this.#head + this.#length) % this.#ring.length] = event;
    this.#length++;
    this.#wake?.();
  }

  #shift(): T {
    const event = this.#ring[this.#head] as T;
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#ring.length;
    this.#length--;
    return event;
  }

  async next(): Promise<IteratorResult<T | Lagged, void>> {
    while (true) {
      if (this.#missed > 0) {
        const value: Lagged = { type: 'lagged', missed: this.#missed };
        this.#missed = 0;
        return { done: false, value };
      }
      if (this.#length > 0) return { done: false, value: this.#shift() };
      if (this.#ended) return { done: true, value: undefined };
      await this.#more();
    }
  }

  #more(): Promise<void> {
    return waitFor<void>('waiting for an event', this.#signal, (resolve) => {
      this.#wake = resolve;
      return () => {
        this.#wake = undefined;
      };
    });
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async return(): Promise<IteratorResult<T | Lagged, void>> {
    this[Symbol.dispose]();
    return { done: true, value: undefined };
  }

  [Symbol.dispose](): void {
    this.#onDispose();
    this.#length = 0;
    this.#missed = 0;
    this.end();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
