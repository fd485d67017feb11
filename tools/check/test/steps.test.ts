import { describe, expect, it } from 'vitest';
import { stepsOf } from '../steps.ts';

const namesOf = (options: { fix: boolean; perf: boolean }): string[] =>
  stepsOf(options).map(({ name }) => name);

describe('the steps of a check', () => {
  it('leave the benchmarks out unless they are asked for', () => {
    expect(namesOf({ fix: false, perf: false })).not.toContain('perf');
    expect(namesOf({ fix: false, perf: true }).at(-1)).toBe('perf');
  });

  it('measure last and alone, and fix first and alone', () => {
    const placed = (options: { fix: boolean; perf: boolean }) =>
      stepsOf(options).flatMap(({ name, alone }) => (alone === undefined ? [] : [[name, alone]]));
    expect(placed({ fix: false, perf: false })).toEqual([]);
    expect(placed({ fix: true, perf: true })).toEqual([
      ['lint', 'first'],
      ['perf', 'last'],
    ]);
  });
});
