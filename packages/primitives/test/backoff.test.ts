import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBackoff } from '../src/backoff.ts';

const always = (value: number) => ({ random: () => value });
/** As close to 1 as `random` gets. */
const ALMOST_ONE = 1 - 2 ** -53;

describe('createBackoff', () => {
  it('doubles the upper end of the delay, up to the longest', () => {
    const backoff = createBackoff(always(0.5), { baseMs: 100, maxMs: 1000 });
    expect(Array.from({ length: 6 }, () => backoff.next())).toEqual([50, 100, 200, 400, 500, 500]);
    expect(backoff.attempts).toBe(6);
  });

  it('starts over after a success', () => {
    const backoff = createBackoff(always(0.5), { baseMs: 100, maxMs: 1000, factor: 3 });
    expect([backoff.next(), backoff.next()]).toEqual([50, 150]);
    backoff.reset();
    expect(backoff.attempts).toBe(0);
    expect(backoff.next()).toBe(50);
  });

  it('gives delays within [0, min(maxMs, baseMs × factor^n)), for ever', () => {
    const options = fc.record({
      baseMs: fc.double({ min: 0.001, max: 1e6, noNaN: true }),
      times: fc.double({ min: 1, max: 1e6, noNaN: true }),
      factor: fc.double({ min: 1, max: 10, noNaN: true }),
      chance: fc.constantFrom(0, 0.5, ALMOST_ONE),
    });
    fc.assert(
      fc.property(options, ({ baseMs, times, factor, chance }) => {
        const maxMs = baseMs * times;
        const backoff = createBackoff(always(chance), { baseMs, maxMs, factor });
        for (let attempt = 0; attempt < 2000; attempt++) {
          const ceilingMs = Math.min(maxMs, baseMs * factor ** attempt);
          const delayMs = backoff.next();
          expect(delayMs >= 0 && delayMs <= ceilingMs * (1 + 1e-9)).toBe(true);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('spreads delays evenly', () => {
    let at = 0;
    const backoff = createBackoff({ random: () => (at++ % 10) / 10 }, { baseMs: 10, maxMs: 10 });
    expect(Array.from({ length: 10 }, () => Math.round(backoff.next()))).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    ]);
  });

  it('refuses delays that make no sense', () => {
    const options = [
      { baseMs: 0, maxMs: 1 },
      { baseMs: 2, maxMs: 1 },
      { baseMs: Number.NaN, maxMs: 1 },
    ];
    for (const option of options) expect(() => createBackoff(always(0), option)).toThrow('baseMs: ');
    expect(() => createBackoff(always(0), { baseMs: 1, maxMs: 1, factor: 0.5 })).toThrow('factor: ');
  });
});
