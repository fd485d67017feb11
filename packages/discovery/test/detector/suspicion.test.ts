import { ClosedError, type PeerId, TimeoutError } from '@mosaik/primitives';
import { PeerUnreachableError } from '@mosaik/transport';
import { describe, expect, it } from 'vitest';
import type { EntryVersion } from '../../src/entry/peer-entry.ts';
import { type PingScript, peerNamed, refused, ScriptedHost, version } from './scripted-host.ts';

const target = peerNamed('target');
const [a, b] = [peerNamed('a'), peerNamed('b')];

/** A host with a silent neighbour, and others that are well and cannot reach it either. */
function withSilent(): ScriptedHost {
  const host = new ScriptedHost(['target', 'a', 'b', 'c']);
  host.pings.set(target, 'silent');
  return host;
}

const suspect = (by: PeerId, of: EntryVersion = version(0)) =>
  ({ kind: 'suspect', peer: target, version: of, by }) as const;

describe('a suspect', () => {
  it('is spread, then spread as dead and declared dead, in this order', async () => {
    const host = withSilent();
    await host.run(async () => {
      host.detector.start();
      const { atMs } = await host.next('suspect', target);
      await host.world.sleep(2600);
      const told = host.acts.filter(({ what }) => ['suspect', 'dead', 'declareDead'].includes(what));
      expect(told.map((act) => [act.what, act.atMs - atMs])).toEqual([
        ['suspect', 0],
        ['dead', 2500],
        ['declareDead', 2500],
      ]);
      expect(host.detector.suspects).toEqual([]);
    });
  });

  it('is probed each interval, and cleared when it answers', async () => {
    const host = withSilent();
    await host.run(async () => {
      host.detector.start();
      const { atMs } = await host.next('suspect', target);
      await host.world.sleep(900);
      host.pings.set(target, 5);
      await host.world.sleep(5000);
      const times = host.of('ping', target).map((act) => act.atMs - atMs);
      // A timer takes 1 ms at the least.
      expect(times.slice(0, 3)).toEqual([-1000, 1, 1002]);
      expect(host.of('suspect').length).toBe(1);
      expect(host.of('declareDead')).toEqual([]);
    });
  });

  it('is cleared when a helper reaches it', async () => {
    const host = withSilent();
    await host.run(async () => {
      host.detector.start();
      await host.next('suspect', target);
      for (const peer of host.links) host.helpers.set(peer, 'yes');
      await host.world.sleep(5000);
      expect(host.of('suspect').length).toBe(1);
      expect(host.of('declareDead')).toEqual([]);
      expect(host.detector.suspects).toEqual([]);
    });
  });

  it.each([
    { entry: version(1), isVoid: true },
    { entry: version(0, 2), isVoid: true },
    { entry: version(0), isVoid: false },
  ])('is none any more with a newer entry: $entry', async ({ entry, isVoid }) => {
    const host = withSilent();
    await host.run(async () => {
      host.detector.start();
      await host.next('suspect', target);
      host.versions.set(target, entry);
      host.detector.onEntry(target, entry);
      expect(host.detector.suspects).toEqual(isVoid ? [] : [target]);
      await host.world.sleep(2600);
      expect(host.of('declareDead').length).toBe(isVoid ? 0 : 1);
    });
  });

  it('is heard out when its refutation has arrived at the time it expires, and is not yet read', async () => {
    const host = withSilent();
    await host.run(async () => {
      host.detector.start();
      await host.next('suspect', target);
      await host.world.sleep(2400);
      host.process.runtime.setTimer(200, () => {
        host.versions.set(target, version(1));
        host.detector.onEntry(target, version(1));
      });
      host.process.stall(240);
      await host.world.sleep(500);
      expect(host.detector.health).toBe(0);
      expect(host.of('declareDead')).toEqual([]);
    });
  });

  it('is forgotten when it leaves the catalog', async () => {
    const host = withSilent();
    await host.run(async () => {
      host.detector.start();
      await host.next('suspect', target);
      host.versions.delete(target);
      host.detector.onGone(target);
      const done = host.of('ping', target).length;
      await host.world.sleep(5000);
      expect(host.detector.suspects).toEqual([]);
      expect(host.of('ping', target).length).toBe(done);
      expect(host.of('declareDead')).toEqual([]);
    });
  });

  const voices = [
    { heard: [], afterMs: 2500 },
    { heard: [suspect(a)], afterMs: 2500 - 500 * (Math.log(2) / Math.log(3)) },
    { heard: [suspect(a), suspect(a)], afterMs: 2500 - 500 * (Math.log(2) / Math.log(3)) },
    { heard: [suspect(a), suspect(b)], afterMs: 2000 },
    { heard: [suspect(a), suspect(b, version(-1))], afterMs: 2500 - 500 * (Math.log(2) / Math.log(3)) },
    { heard: [suspect(a), suspect(b), suspect(peerNamed('c'))], afterMs: 2000 },
    { heard: [suspect(a, version(7)), suspect(b, version(7))], afterMs: 2500 },
  ];

  it.each(voices)(
    'has $afterMs ms when others have said $heard.length things',
    async ({ heard, afterMs }) => {
      const host = withSilent();
      await host.run(async () => {
        host.detector.start();
        const { atMs } = await host.next('suspect', target);
        for (const rumour of heard) host.detector.hear(rumour);
        const dead = await host.next('declareDead', target);
        expect(dead.atMs - atMs).toBeCloseTo(afterMs, 3);
      });
    },
  );

  it('counts what others said before this node suspected it', async () => {
    const host = withSilent();
    await host.run(async () => {
      host.detector.start();
      host.detector.hear(suspect(a));
      host.detector.hear(suspect(b));
      const { atMs } = await host.next('suspect', target);
      expect((await host.next('declareDead', target)).atMs - atMs).toBeCloseTo(2000, 3);
    });
  });
});

describe('a lost connection', () => {
  const table: readonly {
    readonly what: string;
    readonly ping: PingScript;
    readonly helpers: 'yes' | 'no';
    readonly deadAfterMs: number | undefined;
  }[] = [
    { what: 'to a process that is gone', ping: refused(), helpers: 'no', deadAfterMs: 12 + 1000 },
    { what: 'that can be made again', ping: 5, helpers: 'no', deadAfterMs: undefined },
    { what: 'to one that others reach', ping: refused(), helpers: 'yes', deadAfterMs: undefined },
    { what: 'to one that is silent', ping: 'silent', helpers: 'no', deadAfterMs: 1000 + 2500 },
    {
      what: 'with a dial that runs out of time',
      ping: new TimeoutError('a dial', 2),
      helpers: 'no',
      deadAfterMs: 12 + 2500,
    },
    {
      what: 'with a dial that runs out of time, deep down',
      ping: new Error('unreachable', { cause: new TimeoutError('a dial', 2) }),
      helpers: 'no',
      deadAfterMs: 12 + 2500,
    },
    {
      what: 'with dials some of which run out of time',
      ping: new Error('unreachable', {
        cause: new AggregateError([refused(), new TimeoutError('a dial', 2)], 'all dials'),
      }),
      helpers: 'no',
      deadAfterMs: 12 + 2500,
    },
    {
      what: 'to one without an address',
      ping: new PeerUnreachableError('target', []),
      helpers: 'no',
      deadAfterMs: 12 + 2500,
    },
    {
      what: 'to one that refuses at its address',
      ping: new PeerUnreachableError('target', ['/ip4/127.0.0.1/tcp/1'], { cause: refused() }),
      helpers: 'no',
      deadAfterMs: 12 + 1000,
    },
  ];

  it.each(table)('$what', async ({ ping, helpers, deadAfterMs }) => {
    const host = new ScriptedHost(['a', 'b', 'c']);
    host.add('target', false);
    for (const peer of host.links) host.helpers.set(peer, helpers);
    host.pings.set(target, ping);
    await host.run(async () => {
      host.detector.start();
      await host.world.sleep(1234);
      const { nowMs } = host;
      host.detector.onConnectionLost(target);
      expect(host.of('ping', target).map((act) => act.atMs)).toEqual([nowMs]);
      await host.world.sleep(6000);
      expect(host.of('declareDead').map((act) => Math.round(act.atMs - nowMs))).toEqual(
        deadAfterMs === undefined ? [] : [deadAfterMs],
      );
    });
  });

  it('may be met by the first probe once more; the next one dials', async () => {
    const host = new ScriptedHost(['a', 'b', 'c']);
    host.add('target', false);
    host.pings.set(target, new ClosedError('the old link has ended'));
    await host.run(async () => {
      host.detector.onConnectionLost(target);
      await host.next('suspect', target);
      host.pings.set(target, refused());
      const dead = await host.next('declareDead', target);
      expect(Math.round(dead.atMs)).toBe(12 + 1000);
      expect(host.of('ping', target).map((act) => Math.round(act.atMs / 250))).toEqual([0, 1, 2, 3, 4]);
    });
  });

  it('to a process that comes back in time does no harm', async () => {
    const host = new ScriptedHost(['a', 'b', 'c']);
    host.add('target', false);
    host.pings.set(target, refused());
    await host.run(async () => {
      host.detector.onConnectionLost(target);
      await host.world.sleep(600);
      host.pings.set(target, 5);
      await host.world.sleep(5000);
      expect(host.of('suspect').length).toBe(1);
      expect(host.of('declareDead')).toEqual([]);
    });
  });

  it('shortens a suspicion that is under way', async () => {
    const host = withSilent();
    await host.run(async () => {
      host.detector.start();
      const { atMs } = await host.next('suspect', target);
      host.pings.set(target, refused());
      await host.world.sleep(500);
      host.detector.onConnectionLost(target);
      expect((await host.next('declareDead', target)).atMs - atMs).toBeCloseTo(1000, 3);
    });
  });

  it('replaces a probe under way', async () => {
    const host = withSilent();
    await host.run(async () => {
      host.detector.start();
      await host.next('ping', target);
      await host.world.sleep(100);
      host.pings.set(target, 5);
      host.detector.onConnectionLost(target);
      await host.world.sleep(2000);
      expect(host.of('pingThrough')).toEqual([]);
      expect(host.pendingPings).toBe(0);
    });
  });
});
