import { TimeoutError } from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import {
  type HelperScript,
  type PingScript,
  peerNamed,
  refused,
  ScriptedHost,
  version,
} from './scripted-host.ts';

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `peer${index}`);
const target = peerNamed('target');

describe('the rotation', () => {
  it.each([1, 2, 3, 8, 40])(
    'probes each of %i neighbours at least once an interval, not in one go',
    async (count) => {
      const host = new ScriptedHost(names(count));
      await host.run(async () => {
        host.detector.start();
        await host.world.sleep(20_000);
      });
      for (const peer of host.links) {
        const times = host.of('ping', peer).map((act) => act.atMs);
        const gaps = times.slice(1).map((time, index) => time - times[index]!);
        expect(times[0]).toBeLessThanOrEqual(1000);
        expect(Math.max(...gaps)).toBeLessThanOrEqual(1000.001);
        expect(times.length).toBeLessThanOrEqual(20_000 / 900 + 1);
      }
      const all = host.of('ping').map((act) => act.atMs);
      const closest = Math.min(...all.slice(1).map((time, index) => time - all[index]!));
      expect(closest).toBeGreaterThanOrEqual(900 / Math.max(count, 1) - 0.001);
      expect(host.of('rtt').every((act) => act.rttMs === 5)).toBe(true);
    },
  );

  it('goes on through neighbours that come and go', async () => {
    const host = new ScriptedHost(names(4));
    await host.run(async () => {
      host.detector.start();
      await host.world.sleep(5300);
      for (const name of ['x', 'y', 'z']) host.add(name);
      host.links = host.links.filter((peer) => peer !== peerNamed('peer0'));
      const sinceMs = host.nowMs;
      await host.world.sleep(2000);
      const recent = host.of('ping').filter((act) => act.atMs > sinceMs);
      expect(new Set(recent.map((act) => act.peer))).toEqual(new Set(host.links));
    });
  });

  it('leaves alone who is not in the catalog', async () => {
    const host = new ScriptedHost(['a', 'target']);
    host.versions.delete(target);
    await host.run(async () => {
      host.detector.start();
      await host.world.sleep(5000);
    });
    expect(host.of('ping', target)).toEqual([]);
  });
});

describe('a neighbour that asks', () => {
  it('need not be asked', async () => {
    const host = new ScriptedHost(names(4));
    const [asks, ...others] = host.links;
    await host.run(async () => {
      host.detector.start();
      for (let second = 0; second < 20; second++) {
        host.detector.onHeard(asks!);
        await host.world.sleep(895);
      }
    });
    expect(host.of('ping', asks!).length).toBeLessThanOrEqual(1);
    for (const other of others) expect(host.of('ping', other).length).toBeGreaterThanOrEqual(17);
  });

  it.each(names(20))('is asked within an interval of when it did last (%s)', async (seed) => {
    const host = new ScriptedHost([...names(3), seed]);
    const asks = peerNamed(seed);
    await host.run(async () => {
      host.detector.start();
      for (let times = 0; times < 10; times++) {
        await host.world.sleep(100 + 1500 * host.world.runtime.random());
        host.detector.onHeard(asks);
        const heardAtMs = host.nowMs;
        const ping = await host.next('ping', asks);
        expect(ping.atMs - heardAtMs).toBeLessThanOrEqual(1000.001);
      }
    });
  });

  it('is asked all the same by a node that doubts itself', async () => {
    const host = new ScriptedHost(['target', 'a', 'b']);
    // Late, all of them: that speaks against this node.
    for (const peer of host.links) host.pings.set(peer, 700);
    await host.run(async () => {
      host.detector.start();
      await host.next('ping', target);
      await host.world.sleep(800);
      expect(host.detector.health).toBeGreaterThan(0);
      const sinceMs = host.nowMs;
      for (let times = 0; times < 20; times++) {
        host.detector.onHeard(target);
        await host.world.sleep(500);
      }
      expect(host.of('ping', target).filter((act) => act.atMs > sinceMs).length).toBeGreaterThanOrEqual(5);
    });
  });
});

describe('a probe', () => {
  it('asks three other neighbours when the direct ping is not answered in time', async () => {
    const host = new ScriptedHost([...names(8), 'target']);
    host.pings.set(target, 'silent');
    await host.run(async () => {
      host.detector.start();
      const ping = await host.next('ping', target);
      await host.world.sleep(600);
      const asked = host.of('pingThrough', target);
      expect(asked.map((act) => act.atMs - ping.atMs)).toEqual([500, 500, 500]);
      expect(new Set(asked.map((act) => act.helper)).size).toBe(3);
      expect(asked.some((act) => act.helper === target || act.helper === host.self)).toBe(false);
    });
  });

  it('asks other members where neighbours are too few', async () => {
    const host = new ScriptedHost(['a', 'target']);
    const others = ['m1', 'm2', 'm3', 'm4'].map((name) => host.add(name, false));
    host.pings.set(target, 'silent');
    await host.run(async () => {
      host.detector.start();
      await host.next('ping', target);
      await host.world.sleep(600);
      const asked = host.of('pingThrough', target).map((act) => act.helper!);
      expect(asked[0]).toBe(peerNamed('a'));
      expect(others).toEqual(expect.arrayContaining(asked.slice(1)));
      expect(new Set(asked).size).toBe(3);
    });
  });

  const table: readonly {
    readonly ping: PingScript;
    readonly helpers: HelperScript;
    readonly suspectAfterMs: number | undefined;
    readonly health: number;
  }[] = [
    { ping: 5, helpers: 'no', suspectAfterMs: undefined, health: 0 },
    { ping: 499, helpers: 'no', suspectAfterMs: undefined, health: 0 },
    { ping: 700, helpers: 'no', suspectAfterMs: undefined, health: 1 },
    { ping: 'silent', helpers: 'yes', suspectAfterMs: undefined, health: 1 },
    { ping: 'silent', helpers: 'no', suspectAfterMs: 1000, health: 0 },
    { ping: 'silent', helpers: 'silent', suspectAfterMs: 1000, health: 3 },
    { ping: 'silent', helpers: 'fails', suspectAfterMs: 1000, health: 3 },
    { ping: refused(), helpers: 'no', suspectAfterMs: 12, health: 0 },
    { ping: refused(), helpers: 'yes', suspectAfterMs: undefined, health: 1 },
    { ping: refused(), helpers: 'fails', suspectAfterMs: 2, health: 3 },
    { ping: new TimeoutError('a dial', 20), helpers: 'no', suspectAfterMs: 12, health: 0 },
  ];

  it.each(table)(
    'of a peer with $ping, helpers $helpers',
    async ({ ping, helpers, suspectAfterMs, health }) => {
      // No other probe ends in between and changes the health.
      const host = new ScriptedHost(['target'], { probeIntervalMs: 5000 });
      for (const name of ['a', 'b', 'c']) host.helpers.set(host.add(name, false), helpers);
      host.pings.set(target, ping);
      await host.run(async () => {
        host.detector.start();
        const { atMs } = await host.next('ping', target);
        await host.world.sleep(1100);
        expect(host.of('suspect', target).map((act) => Math.round(act.atMs - atMs))).toEqual(
          suspectAfterMs === undefined ? [] : [suspectAfterMs],
        );
        expect(host.detector.health).toBe(health);
        expect(host.detector.suspects).toEqual(suspectAfterMs === undefined ? [] : [target]);
      });
    },
  );

  it('that finds an older entry begins anew when a newer one has come meanwhile', async () => {
    const host = new ScriptedHost(['target', 'a', 'b']);
    host.pings.set(target, 'silent');
    await host.run(async () => {
      host.detector.start();
      const { atMs } = await host.next('ping', target);
      await host.world.sleep(800);
      host.versions.set(target, version(1));
      host.detector.onEntry(target, version(1));
      await host.world.sleep(300);
      expect(host.of('suspect')).toEqual([]);
      expect(host.of('ping', target).map((act) => act.atMs - atMs)).toEqual([0, 1000]);
      expect((await host.next('suspect', target)).atMs - atMs).toBe(2000);
    });
  });

  it('waits longer the worse this node is, up to four times', async () => {
    const host = new ScriptedHost(['target'], { probeIntervalMs: 20_000, suspicionMs: 60_000 });
    for (const name of ['a', 'b', 'c']) host.helpers.set(host.add(name, false), 'fails');
    host.pings.set(target, 'silent');
    const waits: number[] = [];
    await host.run(async () => {
      host.detector.start();
      for (let round = 0; round < 4; round++) {
        const { atMs } = await host.next('ping', target);
        waits.push((await host.next('pingThrough', target)).atMs - atMs);
        await host.world.sleep(100);
      }
      expect(host.detector.health).toBe(8);
    });
    expect(waits).toEqual([500, 2000, 2000, 2000]);
  });

  it('is one of 64 at most; the others wait, and none is forgotten', async () => {
    const host = new ScriptedHost([]);
    const peers = names(200).map((name) => host.add(name, false));
    for (const peer of peers) host.pings.set(peer, 'silent');
    let most = 0;
    await host.run(async () => {
      host.detector.start();
      for (const peer of peers) host.detector.onConnectionLost(peer);
      for (let turn = 0; turn < 80; turn++) {
        most = Math.max(most, host.pendingPings);
        await host.world.sleep(100);
      }
    });
    expect(most).toBe(64);
    expect(new Set(host.of('suspect').map((act) => act.peer)).size).toBe(200);
  });
});

describe('the end of the scope', () => {
  it('ends everything, and leaves no timer', async () => {
    const host = new ScriptedHost([...names(6), 'target']);
    host.pings.set(target, 'silent');
    await host.run(async () => {
      host.detector.start();
      await host.next('suspect', target);
      await host.world.sleep(1200);
      host.detector.hear({ kind: 'suspect', peer: host.self, version: version(0), by: target });
      expect(host.pendingTimers).toBeGreaterThan(0);
      await host.scope.close();
      expect(host.scope.running).toEqual([]);
      expect([host.pendingTimers, host.pendingPings]).toEqual([0, 0]);
      const done = host.acts.length;
      host.detector.onConnectionLost(target);
      host.detector.hear({ kind: 'dead', peer: target, version: version(0), by: peerNamed('peer0') });
      await host.world.sleep(10_000);
      expect(host.acts.length).toBe(done);
      expect(host.pendingTimers).toBe(0);
    });
  });
});
