import { describe, expect, it } from 'vitest';
import { degreeFor } from '../../src/overlay/overlay.ts';

describe('the degree', () => {
  it.each([
    [0, 0],
    [1, 1],
    [2, 2],
    [5, 5],
    [7, 7],
    [15, 8],
    [99, 11],
    [999, 14],
    [1_999, 15],
    [100_000, 21],
  ])('for %i others is %i', (peers, degree) => {
    expect(degreeFor(peers)).toBe(degree);
  });

  it('is never more than there are, never falls, and is above ln n, which a connected random graph needs', () => {
    let before = 0;
    for (let peers = 0; peers <= 5_000; peers++) {
      const degree = degreeFor(peers);
      expect(degree).toBeLessThanOrEqual(peers);
      expect(degree).toBeGreaterThanOrEqual(before);
      if (peers > 1) expect(degree).toBeGreaterThan(Math.log(peers + 1));
      before = degree;
    }
  });
});
