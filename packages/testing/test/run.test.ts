import { TimeoutError } from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import { createWorld, DeadlockError, LimitExceededError } from '../src/index.ts';
import { linkBetween, Numbers, transportsOf } from './support/protocols.ts';

describe('world.run', () => {
  it('returns what the test returns', async () => {
    const world = createWorld({ seed: 1 });
    expect(await world.run(async () => 'done')).toBe('done');
  });

  it('fails as the test does, with the same error, and names the seed', async () => {
    const world = createWorld({ seed: 'my seed' });
    class MyError extends Error {}
    const error = new MyError('went wrong');
    const run = world.run(async () => {
      await world.sleep(12);
      throw error;
    });
    await expect(run).rejects.toBe(error);
    expect(error.message).toBe('went wrong (simulation seed my seed, at 12 ms)');
  });

  it('fails when a timer throws', async () => {
    const world = createWorld({ seed: 5 });
    const run = world.run(async () => {
      world.host('a').runtime.setTimer(10, () => {
        throw new Error('in a timer');
      });
      await world.sleep(100);
    });
    await expect(run).rejects.toThrow(/in a timer.*seed 5/);
  });

  it('fails when nothing will ever happen again, and says what is still there', async () => {
    const world = createWorld({ seed: 5 });
    const run = world.run(async () => {
      const [a, b] = transportsOf(world, 'a', 'b');
      const { near } = await linkBetween(a!, b!, Numbers);
      await near.receive();
    });
    await expect(run).rejects.toThrow(DeadlockError);
    await expect(run).rejects.toThrow(/2 of 2 hosts up; 1 connections; a: link .*numbers.*b: link .*seed 5/);
  });

  it('fails when the test takes too much virtual time, or too many events', async () => {
    const world = createWorld({ seed: 5 });
    const slow = world.run(() => world.sleep(1_001), { maxVirtualMs: 1_000 });
    await expect(slow).rejects.toThrow(LimitExceededError);
    const busy = world.run(
      async () => {
        for (;;) await world.sleep(1);
      },
      { maxEvents: 1_000 },
    );
    await expect(busy).rejects.toThrow(/1000 events.*seed 5/);
    const spinning = world.run(
      () =>
        new Promise(() => {
          const again = (): void => world.runtime.yieldTo(again);
          again();
        }),
      { maxEvents: 10_000 },
    );
    await expect(spinning).rejects.toThrow(LimitExceededError);
  });

  it('fails when its signal fires', async () => {
    const world = createWorld({ seed: 5 });
    const abort = new AbortController();
    const run = world.run(
      async () => {
        await world.sleep(10);
        abort.abort();
        await world.sleep(1_000);
      },
      { signal: abort.signal },
    );
    await expect(run).rejects.toThrow(LimitExceededError);
  });

  it('goes on where it was when it runs again', async () => {
    const world = createWorld({ seed: 1 });
    let ticks = 0;
    await world.run(async () => {
      world.host('a').runtime.setTimer(150, () => ticks++);
      await world.sleep(100);
    });
    expect([world.now, ticks]).toEqual([100, 0]);
    await world.run(() => world.sleep(100));
    expect([world.now, ticks]).toEqual([200, 1]);
  });

  it('refuses to run within a run, or beside one', async () => {
    const world = createWorld({ seed: 'outer' });
    await world.run(async () => {
      await expect(createWorld({ seed: 2 }).run(async () => undefined)).rejects.toThrow(/seed outer/);
      await expect(world.run(async () => undefined)).rejects.toThrow(/cannot be nested/);
    });
    const first = world.run(() => world.sleep(10));
    await expect(createWorld().run(async () => undefined)).rejects.toThrow(/concurrent/);
    await first;
    await createWorld().run(async () => undefined);
  });
});

describe('world.until', () => {
  it('sees every state, and goes on before the next event', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      let state = 0;
      for (let n = 1; n <= 10; n++) {
        world.runtime.setTimer(n * 10, () => {
          state = n;
        });
      }
      await world.until(() => state === 3);
      expect([state, world.now]).toEqual([3, 30]);
      await world.until(() => state >= 5, { everyMs: 25 });
      expect(world.now).toBe(55);
    });
  });

  it('fails in time, saying what was waited for', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const wait = world.until(() => false, { withinMs: 500, what: 'the impossible' });
      await expect(wait).rejects.toThrow(TimeoutError);
      await expect(wait).rejects.toThrow('the impossible');
      expect(world.now).toBe(500);
    });
  });

  it('fails when the predicate throws', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const broken = (): boolean => {
        throw new Error('broken predicate');
      };
      await expect(world.until(broken)).rejects.toThrow('broken predicate');
    });
  });
});
