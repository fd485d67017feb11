/** The end of an iteration, the same for all. */
export const DONE: IteratorReturnResult<void> = Object.freeze({ done: true, value: undefined });

/**
 * An async iterator written out by hand: what is there already costs one settled promise, and no generator.
 *
 * Leaving the loop early ends nothing but the loop.
 */
export function iteratorOf<T>(
  next: () => Promise<IteratorResult<T, void>>,
): AsyncIterableIterator<T, void, void> {
  const self: AsyncIterableIterator<T, void, void> = {
    next,
    return: () => Promise.resolve(DONE),
    [Symbol.asyncIterator]: () => self,
  };
  return self;
}

/** As a Web Stream, which reads an item only when it is asked for one; to cancel it is up to `cancel`. */
export function readableOf<T>(
  iterate: () => AsyncIterator<T, void>,
  cancel: () => Promise<void>,
): ReadableStream<T> {
  return new ReadableStream<T>(
    {
      pull: async (controller) => {
        const { done, value } = await iterate().next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      cancel,
    },
    { highWaterMark: 0 },
  );
}

/** Where batches come from. */
export interface BatchSource<T> {
  /** The next item, when there is one. */
  readonly wait: () => Promise<IteratorResult<T, void>>;
  /** The next item, if it is there. */
  readonly take: () => IteratorYieldResult<T> | undefined;
  readonly maxItems: number;
}

/** What is there at once, as arrays of up to `maxItems`; waits for the first of each. */
export function batchesOf<T>({
  wait,
  take,
  maxItems,
}: BatchSource<T>): AsyncIterableIterator<T[], void, void> {
  return iteratorOf<T[]>(async () => {
    const first = await wait();
    if (first.done === true) return DONE;
    const batch = [first.value];
    while (batch.length < maxItems) {
      const next = take();
      if (next === undefined) break;
      batch.push(next.value);
    }
    return { done: false, value: batch };
  });
}
