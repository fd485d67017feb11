import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventKind } from '../src/clock/event-kind.ts';
import { EventQueue, SimEvent } from '../src/clock/event-queue.ts';
import { WORLD_EPOCH_MS } from '../src/clock/host-clock.ts';
import { createWorld } from '../src/index.ts';
import type { Process } from '../src/world/process.ts';

const nobody = {} as Process;

type Command =
  | { readonly type: 'push'; readonly atMs: number }
  | { readonly type: 'cancel'; readonly pick: number }
  | { readonly type: 'pop' };

/** A queue beside a deliberately dumb one: a list that is sorted before each use. */
class QueueAndModel {
  readonly queue = new EventQueue();
  model: SimEvent[] = [];
  #sequence = 0;

  push(atMs: number): void {
    const what = { atMs, sequence: this.#sequence++, process: nobody, kind: EventKind.timer };
    const event = new SimEvent(this.queue, { ...what, action: () => undefined });
    this.queue.push(event);
    this.model.push(event);
  }

  cancel(pick: number): void {
    const event = this.model[pick % Math.max(1, this.model.length)];
    event?.cancel();
    event?.cancel();
    this.model = this.model.filter((other) => other !== event);
  }

  pop(): void {
    this.model.sort((a, b) => a.atMs - b.atMs || a.sequence - b.sequence);
    const popped = this.queue.pop();
    expect(popped).toBe(this.model.shift());
    if (popped) popped.action = undefined;
  }

  apply(command: Command): void {
    if (command.type === 'push') this.push(command.atMs);
    else if (command.type === 'cancel') this.cancel(command.pick);
    else this.pop();
  }
}

describe('event queue', () => {
  it('hands out what was not cancelled by time and then by order of scheduling', () => {
    const command = fc.oneof(
      fc.record({ type: fc.constant('push' as const), atMs: fc.integer({ min: 0, max: 20 }) }),
      fc.record({ type: fc.constant('cancel' as const), pick: fc.nat() }),
      fc.record({ type: fc.constant('pop' as const) }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 300 }), (commands) => {
        const both = new QueueAndModel();
        for (const one of commands) both.apply(one);
        while (both.model.length > 0) both.pop();
        expect(both.queue.pop()).toBeUndefined();
      }),
    );
  });

  it('does not grow with timers that were cancelled', () => {
    const queue = new EventQueue();
    for (let sequence = 0; sequence < 100_000; sequence++) {
      const what = { atMs: sequence, sequence, process: nobody, kind: EventKind.timer };
      const event = new SimEvent(queue, { ...what, action: () => undefined });
      queue.push(event);
      if (sequence % 100 !== 0) event.cancel();
    }
    expect(queue.size).toBeLessThan(5_000);
    const left: number[] = [];
    for (let event = queue.pop(); event; event = queue.pop()) {
      left.push(event.sequence);
      event.action = undefined;
    }
    expect(left).toEqual(Array.from({ length: 1_000 }, (_, index) => index * 100));
  });
});

describe('virtual time', () => {
  it('jumps from event to event and stands still in between', async () => {
    const world = createWorld({ seed: 1 });
    const seen: [string, number][] = [];
    await world.run(async () => {
      world.runtime.setTimer(86_400_000 / 24 - 1, () => seen.push(['late', world.now]));
      world.runtime.setTimer(10, () => seen.push(['early', world.now]));
      for (let turn = 0; turn < 1_000; turn++) await Promise.resolve();
      seen.push(['first', world.now]);
      await world.sleep(3_600_000 - 1);
    });
    expect(seen).toEqual([
      ['first', 0],
      ['early', 10],
      ['late', 3_599_999],
    ]);
  });

  it('runs timers of the same time in the order they were set, and drains microtasks between them', async () => {
    const world = createWorld({ seed: 1 });
    const seen: string[] = [];
    await world.run(async () => {
      for (const name of ['a', 'b', 'c']) {
        world.runtime.setTimer(5, () => {
          seen.push(name);
          void Promise.resolve()
            .then(() => Promise.resolve())
            .then(() => seen.push(`after ${name}`));
        });
      }
      await world.sleep(6);
    });
    expect(seen).toEqual(['a', 'after a', 'b', 'after b', 'c', 'after c']);
  });

  it('yields behind what is ready now', async () => {
    const world = createWorld({ seed: 1 });
    const seen: string[] = [];
    await world.run(async () => {
      world.runtime.yieldTo(() => {
        seen.push('first');
        world.runtime.yieldTo(() => seen.push('third'));
      });
      world.runtime.yieldTo(() => seen.push('second'));
      await world.sleep(1);
      expect(world.now).toBe(1);
    });
    expect(seen).toEqual(['first', 'second', 'third']);
  });

  it('never fires a cancelled timer, nor one that is set for never', async () => {
    const world = createWorld({ seed: 1 });
    const seen: string[] = [];
    await world.run(async () => {
      world.runtime.setTimer(5, () => seen.push('cancelled')).cancel();
      world.runtime.setTimer(Number.POSITIVE_INFINITY, () => seen.push('never'));
      await world.sleep(1_000);
    });
    expect(seen).toEqual([]);
  });

  it('moves on in a loop over timers of 0 ms, and refuses a delay that is none', async () => {
    const world = createWorld({ seed: 1 });
    let count = 0;
    const again = (): void => {
      count++;
      world.runtime.setTimer(0, again);
    };
    await world.run(async () => {
      again();
      await world.sleep(100);
    });
    expect(count).toBe(100);
    expect(() => world.runtime.setTimer(Number.NaN, again)).toThrow('delayMs');
    expect(() => world.runtime.setTimer(-1, again)).toThrow('delayMs');
  });
});

describe('host clocks', () => {
  it('show the wall time with the skew of the host', async () => {
    const world = createWorld({ seed: 1 });
    const [ahead, behind] = [world.host('ahead', { skewMs: 1_500 }), world.host('behind', { skewMs: -700 })];
    expect(ahead.runtime.wallNow()).toBe(WORLD_EPOCH_MS + 1_500);
    expect(behind.runtime.wallNow()).toBe(WORLD_EPOCH_MS - 700);
    expect(world.runtime.wallNow()).toBe(WORLD_EPOCH_MS);
  });

  it('run at their own rate: clocks and timers alike', async () => {
    const world = createWorld({ seed: 1 });
    const fast = world.host('fast', { driftPpm: 50_000 });
    await world.run(async () => {
      const startMs = fast.runtime.now();
      const startWallMs = fast.runtime.wallNow();
      let firedAtMs = 0;
      fast.runtime.setTimer(1_050, () => {
        firedAtMs = world.now;
      });
      await world.sleep(2_000);
      expect(firedAtMs).toBeCloseTo(1_000, 6);
      expect(fast.runtime.now() - startMs).toBeCloseTo(2_100, 6);
      expect(fast.runtime.wallNow() - startWallMs).toBe(2_100);
    });
  });

  it('do not agree on where monotonic time begins', () => {
    const world = createWorld({ seed: 1 });
    const [a, b] = [world.host('a'), world.host('b')];
    expect(Math.abs(a.runtime.now() - b.runtime.now())).toBeGreaterThan(1_000);
  });
});
