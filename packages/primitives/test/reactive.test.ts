import { describe, expect, it } from 'vitest';
import { createCondition, watchCondition } from '../src/condition.ts';
import { AbortedError, ClosedError } from '../src/errors.ts';
import { createEventStream, type Lagged } from '../src/event-stream.ts';
import { createWatch, mapWatch, type WatchSource } from '../src/watch.ts';
import { settle } from './manual-runtime.ts';

describe('a watch', () => {
  it('tells of changes only', () => {
    const watch = createWatch(1);
    const seen: number[] = [];
    const unsubscribe = watch.subscribe((value) => seen.push(value));
    watch.set(1);
    watch.set(2);
    watch.update((value) => value + 1);
    unsubscribe();
    watch.set(4);
    expect(seen).toEqual([2, 3]);
  });

  it('tells every listener, even when one throws, and throws to the setter', () => {
    const watch = createWatch(0);
    const seen: number[] = [];
    watch.subscribe(() => {
      throw new Error('bad listener');
    });
    watch.subscribe((value) => seen.push(value));
    expect(() => watch.set(1)).toThrow('bad listener');
    expect(seen).toEqual([1]);
  });

  it('never tells of an old value after a new one', () => {
    const watch = createWatch(0);
    const seen: number[] = [];
    watch.subscribe((value) => {
      if (value === 1) watch.set(2);
    });
    watch.subscribe((value) => seen.push(value));
    watch.set(1);
    expect(seen).toEqual([2, 2]);
  });

  it('is waited on until it is what is needed', async () => {
    const watch = createWatch(0);
    const waiting = watch.until((value) => value >= 2);
    watch.set(1);
    watch.set(3);
    expect(await waiting).toBe(3);
    expect(await watch.until((value) => value === 3)).toBe(3);
  });

  it('ends a wait when aborted or closed, and leaves no listener behind', async () => {
    const watch = createWatch(0);
    const abort = new AbortController();
    const aborted = watch.until((value) => value > 0, { signal: abort.signal });
    abort.abort();
    await expect(aborted).rejects.toBeInstanceOf(AbortedError);
    const closed = watch.until((value) => value > 0);
    watch.close();
    await expect(closed).rejects.toBeInstanceOf(ClosedError);
    expect(() => watch.set(1)).toThrow(ClosedError);
    expect(watch.value).toBe(0);
  });

  it('lets a slow reader skip to the newest value', async () => {
    const watch = createWatch(0);
    const seen: number[] = [];
    const reading = (async () => {
      for await (const value of watch) {
        seen.push(value);
        await settle();
        await settle();
      }
    })();
    await settle();
    for (let value = 1; value <= 5; value++) watch.set(value);
    await settle();
    await settle();
    watch.close();
    await reading;
    expect(seen).toEqual([0, 5]);
  });

  it('is mapped, telling only when the result differs', () => {
    const watch = createWatch(1);
    const isBig = mapWatch(watch, (value) => value > 10);
    const seen: boolean[] = [];
    isBig.subscribe((value) => seen.push(value));
    for (const value of [5, 11, 12, 3]) watch.set(value);
    isBig[Symbol.dispose]();
    watch.set(100);
    expect(seen).toEqual([true, false]);
  });
});

describe('a condition', () => {
  const over = (watch: ReturnType<typeof createWatch<number>>, limit: number) =>
    createCondition({
      check: () => watch.value > limit,
      subscribe: (listener) => watch.subscribe(listener),
      description: `over ${limit}`,
    });

  it('is awaited, again and again', async () => {
    const watch = createWatch(0);
    const condition = over(watch, 5);
    let met = 0;
    const first = condition.then(() => met++);
    await settle();
    expect(met).toBe(0);
    watch.set(6);
    await first;
    watch.set(0);
    const second = condition.then(() => met++);
    await settle();
    expect(met).toBe(1);
    watch.set(7);
    await second;
    expect(met).toBe(2);
    await condition;
  });

  it('is inverted and combined', async () => {
    const a = createWatch(0);
    const b = createWatch(0);
    const both = over(a, 1).and(over(b, 1));
    const either = over(a, 1).or(over(b, 1));
    a.set(2);
    expect([both.isMet, either.isMet, both.unmet().isMet]).toEqual([false, true, true]);
    b.set(2);
    expect([both.isMet, either.isMet, both.unmet().isMet]).toEqual([true, true, false]);
    expect(both.unmet().description).toBe('not ((over 1 and over 1))');
    const waiting = both.unmet().wait();
    a.set(0);
    await waiting;
  });

  it('gives up on a signal', async () => {
    const watch = createWatch(0);
    const abort = new AbortController();
    const waiting = over(watch, 1).wait({ signal: abort.signal });
    abort.abort('enough');
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: 'enough' });
    await expect(over(watch, 1).wait({ signal: abort.signal })).rejects.toBeInstanceOf(AbortedError);
  });

  it('yields how it stands and then its transitions', async () => {
    const watch = createWatch(0);
    const abort = new AbortController();
    const seen: boolean[] = [];
    const reading = (async () => {
      for await (const isMet of over(watch, 1).transitions({ signal: abort.signal })) seen.push(isMet);
    })();
    for (const value of [1, 2, 3, 0, 5]) {
      watch.set(value);
      await settle();
    }
    abort.abort();
    await expect(reading).rejects.toBeInstanceOf(AbortedError);
    expect(seen).toEqual([false, true, false, true]);
  });

  describe('on a watch that ends', () => {
    const onWatch = (watch: ReturnType<typeof createWatch<number>>, limit: number) =>
      watchCondition({
        watch,
        check: () => watch.value > limit,
        description: `over ${limit}`,
        closed: 'it is closed',
      });
    const closed = { code: 'ERR_CLOSED', message: 'it is closed' };

    it('rejects who waits, and who comes later, unless it is met', async () => {
      const watch = createWatch(0);
      const waiting = onWatch(watch, 1).wait();
      expect(onWatch(watch, 1).ended).toBeUndefined();
      watch.close();
      await expect(waiting).rejects.toMatchObject(closed);
      await expect(onWatch(watch, 1).wait()).rejects.toMatchObject(closed);
      await expect(onWatch(watch, 1).then()).rejects.toMatchObject(closed);
      await onWatch(watch, -1);
      await onWatch(watch, 1).unmet();
    });

    it('yields no more transitions', async () => {
      const watch = createWatch(0);
      const seen = Array.fromAsync(onWatch(watch, 1));
      await settle();
      watch.set(2);
      await settle();
      watch.close();
      expect(await seen).toEqual([false, true]);
      expect(await Array.fromAsync(onWatch(watch, 1))).toEqual([true]);
    });

    it.each([
      { word: 'and', ends: 'its first', metBefore: [true, false], isEnded: false },
      { word: 'and', ends: 'its first', metBefore: [false, true], isEnded: true },
      { word: 'and', ends: 'its second', metBefore: [false, true], isEnded: false },
      { word: 'and', ends: 'its second', metBefore: [true, false], isEnded: true },
      { word: 'and', ends: 'both', metBefore: [true, false], isEnded: true },
      { word: 'or', ends: 'its first', metBefore: [false, false], isEnded: false },
      { word: 'or', ends: 'its second', metBefore: [false, false], isEnded: false },
      { word: 'or', ends: 'both', metBefore: [false, false], isEnded: true },
    ])('of two joined by $word, of which $ends ended, ended: $isEnded', async (given) => {
      const watches = given.metBefore.map((isMet) => createWatch(isMet ? 2 : 0));
      const [a, b] = watches as [WatchSource<number>, WatchSource<number>];
      const joined =
        given.word === 'and' ? onWatch(a, 1).and(onWatch(b, 1)) : onWatch(a, 1).or(onWatch(b, 1));
      if (given.ends !== 'its second') a.close();
      if (given.ends !== 'its first') b.close();
      if (given.isEnded) {
        await expect(joined.wait()).rejects.toMatchObject(closed);
        return;
      }
      expect(joined.ended).toBeUndefined();
      const waiting = joined.wait();
      (given.ends === 'its first' ? b : a).set(2);
      await waiting;
    });
  });

  it('tells listeners of transitions only', () => {
    const watch = createWatch(0);
    const seen: boolean[] = [];
    over(watch, 1).subscribe((isMet) => seen.push(isMet));
    for (const value of [1, 2, 3, 0]) watch.set(value);
    expect(seen).toEqual([true, false]);
  });
});

describe('an event stream', () => {
  interface Tick {
    readonly type: 'tick';
    readonly n: number;
  }
  const tick = (n: number): Tick => ({ type: 'tick', n });

  it('gives every subscriber every event from when it subscribed', async () => {
    const stream = createEventStream<Tick>();
    stream.emit(tick(0));
    const early = stream.subscribe();
    stream.emit(tick(1));
    const late = stream.subscribe();
    stream.emit(tick(2));
    stream.close();
    expect(await Array.fromAsync(early)).toEqual([tick(1), tick(2)]);
    expect(await Array.fromAsync(late)).toEqual([tick(2)]);
  });

  it('reports what a slow subscriber missed, in its place', async () => {
    const stream = createEventStream<Tick>({ backlog: 3 });
    const slow = stream.subscribe();
    for (let n = 1; n <= 5; n++) stream.emit(tick(n));
    expect(slow.length).toBe(3);
    const lagged: Lagged = { type: 'lagged', missed: 2 };
    stream.close();
    expect(await Array.fromAsync(slow)).toEqual([lagged, tick(3), tick(4), tick(5)]);
  });

  it('ends when the loop is left, and when the signal fires', async () => {
    const stream = createEventStream<Tick>();
    const reading = (async () => {
      for await (const event of stream) return event;
      return undefined;
    })();
    stream.emit(tick(1));
    expect(await reading).toEqual(tick(1));
    expect(stream.subscribers).toBe(0);
    const abort = new AbortController();
    const waiting = stream.subscribe({ signal: abort.signal }).next();
    abort.abort();
    await expect(waiting).rejects.toBeInstanceOf(AbortedError);
  });

  it('refuses a backlog that is none', () => {
    expect(() => createEventStream<Tick>().subscribe({ backlog: 0 })).toThrow('backlog');
  });
});
