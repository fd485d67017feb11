import { describe, expect, it } from 'vitest';
import { Pacer } from '../../src/libp2p/pacer.ts';

const KIB = 1024;

function pacerAt(): { pacer: Pacer; at: (ms: number) => Pacer } {
  let nowMs = 0;
  const pacer = new Pacer({ now: () => nowMs });
  return {
    pacer,
    at: (ms) => {
      nowMs = ms;
      return pacer;
    },
  };
}

function talk(pacer: Pacer): void {
  for (let frame = 0; frame < 4; frame++) pacer.small();
}

describe('the pace of bulk', () => {
  it('is its own as long as nobody talks', () => {
    const { pacer } = pacerAt();
    pacer.spend(1024 * KIB);
    expect(pacer.restMs).toBe(0);
    // A heartbeat now and then is no talk.
    for (let frame = 0; frame < 3; frame++) pacer.small();
    expect(pacer.restMs).toBe(0);
  });

  it('is 128 KiB in 1 ms while somebody does', () => {
    const { pacer, at } = pacerAt();
    talk(pacer);
    pacer.spend(127 * KIB);
    expect(pacer.restMs).toBe(0);
    pacer.spend(KIB);
    expect(pacer.restMs).toBe(1);
    expect(at(0.5).restMs).toBe(0.5);
    expect(at(1).restMs).toBe(0);
    pacer.spend(127 * KIB);
    expect(pacer.restMs).toBe(0);
  });

  it('takes a large frame for as many small ones', () => {
    const { pacer } = pacerAt();
    talk(pacer);
    pacer.spend(1024 * KIB);
    expect(pacer.restMs).toBe(8);
  });

  it('is its own again when nothing was said for 50 ms', () => {
    const { pacer, at } = pacerAt();
    talk(pacer);
    at(49.5).spend(128 * KIB);
    expect(pacer.restMs).toBe(1);
    expect(at(50).restMs).toBe(0);
  });

  it('is not held up by frames that come one by one', () => {
    const { pacer, at } = pacerAt();
    for (let ms = 0; ms < 1_000; ms += 20) {
      at(ms).small();
      pacer.spend(1024 * KIB);
      expect(pacer.restMs).toBe(0);
    }
  });
});
