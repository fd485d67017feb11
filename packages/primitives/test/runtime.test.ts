import { describe, expect, it } from 'vitest';
import { AbortedError, InvalidArgumentError, TimeoutError } from '../src/errors.ts';
import {
  jitter,
  randomInt,
  sample,
  sleep,
  systemRuntime,
  withTimeout,
  yieldNow,
} from '../src/runtime/index.ts';
import { manualRuntime } from './manual-runtime.ts';

describe('the system runtime', () => {
  it('has a monotonic clock and a wall clock', async () => {
    const before = systemRuntime.now();
    await sleep(systemRuntime, 2);
    expect(systemRuntime.now()).toBeGreaterThan(before);
    expect(Math.abs(systemRuntime.wallNow() - Date.now())).toBeLessThan(1000);
  });

  it('fires timers later, never synchronously, and not after a cancel', async () => {
    const fired: string[] = [];
    systemRuntime.setTimer(0, () => fired.push('kept'));
    systemRuntime.setTimer(0, () => fired.push('cancelled')).cancel();
    expect(fired).toEqual([]);
    await sleep(systemRuntime, 5);
    expect(fired).toEqual(['kept']);
  });

  it('holds delays beyond the 32 bits of the platform, instead of firing at once', async () => {
    let fired = false;
    const timer = systemRuntime.setTimer(2 ** 33, () => {
      fired = true;
    });
    await sleep(systemRuntime, 5);
    timer.cancel();
    expect(fired).toBe(false);
  });

  it('refuses a delay that is none', () => {
    expect(() => systemRuntime.setTimer(Number.NaN, () => {})).toThrow(InvalidArgumentError);
    expect(() => systemRuntime.setTimer(-1, () => {})).toThrow(InvalidArgumentError);
  });

  it('gives random bytes in any number', () => {
    expect(systemRuntime.randomBytes(0)).toHaveLength(0);
    const many = systemRuntime.randomBytes(200_000);
    expect(new Set(many.subarray(100_000)).size).toBe(256);
  });

  it('yields to what is ready', async () => {
    const order: string[] = [];
    const yielded = yieldNow(systemRuntime).then(() => order.push('yielded'));
    await Promise.resolve();
    order.push('microtask');
    await yielded;
    expect(order).toEqual(['microtask', 'yielded']);
  });
});

describe('waiting', () => {
  it('is given up on a signal and leaves no timer', async () => {
    const runtime = manualRuntime();
    const abort = new AbortController();
    const sleeping = sleep(runtime, 1000, { signal: abort.signal });
    abort.abort();
    await expect(sleeping).rejects.toBeInstanceOf(AbortedError);
    expect(runtime.pendingTimers).toBe(0);
    await expect(sleep(runtime, 1, { signal: abort.signal })).rejects.toBeInstanceOf(AbortedError);
  });

  it('is limited in time, and tells the work', async () => {
    const runtime = manualRuntime();
    let told = false;
    const never = withTimeout(runtime, { what: 'work', timeoutMs: 50 }, (signal) => {
      signal.addEventListener('abort', () => {
        told = true;
      });
      return new Promise<void>(() => {});
    });
    const outcome = expect(never).rejects.toBeInstanceOf(TimeoutError);
    await runtime.advance(50);
    await outcome;
    expect(told).toBe(true);
  });

  it('passes on results, errors and an outer abort', async () => {
    const runtime = manualRuntime();
    const options = { what: 'work', timeoutMs: 50 };
    expect(await withTimeout(runtime, options, async () => 7)).toBe(7);
    await expect(withTimeout(runtime, options, () => Promise.reject(new Error('own')))).rejects.toThrow(
      'own',
    );
    const abort = new AbortController();
    const waiting = withTimeout(runtime, { ...options, signal: abort.signal }, () => new Promise(() => {}));
    abort.abort();
    await expect(waiting).rejects.toBeInstanceOf(AbortedError);
    expect(runtime.pendingTimers).toBe(0);
  });
});

describe('chance', () => {
  it('stays within its bounds', () => {
    expect(jitter({ random: () => 0 }, 100, 0.1)).toBeCloseTo(90);
    expect(jitter({ random: () => 1 - 1e-9 }, 100, 0.1)).toBeCloseTo(110);
    expect(randomInt({ random: () => 1 - 1e-9 }, 10)).toBe(9);
  });

  it('samples without repetition', () => {
    const items = Array.from({ length: 20 }, (_, index) => index);
    const taken = sample(systemRuntime, items, 10);
    expect(new Set(taken).size).toBe(10);
    expect(sample(systemRuntime, items, 100).toSorted((a, b) => a - b)).toEqual(items);
    expect(sample(systemRuntime, [], 3)).toEqual([]);
  });
});
