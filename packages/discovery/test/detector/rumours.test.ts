import { InvalidArgumentError } from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import type { DetectorOptions, Rumour, RumourVerdict } from '../../src/detector/contract.ts';
import { detectionBoundMs, detectorDefaults, nackAfterMs } from '../../src/detector/create-detector.ts';
import { Health } from '../../src/detector/health.ts';
import { resolveDetectorOptions, suspicionTimeMs } from '../../src/detector/options.ts';
import { peerNamed, refused, ScriptedHost, version } from './scripted-host.ts';

const [target, a, stranger] = [peerNamed('target'), peerNamed('a'), peerNamed('stranger')];

describe('a rumour about another', () => {
  const table: readonly {
    readonly what: string;
    readonly rumour: Partial<Rumour>;
    /** When the target last answered, before the rumour. */
    readonly answeredMsAgo?: number;
    readonly isNeighbour?: boolean;
    readonly verdict: RumourVerdict;
    readonly acts?: readonly string[];
  }[] = [
    { what: 'dead', rumour: { kind: 'dead' }, verdict: 'noted', acts: ['declareDead'] },
    {
      what: 'dead, newer',
      rumour: { kind: 'dead', version: version(9) },
      verdict: 'noted',
      acts: ['declareDead'],
    },
    { what: 'dead, older', rumour: { kind: 'dead', version: version(4) }, verdict: 'stale' },
    { what: 'dead, nobody known', rumour: { kind: 'dead', peer: stranger }, verdict: 'stale' },
    { what: 'dead, answered', rumour: { kind: 'dead' }, answeredMsAgo: 300, verdict: 'doubted' },
    {
      what: 'dead, answered once',
      rumour: { kind: 'dead' },
      answeredMsAgo: 1001,
      verdict: 'noted',
      acts: ['declareDead'],
    },
    { what: 'suspect', rumour: {}, verdict: 'noted' },
    { what: 'suspect, a neighbour', rumour: {}, isNeighbour: true, verdict: 'noted', acts: ['ping'] },
    { what: 'suspect, older', rumour: { version: version(4) }, isNeighbour: true, verdict: 'stale' },
    { what: 'suspect, answered', rumour: {}, isNeighbour: true, answeredMsAgo: 300, verdict: 'doubted' },
  ];

  it.each(table)('$what', async ({ rumour, answeredMsAgo, isNeighbour = false, verdict, acts = [] }) => {
    const host = new ScriptedHost([]);
    host.add('target', isNeighbour);
    host.versions.set(target, version(5));
    await host.run(async () => {
      if (answeredMsAgo !== undefined) {
        host.detector.onConnectionLost(target);
        await host.world.sleep(5 + answeredMsAgo);
      }
      const done = host.acts.length;
      const said = host.detector.hear({
        kind: 'suspect',
        peer: target,
        version: version(5),
        by: a,
        ...rumour,
      });
      expect(said).toBe(verdict);
      expect(host.acts.slice(done).map((act) => act.what)).toEqual(acts);
      expect(host.detector.suspects).toEqual([]);
    });
  });

  it('that this node spread itself is no news', async () => {
    const host = new ScriptedHost(['target']);
    await host.run(async () => {
      expect(host.detector.hear({ kind: 'dead', peer: target, version: version(0), by: host.self })).toBe(
        'stale',
      );
      expect(host.acts).toEqual([]);
    });
  });

  it('of a death is believed again once a probe has failed', async () => {
    const host = new ScriptedHost(['target', 'a']);
    await host.run(async () => {
      host.detector.onConnectionLost(target);
      await host.world.sleep(100);
      host.pings.set(target, refused());
      host.detector.onConnectionLost(target);
      await host.world.sleep(100);
      expect(host.detector.hear({ kind: 'dead', peer: target, version: version(0), by: a })).toBe('noted');
    });
  });

  it('makes a neighbour look for itself, and suspect on its own account', async () => {
    const host = new ScriptedHost(['target', 'a']);
    host.pings.set(target, 'silent');
    await host.run(async () => {
      host.detector.hear({ kind: 'suspect', peer: target, version: version(0), by: a });
      await host.world.sleep(1001);
      expect(host.of('suspect', target).map((act) => act.atMs)).toEqual([1000]);
    });
  });
});

describe('a rumour about this node', () => {
  it.each([
    { of: version(-1), refutes: 0, verdict: 'stale' },
    { of: version(0), refutes: 1, verdict: 'noted' },
    { of: version(7), refutes: 1, verdict: 'noted' },
  ])('of version $of.update is refuted $refutes times', async ({ of, refutes, verdict }) => {
    const host = new ScriptedHost(['a']);
    await host.run(async () => {
      expect(host.detector.hear({ kind: 'suspect', peer: host.self, version: of, by: a })).toBe(verdict);
      expect(host.of('refute').length).toBe(refutes);
      expect(host.detector.health).toBe(refutes);
    });
  });

  it('is refuted no more than every 200 ms, but not forgotten', async () => {
    const host = new ScriptedHost(['a']);
    const tell = (update: number): RumourVerdict =>
      host.detector.hear({ kind: 'dead', peer: host.self, version: version(update), by: a });
    await host.run(async () => {
      tell(0);
      tell(0);
      await host.world.sleep(50);
      tell(1);
      tell(1);
      await host.world.sleep(1000);
      expect(host.of('refute').map((act) => act.atMs)).toEqual([0, 200]);
      expect(host.versions.get(host.self)).toEqual(version(2));
    });
  });
});

describe('a stall of this node', () => {
  it('discards the probes under way, begins them anew, and is held against this node', async () => {
    const host = new ScriptedHost(['target', 'a', 'b']);
    host.pings.set(target, 100);
    await host.run(async () => {
      host.detector.start();
      await host.next('ping', target);
      const done = host.acts.length;
      const { nowMs } = host;
      host.process.stall(3000);
      await host.world.sleep(3001);
      expect(host.acts.slice(done).filter(({ what }) => what === 'rtt' || what === 'pingThrough')).toEqual(
        [],
      );
      expect(host.of('ping', target).at(-1)!.atMs - nowMs).toBe(3000);
      expect(host.detector.health).toBe(1);
      await host.world.sleep(2000);
      expect(host.of('rtt', target).every((act) => act.rttMs === 100)).toBe(true);
      expect(host.of('suspect')).toEqual([]);
    });
  });

  it('gives suspects that much more time', async () => {
    const host = new ScriptedHost(['target', 'a', 'b', 'c']);
    host.pings.set(target, 'silent');
    await host.run(async () => {
      host.detector.start();
      const { atMs } = await host.next('suspect', target);
      await host.world.sleep(1500);
      host.process.stall(3000);
      const dead = await host.next('declareDead', target);
      // The stall is noticed up to one pulse of 250 ms short.
      expect(dead.atMs - atMs).toBeGreaterThanOrEqual(2500 + 3000 - 250);
      expect(dead.atMs - atMs).toBeLessThanOrEqual(4 * 2500 + 3000);
    });
  });

  it('does not make it forget whose connection was lost', async () => {
    const host = new ScriptedHost(['a', 'b', 'c']);
    host.add('target', false);
    host.pings.set(target, refused());
    await host.run(async () => {
      host.detector.start();
      await host.world.sleep(1234);
      const { nowMs } = host;
      host.detector.onConnectionLost(target);
      host.process.stall(3000);
      const { atMs } = await host.next('declareDead', target);
      // Suspected after the stall, by a node of health 1.
      expect(atMs - nowMs).toBeGreaterThan(3000 + 1000);
      expect(atMs - nowMs).toBeLessThan(3000 + 2 * 1000 + 50);
    });
  });

  it('shorter than half a timeout is none', async () => {
    const host = new ScriptedHost(['a', 'b', 'c', 'd']);
    await host.run(async () => {
      host.detector.start();
      await host.world.sleep(3000);
      host.process.stall(240);
      await host.world.sleep(240);
      expect(host.detector.health).toBe(0);
    });
  });
});

describe('health', () => {
  it('stays within 0 and 8, and stretches times up to fourfold', () => {
    const health = new Health();
    health.recover();
    expect([health.score, health.factor]).toEqual([0, 1]);
    const factors = Array.from({ length: 10 }, () => {
      health.worsen();
      return [health.score, health.factor];
    });
    expect(factors).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 8, 8].map((score) => [score, Math.min(score + 1, 4)]));
    health.recover();
    expect(health.score).toBe(7);
  });

  it('comes back with each probe that is answered in time', async () => {
    const host = new ScriptedHost(['a']);
    await host.run(async () => {
      host.detector.hear({ kind: 'suspect', peer: host.self, version: version(0), by: a });
      expect(host.detector.health).toBe(1);
      host.detector.start();
      await host.world.sleep(2000);
      expect(host.detector.health).toBe(0);
    });
  });
});

describe('the options', () => {
  it.each<Partial<DetectorOptions>>([
    { probeIntervalMs: 0 },
    { probeTimeoutMs: -1 },
    { suspicionMs: Number.NaN },
    { lostSuspicionMs: Number.POSITIVE_INFINITY },
    { indirectProbes: 1.5 },
    { indirectProbes: -1 },
    { suspicionMs: 1000, confirmedSuspicionMs: 1001 },
  ])('%o are refused', (options) => {
    expect(() => resolveDetectorOptions(options)).toThrow(InvalidArgumentError);
  });

  it('keep their defaults where nothing is said', () => {
    expect(resolveDetectorOptions({ suspicionMs: 3000 })).toEqual({ ...detectorDefaults, suspicionMs: 3000 });
    expect(resolveDetectorOptions()).toEqual(detectorDefaults);
  });

  it('promise 4.5 s at the defaults', () => {
    expect(detectionBoundMs(detectorDefaults)).toBe(4500);
    expect(nackAfterMs(detectorDefaults)).toBe(400);
  });

  it.each([
    [false, 0, 1, 2500],
    [false, 2, 1, 2000],
    [false, 9, 1, 2000],
    [false, 0, 4, 10_000],
    [true, 0, 1, 1000],
    [true, 2, 2, 2000],
  ])('lost %s, %i voices, factor %i: %i ms', (isLost, confirmations, factor, expectedMs) => {
    expect(suspicionTimeMs(detectorDefaults, { isLost, confirmations, factor })).toBe(expectedMs);
  });
});
