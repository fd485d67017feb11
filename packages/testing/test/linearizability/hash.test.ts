import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEqual } from '../../src/linearizability/equal.ts';
import { hashOf } from '../../src/linearizability/hash.ts';

const anything = fc.anything({ withMap: true, withSet: true, withTypedArray: true, withBigInt: true });

describe('the hash of a state', () => {
  it('is the same for equal ones', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const copy = structuredClone(value);
        // What a clone does not keep, such as an object without a prototype, is another state.
        if (isEqual(value, copy)) expect(hashOf(copy)).toBe(hashOf(value));
      }),
      { numRuns: 2_000 },
    );
    expect(hashOf({ a: 1, b: [2] })).toBe(hashOf({ b: [2], a: 1, c: undefined }));
    expect(
      hashOf(
        new Map([
          [1, 2],
          [3, 4],
        ]),
      ),
    ).toBe(
      hashOf(
        new Map([
          [3, 4],
          [1, 2],
        ]),
      ),
    );
    expect(hashOf(-0)).toBe(hashOf(0));
  });

  it('differs for nearly all others', () => {
    const lists = Array.from({ length: 20_000 }, (_, index) => index.toString(7).split('').map(Number));
    expect(new Set(lists.map(hashOf)).size).toBeGreaterThan(19_900);
    const records = Array.from({ length: 20_000 }, (_, index) => ({ x: index % 141, y: index }));
    expect(new Set(records.map(hashOf)).size).toBeGreaterThan(19_900);
  });
});

describe('equality of states', () => {
  it('is by structure', () => {
    expect(isEqual({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] })).toBe(true);
    expect(isEqual({ a: 1, b: undefined }, { a: 1 })).toBe(true);
    expect(isEqual(new Uint8Array([1, 2]), new Uint8Array([1, 2]))).toBe(true);
    expect(isEqual(Number.NaN, Number.NaN)).toBe(true);
    const pairs = [
      [
        [1, 2],
        [2, 1],
      ],
      [[1], { 0: 1 }],
      [{ a: 1 }, { b: 1 }],
      [{ a: 1 }, { a: 1, b: 2 }],
      [new Map([[1, 2]]), new Map([[1, 3]])],
      [new Set([1]), new Set([2])],
      [null, undefined],
      ['1', 1],
    ];
    for (const [a, b] of pairs) {
      expect(isEqual(a, b)).toBe(false);
      expect(isEqual(b, a)).toBe(false);
    }
  });
});
