import { type PeerId, uniqueId } from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import { AcceptGate } from '../../src/adapter/accept-gate.ts';
import { manualRuntime } from '../kit/manual-runtime.ts';

const a: PeerId = uniqueId('a');
const b: PeerId = uniqueId('b');

describe('an accept gate', () => {
  it('lets as many links in at once as are allowed, and another one when one has ended', () => {
    const gate = new AcceptGate(manualRuntime(), { maxLinks: 2 });
    const leave = gate.enter(a);
    expect([gate.enter(a), gate.enter(a)]).toEqual([expect.any(Function), undefined]);
    leave?.();
    expect(gate.enter(a)).toBeDefined();
    expect(gate.enter(a)).toBeUndefined();
  });

  it('counts each peer for itself', () => {
    const gate = new AcceptGate(manualRuntime(), { maxLinks: 1 });
    expect(gate.enter(a)).toBeDefined();
    expect(gate.enter(a)).toBeUndefined();
    expect(gate.enter(b)).toBeDefined();
  });

  it('lets ten seconds of opens in as a burst, and then as many as time allows', async () => {
    const runtime = manualRuntime();
    const gate = new AcceptGate(runtime, { maxOpensPerSecond: 2 });
    const open = (): boolean => {
      const leave = gate.enter(a);
      leave?.();
      return leave !== undefined;
    };
    const opened = (): number => Array.from({ length: 100 }, open).filter(Boolean).length;
    expect(opened()).toBe(20);
    await runtime.advance(499);
    expect(opened()).toBe(0);
    await runtime.advance(1);
    expect(opened()).toBe(1);
    await runtime.advance(3_000);
    expect(opened()).toBe(6);
    await runtime.advance(3_600_000);
    expect(opened()).toBe(20);
  });

  it('lets one in now and then when less than one in ten seconds is allowed', async () => {
    const runtime = manualRuntime();
    const gate = new AcceptGate(runtime, { maxOpensPerSecond: 0.01 });
    expect([gate.enter(a), gate.enter(a)]).toEqual([expect.any(Function), undefined]);
    await runtime.advance(100_000);
    expect(gate.enter(a)).toBeDefined();
  });

  it('does not give a peer that comes back its burst again', () => {
    const gate = new AcceptGate(manualRuntime(), { maxOpensPerSecond: 1 });
    for (let n = 0; n < 10; n++) gate.enter(a)?.();
    for (let n = 0; n < 1_000; n++) gate.enter(uniqueId(`stranger ${n}`))?.();
    expect(gate.enter(a)).toBeUndefined();
  });

  it('forgets peers that have no links and have not come for ten seconds', async () => {
    const runtime = manualRuntime();
    const gate = new AcceptGate(runtime);
    const staying = gate.enter(a);
    for (let second = 0; second < 200; second++) {
      for (let n = 0; n < 50; n++) gate.enter(uniqueId(`stranger ${second} ${n}`))?.();
      await runtime.advance(1_000);
      // 50 a second for the 10 seconds that a bucket may need, and as many again before they are looked at.
      expect(gate.size).toBeLessThanOrEqual(2 * 50 * 11);
    }
    staying?.();
    expect(gate.enter(a)).toBeDefined();
  });
});
