import { describe, expect, it } from 'vitest';
import { ClosedError } from '../src/errors.ts';
import { sleep } from '../src/runtime/index.ts';
import { createScope, type Scope } from '../src/scope.ts';
import { manualRuntime, settle } from './manual-runtime.ts';

function setUp(): { scope: Scope; errors: string[]; runtime: ReturnType<typeof manualRuntime> } {
  const runtime = manualRuntime();
  const errors: string[] = [];
  const onError = (error: Error, where: string): void => void errors.push(`${where}: ${error.message}`);
  return { runtime, errors, scope: createScope({ runtime, name: 'root', onError }) };
}

const forever = (signal: AbortSignal): Promise<void> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

describe('a scope', () => {
  it('closes children first, then cancels its own tasks, then releases in reverse order', async () => {
    const { scope } = setUp();
    const order: string[] = [];
    const child = scope.child('child');
    child.spawn('task', async (signal) => {
      await forever(signal).catch(() => order.push('child task'));
    });
    child.onClose(() => void order.push('child release'));
    scope.spawn('task', async (signal) => {
      await forever(signal).catch(() => order.push('own task'));
    });
    scope.onClose(() => void order.push('first release'));
    scope.onClose(async () => {
      await settle();
      order.push('second release');
    });
    await scope.close();
    expect(order).toEqual(['child task', 'child release', 'own task', 'second release', 'first release']);
  });

  it('reports an error of a task to the nearest handler, with the path to it', async () => {
    const { scope, errors } = setUp();
    const own: string[] = [];
    const child = scope
      .child('a')
      .child('b', { onError: (error, where) => own.push(`${where}: ${error.message}`) });
    scope.child('c').spawn('task', () => Promise.reject(new Error('up')));
    child.spawn('task', () => Promise.reject(new Error('here')));
    await settle();
    expect(errors).toEqual(['root/c/task: up']);
    expect(own).toEqual(['root/a/b/task: here']);
    await scope.close();
  });

  it('does not report that a task ended because it was told to', async () => {
    const { scope, errors, runtime } = setUp();
    scope.spawn('sleeper', (signal) => sleep(runtime, 1000, { signal }));
    scope.spawn('thrower', (signal) => forever(signal));
    await scope.close();
    expect(errors).toEqual([]);
    expect(runtime.pendingTimers).toBe(0);
  });

  it('reports errors of timers and of releases', async () => {
    const { scope, errors, runtime } = setUp();
    scope.after(5, () => {
      throw new Error('timer');
    });
    scope.onClose(() => Promise.reject(new Error('release')));
    await runtime.advance(5);
    await scope.close();
    expect(errors).toEqual(['root/timer: timer', 'root/release: release']);
  });

  it('repeats until cancelled, asking for each period', async () => {
    const { scope, runtime } = setUp();
    const periods = [10, 20, 30, 40];
    const firedAt: number[] = [];
    const timer = scope.every(
      () => periods.shift() ?? 1000,
      () => firedAt.push(runtime.now()),
    );
    await runtime.advance(35);
    timer.cancel();
    await runtime.advance(1000);
    expect(firedAt).toEqual([10, 30]);
    await scope.close();
  });

  it('can be cancelled from within its own callback', async () => {
    const { scope, runtime } = setUp();
    let fired = 0;
    const timer = scope.every(10, () => {
      fired++;
      timer.cancel();
    });
    await runtime.advance(100);
    expect(fired).toBe(1);
    expect(runtime.pendingTimers).toBe(0);
  });

  it('fires no timer once it is closing, and leaves none behind', async () => {
    const { scope, runtime } = setUp();
    let fired = 0;
    scope.after(10, () => fired++);
    const closing = scope.close();
    scope.after(0, () => fired++);
    await closing;
    await runtime.advance(100);
    expect(fired).toBe(0);
    expect(runtime.pendingTimers).toBe(0);
  });

  it('refuses new work once it is closing', async () => {
    const { scope } = setUp();
    const closing = scope.close();
    expect(() => scope.spawn('late', async () => {})).toThrow(ClosedError);
    expect(() => scope.child('late')).toThrow(ClosedError);
    await closing;
  });

  it('names what still runs', async () => {
    const { scope } = setUp();
    scope.child('streams').spawn('pump', forever);
    scope.spawn('main', forever);
    expect(scope.running).toEqual(['root/main', 'root/streams/pump']);
    await scope.close();
    expect(scope.running).toEqual([]);
  });

  it('closes once, however often it is asked, and is forgotten by its parent', async () => {
    const { scope } = setUp();
    let releases = 0;
    const child = scope.child('child');
    child.onClose(() => void releases++);
    await Promise.all([child.close(), child.close(), scope.close()]);
    expect(releases).toBe(1);
    expect(child.signal.aborted).toBe(true);
  });
});
