import { InvalidArgumentError } from './errors.ts';
import { invariant } from './invariant.ts';
import { ItemTooLargeError, QueueClosedError, TooManyWaitersError } from './queue/errors.ts';
import { Ring } from './queue/ring.ts';
import { WaitingLine } from './queue/waiting-line.ts';
import { type WaitOptions, waitFor } from './runtime/wait.ts';

export { ItemTooLargeError, QueueClosedError, TooManyWaitersError };

const DEFAULT_MAX_ITEMS = 1024;
const DEFAULT_MAX_WAITERS = 1024;

/** Bounds of a {@link Queue}. */
export interface QueueOptions<T> {
  /** Items held at most; default 1024, at least 1. */
  readonly maxItems?: number | undefined;
  /** Bytes held at most, as `sizeOf` counts them; default no bound. Needs `sizeOf`. */
  readonly maxBytes?: number | undefined;
  /** Size of an item in bytes; asked once an item, when it is pushed. */
  readonly sizeOf?: ((item: T) => number) | undefined;
  /** Callers that may wait to push, and as many to take; default 1024. */
  readonly maxWaiters?: number | undefined;
}

/**
 * A first-in first-out queue that is bounded by count and by bytes, so that whoever fills it waits for whoever empties
 * it. All operations are O(1). Those who wait are served in the order in which they came: a small item never overtakes
 * a large one that waits for room.
 *
 * Iterating takes items until the queue is closed and empty; several readers share them.
 */
export interface Queue<T> extends AsyncIterable<T> {
  /** Items in the queue, without those of callers that wait to push. */
  readonly length: number;
  /** Their size; 0 without `sizeOf`. */
  readonly bytes: number;
  /** Whether one of the bounds is reached. */
  readonly isFull: boolean;
  readonly isClosed: boolean;
  /**
   * Adds an item; resolves when there was room for it.
   *
   * @throws {QueueClosedError} with the item, also when the queue is closed during the wait.
   * @throws {ItemTooLargeError} for an item that is larger than `maxBytes` by itself.
   * @throws {TooManyWaitersError} when `maxWaiters` callers wait already.
   * @throws {AbortedError} when `signal` fires first; the item is then not in the queue.
   */
  push(item: T, options?: WaitOptions): Promise<void>;
  /**
   * Adds an item if there is room, and nobody waits for it.
   *
   * @throws {QueueClosedError}
   * @throws {ItemTooLargeError}
   */
  tryPush(item: T): boolean;
  /**
   * Removes the oldest item; waits for one.
   *
   * @throws {QueueClosedError} when the queue is closed and empty.
   * @throws {TooManyWaitersError} when `maxWaiters` callers wait already.
   * @throws {AbortedError} when `signal` fires first; no item is lost.
   */
  take(options?: WaitOptions): Promise<T>;
  /** Removes the oldest item, or returns undefined when there is none. */
  tryTake(): T | undefined;
  /** Removes the `max` oldest items, or all; none of those that callers wait to push. */
  drain(max?: number): T[];
  /**
   * Takes no more items: who waits to push is rejected with the item, who takes gets the rest and then
   * {@link QueueClosedError}; a loop ends, or throws it when there is a reason. Closing again does nothing.
   */
  close(reason?: Error): void;
}

/**
 * Creates an empty queue.
 *
 * @throws {InvalidArgumentError} for a bound that cannot be kept.
 */
export function createQueue<T>(options: QueueOptions<T> = {}): Queue<T> {
  const { maxItems = DEFAULT_MAX_ITEMS, maxBytes, sizeOf, maxWaiters = DEFAULT_MAX_WAITERS } = options;
  if (!(maxItems >= 1)) throw new InvalidArgumentError('maxItems', '1 or more');
  if (maxBytes !== undefined && sizeOf === undefined)
    throw new InvalidArgumentError('maxBytes', 'needs sizeOf');
  return new BoundedQueue<T>({
    maxItems,
    maxBytes: maxBytes ?? Number.POSITIVE_INFINITY,
    sizeOf: sizeOf ?? (() => 0),
    maxWaiters,
  });
}

type Limits<T> = { readonly [Name in keyof QueueOptions<T>]-?: NonNullable<QueueOptions<T>[Name]> };

interface Pusher<T> {
  readonly item: T;
  readonly size: number;
  readonly accept: () => void;
  readonly refuse: (error: Error) => void;
}

interface Taker<T> {
  readonly give: (item: T) => void;
  readonly refuse: (error: Error) => void;
}

const DONE: Promise<void> = Promise.resolve();

class BoundedQueue<T> implements Queue<T> {
  readonly #limits: Limits<T>;
  readonly #items = new Ring<T>();
  readonly #sizes = new Ring<number>();
  /** Invariant: nobody waits to push while there is room for the first of them, nor to take while there are items. */
  readonly #pushers = new WaitingLine<Pusher<T>>();
  readonly #takers = new WaitingLine<Taker<T>>();
  #bytes = 0;
  #isClosed = false;
  /** Who is let in leaves the line, which is a reason to look who is next. */
  #isAdmitting = false;
  #reason: Error | undefined;

  constructor(limits: Limits<T>) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#items.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isFull(): boolean {
    return this.length >= this.#limits.maxItems || this.#bytes >= this.#limits.maxBytes;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  push(item: T, options: WaitOptions = {}): Promise<void> {
    try {
      const size = this.#checkedSize(item);
      if (options.signal?.aborted !== true && this.#accept(item, size)) return DONE;
      return this.#waitForRoom(item, size, options);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  tryPush(item: T): boolean {
    return this.#accept(item, this.#checkedSize(item));
  }

  take(options: WaitOptions = {}): Promise<T> {
    if (this.length > 0 && options.signal?.aborted !== true) return Promise.resolve(this.#remove());
    if (this.length === 0 && this.#isClosed) return Promise.reject(this.#closedError());
    if (this.#takers.length >= this.#limits.maxWaiters) {
      return Promise.reject(new TooManyWaitersError(this.#limits.maxWaiters));
    }
    return waitFor<T>('taking from a queue', options.signal, (give, refuse) =>
      this.#takers.join({ give, refuse }),
    );
  }

  tryTake(): T | undefined {
    return this.length > 0 ? this.#remove() : undefined;
  }

  drain(max: number = this.length): T[] {
    const drained: T[] = [];
    while (this.length > 0 && drained.length < max) drained.push(this.#dequeue());
    this.#admit();
    return drained;
  }

  close(reason?: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#reason = reason;
    for (let next = this.#pushers.first; next !== undefined; next = this.#pushers.first) {
      next.refuse(this.#closedError(next));
    }
    for (let next = this.#takers.first; next !== undefined; next = this.#takers.first) {
      next.refuse(this.#closedError());
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    while (true) {
      if (this.length > 0) {
        yield this.#remove();
      } else if (this.#isClosed) {
        if (this.#reason !== undefined) throw this.#closedError();
        return;
      } else {
        const taken = await this.#takeOrEnd();
        if (taken === undefined) continue;
        yield taken.item;
      }
    }
  }

  /** Undefined when the queue was closed during the wait. */
  async #takeOrEnd(): Promise<{ item: T } | undefined> {
    try {
      return { item: await this.take() };
    } catch (error) {
      if (error instanceof QueueClosedError) return undefined;
      throw error;
    }
  }

  #checkedSize(item: T): number {
    if (this.#isClosed) throw this.#closedError({ item });
    const size = this.#limits.sizeOf(item);
    if (size > this.#limits.maxBytes) throw new ItemTooLargeError(item, size, this.#limits.maxBytes);
    return size;
  }

  /** Hands the item to who waits for one, or puts it in if there is room and nobody is before it. */
  #accept(item: T, size: number): boolean {
    if (this.#pushers.length > 0 || !this.#hasRoom(size)) return false;
    const taker = this.#takers.first;
    if (taker === undefined) this.#enqueue(item, size);
    else taker.give(item);
    return true;
  }

  #hasRoom(size: number): boolean {
    return this.length < this.#limits.maxItems && this.#bytes + size <= this.#limits.maxBytes;
  }

  #waitForRoom(item: T, size: number, options: WaitOptions): Promise<void> {
    const { maxWaiters } = this.#limits;
    if (this.#pushers.length >= maxWaiters) throw new TooManyWaitersError(maxWaiters, item);
    return waitFor<void>('pushing to a queue', options.signal, (accept, refuse) => {
      const leave = this.#pushers.join({ item, size, accept, refuse });
      return () => {
        leave();
        // It may have been a large item that held up small ones.
        this.#admit();
      };
    });
  }

  #enqueue(item: T, size: number): void {
    invariant(this.#takers.length === 0, 'an item is queued while a caller waits for one');
    this.#items.push(item);
    this.#sizes.push(size);
    this.#bytes += size;
    invariant(this.length <= this.#limits.maxItems, 'a queue holds more items than its bound');
  }

  #dequeue(): T {
    this.#bytes -= this.#sizes.shift();
    return this.#items.shift();
  }

  #remove(): T {
    const item = this.#dequeue();
    this.#admit();
    return item;
  }

  /** Lets in who waits to push, for as long as there is room. */
  #admit(): void {
    if (this.#isAdmitting || this.#isClosed) return;
    this.#isAdmitting = true;
    for (let next = this.#pushers.first; next !== undefined; next = this.#pushers.first) {
      if (!this.#hasRoom(next.size)) break;
      this.#enqueue(next.item, next.size);
      next.accept();
    }
    this.#isAdmitting = false;
  }

  #closedError(pushed?: { readonly item: T }): QueueClosedError<T> {
    const cause = this.#reason === undefined ? {} : { cause: this.#reason };
    return new QueueClosedError<T>('the queue is closed', pushed ? { ...cause, item: pushed.item } : cause);
  }
}
