import type { PeerId } from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import { Forbearance } from '../../src/producer/forbearance.ts';
import { Patience } from '../../src/producer/patience.ts';

const ann = 'a'.repeat(64) as PeerId;

describe('patience', () => {
  it('lasts for a quarter of a second at a stretch', () => {
    const patience = new Patience(1_000);
    patience.setWaiting(true, 1_000);
    expect(patience.leftMs(1_100)).toBeCloseTo(250 - 98);
    expect(patience.leftMs(1_300)).toBeLessThan(0);
    expect(patience.leftMs(9_000)).toBe(-250);
  });

  it('comes back while nobody is held up, at a fiftieth of the time', () => {
    const patience = new Patience(0);
    patience.setWaiting(true, 0);
    patience.setWaiting(false, 1_000);
    expect(patience.leftMs(1_000)).toBe(-250);
    expect(patience.leftMs(16_000)).toBeCloseTo(50);
    expect(patience.leftMs(100_000)).toBe(250);
  });

  it.each([1, 7, 100])(
    'holds others up for a fiftieth of the time, though each wait takes at least %d ms',
    (stepMs) => {
      const patience = new Patience(0);
      let waitedMs = 0;
      for (let nowMs = 0; nowMs < 100_000; nowMs += stepMs) {
        const isWaiting = patience.leftMs(nowMs) > 0;
        patience.setWaiting(isWaiting, nowMs);
        if (isWaiting) waitedMs += stepMs;
      }
      expect(waitedMs).toBeLessThan(100_000 * 0.02 + 500);
      expect(waitedMs).toBeGreaterThan(1_800);
    },
  );
});

describe('patience with a peer that comes back', () => {
  it('is what was left, and what came back meanwhile', () => {
    const forbearance = new Forbearance();
    const spent = forbearance.take(ann, 0);
    spent.setWaiting(true, 0);
    forbearance.keep(ann, spent, 1_000);
    expect(forbearance.take(ann, 21_000).leftMs(21_000)).toBeCloseTo(150);
    // Taken by one subscription, the next one of the same peer has its own.
    expect(forbearance.take(ann, 21_000).leftMs(21_000)).toBe(250);
  });

  it('keeps the least of several subscriptions, and forgets the oldest of very many peers', () => {
    const forbearance = new Forbearance();
    const spent = new Patience(0);
    spent.setWaiting(true, 0);
    forbearance.keep(ann, spent, 1_000);
    forbearance.keep(ann, new Patience(1_000), 1_000);
    expect(forbearance.take(ann, 1_000).leftMs(1_000)).toBe(-250);
    forbearance.keep(ann, spent, 1_000);
    for (let index = 0; index < 1_024; index++) {
      forbearance.keep(index.toString(16).padStart(64, '0') as PeerId, new Patience(0), 1_000);
    }
    expect(forbearance.take(ann, 1_000).leftMs(1_000)).toBe(250);
  });
});
