import { describe, expect, it } from 'vitest';
import { createRttEstimator } from '../../src/rtt/estimator.ts';

/** RFC 6298 §2, worked by hand: sample, SRTT, RTTVAR. */
const worked: readonly (readonly [sampleMs: number, srttMs: number, rttvarMs: number])[] = [
  [100, 100, 50],
  [200, 112.5, 62.5],
  [100, 110.9375, 50],
  [100, 109.5703125, 40.234375],
  [0, 95.8740234375, 57.568359375],
];

describe('the estimator of round trips', () => {
  it('knows nothing before the first sample', () => {
    const { srttMs, rttvarMs, samples } = createRttEstimator();
    expect({ srttMs, rttvarMs, samples }).toEqual({ srttMs: undefined, rttvarMs: undefined, samples: 0 });
  });

  it('follows RFC 6298 §2.2 and §2.3', () => {
    const estimator = createRttEstimator();
    for (const [index, [sampleMs, srttMs, rttvarMs]] of worked.entries()) {
      estimator.add(sampleMs);
      const { samples } = estimator;
      expect({ srttMs: estimator.srttMs, rttvarMs: estimator.rttvarMs, samples }).toEqual({
        srttMs,
        rttvarMs,
        samples: index + 1,
      });
    }
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('ignores %s', (sampleMs) => {
    const estimator = createRttEstimator();
    estimator.add(sampleMs);
    expect(estimator.samples).toBe(0);
    estimator.add(10);
    estimator.add(sampleMs);
    expect([estimator.srttMs, estimator.rttvarMs, estimator.samples]).toEqual([10, 5, 1]);
  });

  it('comes to rest where samples do not stray', () => {
    const estimator = createRttEstimator();
    estimator.add(1000);
    for (let count = 0; count < 200; count++) estimator.add(20);
    expect(estimator.srttMs).toBeCloseTo(20, 6);
    expect(estimator.rttvarMs).toBeCloseTo(0, 6);
  });
});
