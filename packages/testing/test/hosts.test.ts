import { ClosedError, sleep } from '@mosaik/primitives';
import type { LinkEnd, TransportEvent } from '@mosaik/transport';
import { describe, expect, it } from 'vitest';
import { type Crash, createWorld, type Host, type World } from '../src/index.ts';
import { echo, linkBetween, Numbers } from './support/protocols.ts';

/** Two hosts and a link from the first to the second. */
async function scene(world: World) {
  const [left, right] = [world.host('left'), world.host('right')] as [Host, Host];
  const [a, b] = [left.transport(), right.transport()];
  const { near, far } = await linkBetween(a, b, Numbers);
  return { left, right, a, b, near, far };
}

/** When a promise settles, and with what. */
async function timed<T>(world: World, promise: Promise<T>): Promise<{ value: T; afterMs: number }> {
  const startMs = world.now;
  const value = await promise;
  return { value, afterMs: world.now - startMs };
}

describe('a host that is killed', () => {
  it('is lost to its peers at once', async () => {
    const world = createWorld({ seed: 1, network: { latencyMs: 2 } });
    await world.run(async () => {
      const { right, near, a, b } = await scene(world);
      const ending = timed(world, near.ended);
      right.crash();
      const { value, afterMs } = await ending;
      expect(value.kind).toBe('lost');
      expect(afterMs).toBeLessThan(3);
      expect(a.connections.value.has(b.local.peerId)).toBe(false);
    });
  });

  it('still delivers what it had sent', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const { left, near, far } = await scene(world);
      await near.send({ n: 1 });
      left.crash();
      expect(await far.receive()).toEqual({ n: 1 });
      await expect(far.receive()).rejects.toThrow(/lost/);
    });
  });

  it('refuses connections until it is restarted and listens again', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const { right, a, b } = await scene(world);
      right.crash();
      await world.sleep(10);
      await expect(a.connect('sim://right')).rejects.toThrow(/refused/);
      right.restart();
      await expect(a.connect('sim://right')).rejects.toThrow(/refused/);
      const again = right.transport();
      expect(again.local.peerId).toBe(b.local.peerId);
      expect(await a.connect('sim://right')).toBe(b.local.peerId);
    });
  });

  it('is redialled by who keeps it', async () => {
    const world = createWorld({ seed: 3 });
    await world.run(async () => {
      const [left, right] = [world.host('left'), world.host('right')];
      const a = left.transport();
      const { peerId, addresses } = right.transport().local;
      a.setAddresses(peerId, addresses.value);
      const kept = a.keep(peerId);
      await world.until(() => a.connections.value.has(peerId));
      for (const mode of ['kill', 'powerLoss', 'kill'] as const) {
        right.crash({ mode });
        await world.until(() => !a.connections.value.has(peerId));
        await world.sleep(20_000);
        right.restart();
        right.transport();
        await world.until(() => a.connections.value.has(peerId), { withinMs: 16_000 });
      }
      kept[Symbol.dispose]();
    });
  });
});

describe('a host that loses power', () => {
  it('is silent to its peers after their timeout', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const { right, near } = await scene(world);
      const ending = timed(world, near.ended);
      right.crash({ mode: 'powerLoss' });
      const { value, afterMs } = await ending;
      expect(value.kind).toBe('silent');
      expect(afterMs).toBe(5_000);
    });
  });

  it('is lost to its peers as soon as it is up again', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const { right, near } = await scene(world);
      right.crash({ mode: 'powerLoss' });
      await world.sleep(1_000);
      right.restart();
      expect((await near.ended).kind).toBe('lost');
      expect(world.now).toBeLessThan(1_020);
    });
  });

  it('does not send later what a partition had held back', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const { left, right, near, far } = await scene(world);
      const cut = world.faults.partition([left], [right]);
      await near.send({ n: 1 });
      await world.sleep(100);
      left.crash({ mode: 'powerLoss' });
      cut.heal();
      expect((await far.ended).kind).toBe('silent');
      expect(far.stats.receivedBytes).toBe(0);
    });
  });

  it('is noticed as late as its peers were told to', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const [patient, hasty] = [
        world.host('patient').transport({ silenceMs: 9_000 }),
        world.host('hasty').transport({ silenceMs: 500 }),
      ];
      const right = world.host('right');
      right.transport();
      const peer = await patient.connect('sim://right');
      await hasty.connect('sim://right');
      const startMs = world.now;
      right.crash({ mode: 'powerLoss' });
      await world.until(() => !hasty.connections.value.has(peer));
      expect(world.now - startMs).toBe(500);
      await world.until(() => !patient.connections.value.has(peer));
      expect(world.now - startMs).toBe(9_000);
    });
  });
});

describe('a dead incarnation', () => {
  it('does nothing any more: timers, sends, opens and waits', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const { left, near, far, a, b } = await scene(world);
      echo(b);
      const traces: string[] = [];
      const { runtime } = left;
      runtime.setTimer(10, () => traces.push('timer'));
      void sleep(runtime, 10).then(() => traces.push('sleep'));
      void near.receive().then(() => traces.push('receive'));
      void a.open(b.local.peerId, Numbers).then(() => traces.push('open begun before'));
      left.crash();
      runtime.setTimer(10, () => traces.push('timer set when dead'));
      runtime.yieldTo(() => traces.push('yield when dead'));
      void a.open(b.local.peerId, Numbers).then(() => traces.push('open when dead'));
      void a.connect('sim://right').then(() => traces.push('connect when dead'));
      near.trySend({ n: 1 });
      const diedAtMs = runtime.now();
      await world.sleep(60_000);
      expect(traces).toEqual([]);
      expect(runtime.now()).toBe(diedAtMs);
      expect(far.stats.receivedMessages + far.stats.unreadBytes).toBe(0);
      expect(b.connections.value.size).toBe(0);
      await a.close();
    });
  });

  it('does not come back with the next one', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const { left, near, a } = await scene(world);
      let ticks = 0;
      const tick = (): void => {
        ticks++;
        left.runtime.setTimer(100, tick);
      };
      const old = left.runtime;
      tick();
      left.crash();
      left.restart();
      expect(left.incarnation).toBe(2);
      expect(left.runtime).not.toBe(old);
      near.trySend({ n: 1 });
      await world.sleep(1_000);
      expect(ticks).toBe(1);
      expect(a.runtime).toBe(old);
    });
  });

  it('cannot have a transport made', () => {
    const host = createWorld().host('a');
    host.crash();
    expect(host.isUp).toBe(false);
    expect(() => host.transport()).toThrow(ClosedError);
    host.crash();
    host.restart();
    expect(host.isUp).toBe(true);
    host.restart();
    expect(host.incarnation).toBe(2);
  });

  it('is told of to who asked', () => {
    const host = createWorld().host('a');
    const crashes: (Crash & { isUp: boolean })[] = [];
    const subscription = host.onCrash((crash) => crashes.push({ ...crash, isUp: host.isUp }));
    host.crash({ mode: 'powerLoss' });
    host.restart();
    host.crash();
    subscription[Symbol.dispose]();
    host.restart();
    host.crash();
    expect(crashes).toEqual([
      { mode: 'powerLoss', incarnation: 1, isUp: false },
      { mode: 'kill', incarnation: 2, isUp: false },
    ]);
  });
});

describe('a host that stalls', () => {
  it('runs late what fell due, in order, while time goes on', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const host = world.host('a');
      const seen: [string, number][] = [];
      for (const [name, delayMs] of [
        ['one', 10],
        ['two', 20],
        ['three', 30],
        ['on the dot', 115],
        ['four', 200],
      ] as const) {
        host.runtime.setTimer(delayMs, () => {
          seen.push([name, world.now]);
          void Promise.resolve().then(() => seen.push([`after ${name}`, world.now]));
        });
      }
      await world.sleep(15);
      host.stall(100);
      await world.sleep(500);
      expect(seen).toEqual([
        ['one', 10],
        ['after one', 10],
        ['two', 115],
        ['after two', 115],
        ['three', 115],
        ['after three', 115],
        ['on the dot', 115],
        ['after on the dot', 115],
        ['four', 200],
        ['after four', 200],
      ]);
    });
  });

  it('receives in order what came meanwhile', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const { right, near, far } = await scene(world);
      right.stall(1_000);
      for (let n = 0; n < 100; n++) {
        await near.send({ n });
        await world.sleep(15);
      }
      for (let n = 0; n < 100; n++) expect(await far.receive()).toEqual({ n });
      expect(far.end).toBeUndefined();
    });
  });

  it('is found silent when it stalls for long, and finds itself disconnected', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const { right, near, far, b } = await scene(world);
      const events: TransportEvent[] = [];
      const subscription = b.events.subscribe();
      const listening = (async () => {
        for await (const event of subscription) if (event.type !== 'lagged') events.push(event);
      })();
      const ends: [LinkEnd['kind'], number][] = [];
      for (const link of [near, far])
        void link.ended.then((end) => ends.push([end.kind, Math.floor(world.now - startMs)]));
      const startMs = world.now;
      right.stall(8_000);
      await world.sleep(10_000);
      expect(ends).toEqual([
        ['silent', 5_000],
        ['lost', 8_000],
      ]);
      expect(events).toMatchObject([{ type: 'disconnected', reason: 'lost' }]);
      subscription[Symbol.dispose]();
      await listening;
    });
  });
});
