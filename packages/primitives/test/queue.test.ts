import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AbortedError } from '../src/errors.ts';
import {
  createQueue,
  ItemTooLargeError,
  type Queue,
  QueueClosedError,
  TooManyWaitersError,
} from '../src/queue.ts';

/** Lets what is settled reach those who wait for it. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

/** What has become of a promise so far. */
function track<T>(promise: Promise<T>): { state: 'waiting' | 'done' | 'failed'; value?: T; error?: unknown } {
  const tracked: ReturnType<typeof track<T>> = { state: 'waiting' };
  promise.then(
    (value) => Object.assign(tracked, { state: 'done', value }),
    (error: unknown) => Object.assign(tracked, { state: 'failed', error }),
  );
  return tracked;
}

const bySize = (item: number): number => item;

describe('a queue', () => {
  it('gives back in the order in which it was given', async () => {
    const queue = createQueue<number>();
    for (let item = 0; item < 100; item++) await queue.push(item);
    expect(queue.length).toBe(100);
    for (let item = 0; item < 100; item++) expect(await queue.take()).toBe(item);
    expect(queue.tryTake()).toBeUndefined();
  });

  it('is bounded by count', () => {
    const queue = createQueue<string>({ maxItems: 2 });
    expect([queue.tryPush('a'), queue.isFull, queue.tryPush('b'), queue.tryPush('c')]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect([queue.isFull, queue.length, queue.bytes]).toEqual([true, 2, 0]);
    expect(queue.tryTake()).toBe('a');
    expect(queue.tryPush('c')).toBe(true);
  });

  it('is bounded by bytes, which it asks for once', () => {
    let asked = 0;
    const sizeOf = (item: { size: number }): number => {
      asked++;
      return item.size;
    };
    const queue = createQueue({ maxBytes: 10, sizeOf });
    const item = { size: 6 };
    expect(queue.tryPush(item)).toBe(true);
    expect(queue.tryPush({ size: 5 })).toBe(false);
    item.size = 1;
    expect(queue.bytes).toBe(6);
    queue.tryTake();
    expect([queue.bytes, asked]).toEqual([0, 2]);
  });

  it('refuses an item that can never fit', async () => {
    const queue = createQueue<number>({ maxBytes: 10, sizeOf: bySize });
    await expect(queue.push(11)).rejects.toThrow(ItemTooLargeError);
    await expect(queue.push(11)).rejects.toMatchObject({
      code: 'ERR_ITEM_TOO_LARGE',
      item: 11,
      sizeBytes: 11,
      maxBytes: 10,
    });
    expect(() => queue.tryPush(11)).toThrow(ItemTooLargeError);
    expect(queue.tryPush(10)).toBe(true);
  });

  it('refuses bounds that cannot be kept', () => {
    expect(() => createQueue({ maxItems: 0 })).toThrow('maxItems: ');
    expect(() => createQueue({ maxBytes: 1 })).toThrow('maxBytes: needs sizeOf');
  });

  it('drains all, or some, and then lets in who waits', async () => {
    const queue = createQueue<number>({ maxItems: 3 });
    for (const item of [1, 2, 3]) queue.tryPush(item);
    const waiting = [track(queue.push(4)), track(queue.push(5))];
    expect(queue.drain(1)).toEqual([1]);
    await settle();
    expect(waiting.map(({ state }) => state)).toEqual(['done', 'waiting']);
    expect(queue.drain(0)).toEqual([]);
    expect(queue.drain()).toEqual([2, 3, 4]);
    expect(queue.drain(10)).toEqual([5]);
  });
});

describe('waiting for room', () => {
  it('ends in the order in which it began, and a small item does not overtake', async () => {
    const queue = createQueue<number>({ maxBytes: 10, sizeOf: bySize });
    queue.tryPush(8);
    const large = track(queue.push(9));
    const small = track(queue.push(1));
    expect(queue.tryPush(1)).toBe(false);
    await settle();
    expect([large.state, small.state]).toEqual(['waiting', 'waiting']);
    expect(await queue.take()).toBe(8);
    await settle();
    expect([large.state, small.state, queue.bytes]).toEqual(['done', 'done', 10]);
    expect(queue.drain()).toEqual([9, 1]);
  });

  it('can be given up, which leaves the item out and lets the next one in', async () => {
    const queue = createQueue<number>({ maxBytes: 10, sizeOf: bySize });
    queue.tryPush(8);
    const gaveUp = new AbortController();
    const large = track(queue.push(9, { signal: gaveUp.signal }));
    const small = [track(queue.push(1)), track(queue.push(1)), track(queue.push(1))];
    gaveUp.abort();
    await settle();
    expect(large.error).toBeInstanceOf(AbortedError);
    expect(small.map(({ state }) => state)).toEqual(['done', 'done', 'waiting']);
    expect(queue.drain()).toEqual([8, 1, 1]);
    expect(queue.drain()).toEqual([1]);
  });

  it('does not begin with a signal that has fired, even where there is room', async () => {
    const queue = createQueue<number>();
    await expect(queue.push(1, { signal: AbortSignal.abort() })).rejects.toThrow(AbortedError);
    queue.tryPush(2);
    await expect(queue.take({ signal: AbortSignal.abort() })).rejects.toThrow(AbortedError);
    expect(queue.drain()).toEqual([2]);
  });

  it('is for a bounded number of callers', async () => {
    const queue = createQueue<number>({ maxItems: 1, maxWaiters: 2 });
    const takers = [queue.take(), queue.take()];
    await expect(queue.take()).rejects.toThrow(TooManyWaitersError);
    for (const item of [1, 2, 3]) queue.tryPush(item);
    expect(await Promise.all(takers)).toEqual([1, 2]);
    const pushers = [queue.push(4), queue.push(5)];
    await expect(queue.push(6)).rejects.toMatchObject({ code: 'ERR_TOO_MANY_WAITERS', item: 6 });
    expect([queue.tryTake(), queue.tryTake(), queue.tryTake()]).toEqual([3, 4, 5]);
    await Promise.all(pushers);
  });

  it('leaves nothing behind on a signal', async () => {
    const queue = createQueue<number>({ maxItems: 1 });
    const listeners = countListeners();
    for (let round = 0; round < 10; round++) {
      const taken = queue.take({ signal: listeners.signal });
      queue.tryPush(round);
      await taken;
    }
    queue.tryPush(1);
    const pushed = queue.push(2, { signal: listeners.signal });
    queue.tryTake();
    await pushed;
    expect(listeners.count()).toBe(0);
  });
});

describe('waiting for an item', () => {
  it('ends in the order in which it began', async () => {
    const queue = createQueue<number>();
    const takers = [queue.take(), queue.take(), queue.take()];
    for (const item of [1, 2, 3]) await queue.push(item);
    expect(await Promise.all(takers)).toEqual([1, 2, 3]);
    expect(queue.length).toBe(0);
  });

  it('can be given up, and no item is lost', async () => {
    const queue = createQueue<number>();
    const gaveUp = new AbortController();
    const first = track(queue.take({ signal: gaveUp.signal }));
    const second = track(queue.take());
    gaveUp.abort();
    await queue.push(1);
    await settle();
    expect([first.state, second.value]).toEqual(['failed', 1]);
  });

  it('that is aborted after it was served still has the item', async () => {
    const queue = createQueue<number>();
    const gaveUp = new AbortController();
    const taken = queue.take({ signal: gaveUp.signal });
    queue.tryPush(1);
    gaveUp.abort();
    expect(await taken).toBe(1);
  });
});

describe('closing a queue', () => {
  it('rejects who waits to push, with the item, and gives the rest to who takes', async () => {
    const queue = createQueue<number>({ maxItems: 2 });
    for (const item of [1, 2]) queue.tryPush(item);
    const waiting = [track(queue.push(3)), track(queue.push(4))];
    const reason = new Error('done');
    queue.close(reason);
    queue.close(new Error('again'));
    await settle();
    expect(waiting.map(({ error }) => error)).toMatchObject([
      { item: 3, cause: reason },
      { item: 4, cause: reason },
    ]);
    expect([queue.isClosed, await queue.take(), queue.tryTake(), queue.tryTake()]).toEqual([
      true,
      1,
      2,
      undefined,
    ]);
    await expect(queue.take()).rejects.toMatchObject({ code: 'ERR_CLOSED', cause: reason, item: undefined });
  });

  it('refuses further items, and hands them back', async () => {
    const queue = createQueue<string>();
    queue.close();
    await expect(queue.push('a')).rejects.toMatchObject({ name: 'QueueClosedError', item: 'a' });
    expect(() => queue.tryPush('b')).toThrow(QueueClosedError);
  });

  it('rejects who waits to take', async () => {
    const queue = createQueue<number>();
    const takers = [track(queue.take()), track(queue.take())];
    queue.close();
    await settle();
    for (const { error } of takers) expect(error).toBeInstanceOf(QueueClosedError);
  });
});

describe('iterating a queue', () => {
  it('gives what is there and what comes, and ends when it is closed and empty', async () => {
    const queue = createQueue<number>();
    const seen: number[] = [];
    queue.tryPush(1);
    const reader = (async () => {
      for await (const item of queue) seen.push(item);
    })();
    await settle();
    await queue.push(2);
    await settle();
    queue.tryPush(3);
    queue.close();
    await reader;
    expect(seen).toEqual([1, 2, 3]);
  });

  it('throws the reason, after what was left', async () => {
    const queue = createQueue<number>();
    const seen: number[] = [];
    queue.tryPush(1);
    queue.close(new Error('lost'));
    const read = async (): Promise<void> => {
      for await (const item of queue) seen.push(item);
    };
    await expect(read()).rejects.toMatchObject({ cause: { message: 'lost' } });
    expect(seen).toEqual([1]);
  });

  it('can be left, and taken up again', async () => {
    const queue = createQueue<number>();
    for (const item of [1, 2, 3]) queue.tryPush(item);
    for await (const item of queue) if (item === 2) break;
    expect(queue.drain()).toEqual([3]);
  });

  it('is shared by several readers', async () => {
    const queue = createQueue<number>({ maxItems: 4 });
    const seen: number[][] = [[], []];
    const readers = seen.map(async (items) => {
      for await (const item of queue) items.push(item);
    });
    for (let item = 0; item < 50; item++) await queue.push(item);
    queue.close();
    await Promise.all(readers);
    expect(seen.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index));
  });
});

describe('a queue beside a plain array', () => {
  const MAX_ITEMS = 4;
  const MAX_BYTES = 20;

  /** The same, done in the most obvious way: everything in arrays, looked through at every step. */
  class Model {
    items: number[] = [];
    waiting: { id: number; item: number }[] = [];
    takers: number[] = [];
    log: string[] = [];
    closed = false;

    step(): void {
      const bytes = (): number => this.items.reduce((sum, item) => sum + item, 0);
      for (let moved = true; moved; ) {
        moved = false;
        const [pusher] = this.waiting;
        if (pusher && this.items.length < MAX_ITEMS && bytes() + pusher.item <= MAX_BYTES) {
          this.items.push(pusher.item);
          this.waiting = this.waiting.slice(1);
          this.log.push(`pushed ${pusher.id}`);
          moved = true;
        }
        const [taker] = this.takers;
        if (taker !== undefined && this.items.length > 0) {
          this.log.push(`took ${taker} ${this.items[0]}`);
          this.items = this.items.slice(1);
          this.takers = this.takers.slice(1);
          moved = true;
        }
      }
    }
  }

  const commands = fc.oneof(
    fc.record({ do: fc.constant('push' as const), item: fc.integer({ min: 0, max: MAX_BYTES }) }),
    fc.record({ do: fc.constant('tryPush' as const), item: fc.integer({ min: 0, max: MAX_BYTES }) }),
    fc.record({ do: fc.constant('take' as const) }),
    fc.record({ do: fc.constant('tryTake' as const) }),
    fc.record({ do: fc.constant('drain' as const), count: fc.nat(5) }),
    fc.record({ do: fc.constant('abort' as const), which: fc.nat() }),
  );
  type Command = typeof commands extends fc.Arbitrary<infer C> ? C : never;

  /** Does each step to both. */
  class Trial {
    readonly queue: Queue<number> = createQueue({ maxItems: MAX_ITEMS, maxBytes: MAX_BYTES, sizeOf: bySize });
    readonly model = new Model();
    readonly log: string[] = [];
    readonly waits: AbortController[] = [];

    do(step: Command, id: number): void {
      const wait = new AbortController();
      const { signal } = wait;
      this.waits.push(wait);
      const gaveUp = (): number => this.log.push(`gave up ${id}`);
      if (step.do === 'push') {
        this.queue.push(step.item, { signal }).then(() => this.log.push(`pushed ${id}`), gaveUp);
        this.model.waiting.push({ id, item: step.item });
      } else if (step.do === 'take') {
        this.queue.take({ signal }).then((item) => this.log.push(`took ${id} ${item}`), gaveUp);
        this.model.takers.push(id);
      } else if (step.do === 'tryPush') {
        this.tryPush(id, step.item);
      } else if (step.do === 'tryTake') {
        expect(this.queue.tryTake()).toBe(this.model.items.shift());
      } else if (step.do === 'drain') {
        expect(this.queue.drain(step.count)).toEqual(this.model.items.splice(0, step.count));
      } else {
        this.abort(step.which % (id + 1));
      }
      this.model.step();
    }

    tryPush(id: number, item: number): void {
      this.model.waiting.push({ id, item });
      this.model.step();
      const isIn = this.model.log.includes(`pushed ${id}`);
      expect(this.queue.tryPush(item)).toBe(isIn);
      if (isIn) this.log.push(`pushed ${id}`);
      else this.model.waiting.pop();
    }

    abort(id: number): void {
      this.waits[id]?.abort();
      const { takers, waiting } = this.model;
      if (takers.includes(id) || waiting.some((waiter) => waiter.id === id))
        this.model.log.push(`gave up ${id}`);
      this.model.takers = takers.filter((taker) => taker !== id);
      this.model.waiting = waiting.filter((waiter) => waiter.id !== id);
    }

    check(): void {
      expect(this.queue.length).toBe(this.model.items.length);
      expect(this.queue.bytes).toBe(this.model.items.reduce((sum, item) => sum + item, 0));
    }
  }

  async function run(steps: readonly Command[]): Promise<void> {
    const trial = new Trial();
    for (const [id, step] of steps.entries()) {
      trial.do(step, id);
      trial.check();
      await settle();
      expect([...trial.log].sort()).toEqual([...trial.model.log].sort());
    }
    expect(trial.queue.drain(trial.model.items.length)).toEqual(trial.model.items);
  }

  it('does the same', async () => {
    await fc.assert(fc.asyncProperty(fc.array(commands, { maxLength: 40 }), run), { numRuns: 300 });
  });
});

function countListeners(): { signal: AbortSignal; count: () => number } {
  const { signal } = new AbortController();
  let count = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<AbortSignal['addEventListener']>) => {
    count++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<AbortSignal['removeEventListener']>) => {
    count--;
    remove(...args);
  };
  return { signal, count: () => count };
}
