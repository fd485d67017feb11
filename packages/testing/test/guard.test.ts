import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createWorld, LeakError } from '../src/index.ts';

const leaks: readonly (readonly [what: string, use: () => unknown])[] = [
  ['setTimeout()', () => clearTimeout(setTimeout(() => undefined, 1))],
  ['setInterval()', () => clearInterval(setInterval(() => undefined, 1))],
  ['setImmediate()', () => clearImmediate(setImmediate(() => undefined))],
  ['Date.now()', () => Date.now()],
  ['new Date()', () => new Date()],
  ['Date()', () => Date()],
  ['performance.now()', () => performance.now()],
  ['Math.random()', () => Math.random()],
  ['crypto.getRandomValues()', () => crypto.getRandomValues(new Uint8Array(4))],
  ['crypto.randomUUID()', () => crypto.randomUUID()],
  ['AbortSignal.timeout()', () => AbortSignal.timeout(1_000)],
];

describe('the guard', () => {
  for (const [what, use] of leaks) {
    it(`fails a run that uses ${what}, and says where`, async () => {
      const world = createWorld({ seed: 9 });
      const run = world.run(async () => {
        await world.sleep(1);
        use();
        await world.sleep(1);
      });
      await expect(run).rejects.toThrow(LeakError);
      const error = await run.catch((thrown: Error) => thrown);
      expect(String(error)).toContain(`${what} of the real world was used`);
      expect(String(error)).toContain('guard.test.ts');
      expect(String(error)).toContain('seed 9');
    });
  }

  it('fails a run on a rejection that nobody handles', async () => {
    const world = createWorld({ seed: 9 });
    const run = world.run(async () => {
      void Promise.reject(new Error('forgotten'));
      await world.sleep(1);
    });
    await expect(run).rejects.toThrow(/nobody handled it: forgotten.*seed 9/);
  });

  it('fails a run on a rejection in its last moment', async () => {
    const run = createWorld({ seed: 9 }).run(async () => {
      void Promise.reject(new Error('at the end'));
    });
    await expect(run).rejects.toThrow('at the end');
  });

  it('leaves alone what reads nothing of the world, and what the platform and the runner do', async () => {
    const world = createWorld({ seed: 9 });
    await world.run(async () => {
      expect(new Date(86_400_000).toISOString()).toBe('1970-01-02T00:00:00.000Z');
      expect(new Date(0)).toBeInstanceOf(Date);
      expect(Date.UTC(1970, 0, 2)).toBe(86_400_000);
      await expect(Promise.reject(new Error('handled'))).rejects.toThrow('handled');
      randomUUID();
      queueMicrotask(() => undefined);
      await world.sleep(10);
    });
  });

  it('puts everything back, also after a failure', async () => {
    const snapshot = (): unknown[] => [
      globalThis.setTimeout,
      globalThis.setInterval,
      globalThis.setImmediate,
      globalThis.Date,
      Date.now,
      Math.random,
      performance.now,
      Object.hasOwn(performance, 'now'),
      crypto.getRandomValues,
      Object.hasOwn(crypto, 'getRandomValues'),
      AbortSignal.timeout,
      process.listeners('unhandledRejection').length,
    ];
    const before = snapshot();
    await createWorld().run(async () => undefined);
    expect(snapshot()).toEqual(before);
    await expect(createWorld().run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(snapshot()).toEqual(before);
    await expect(createWorld().run(() => new Promise(() => undefined))).rejects.toThrow('no event is left');
    expect(snapshot()).toEqual(before);
  });
});
