import { describe, expect, it } from 'vitest';
import { formatGrowth, type Growth, isOfGrowth } from '../src/growth.ts';
import { resultOf } from '../src/result.ts';

const growth: Growth = {
  title: 'apples',
  sizes: [1, 2, 4],
  columns: [
    { title: 'rate', nameOf: (size) => `a/${size}` },
    { title: 'cost', nameOf: (size) => `a/${size}-cost` },
  ],
};

const result = (name: string, ours: number) =>
  resultOf({ name, unit: 'x', peerName: 'them' }, [{ ours, peer: undefined }]);

describe('a table of growth', () => {
  it('has a line for each size, with what it is of the first one', () => {
    const results = [result('a/1', 100), result('a/1-cost', 2), result('a/2', 150), result('a/2-cost', 5)];
    const lines = formatGrowth(growth, results)?.split('\n') ?? [];
    expect(lines[0]).toBe('apples');
    expect(lines[2]).toMatch(/rate.*cost/);
    expect(lines[4]).toMatch(/1 │ +100 \(× 1\.00\) │ +2\.00 \(× 1\.00\)/);
    expect(lines[5]).toMatch(/2 │ +150 \(× 1\.50\) │ +5\.00 \(× 2\.50\)/);
    expect(lines).toHaveLength(7);
  });

  it('is not there when nothing of it was measured', () => {
    expect(formatGrowth(growth, [result('b/1', 1)])).toBeUndefined();
  });

  it('knows which results are its own', () => {
    expect(isOfGrowth('a/4-cost', [growth])).toBe(true);
    expect(isOfGrowth('a/3', [growth])).toBe(false);
  });
});
