import { expect, test } from 'vitest';
import type { TestModule } from 'vitest/node';
import { lineOf, tallyOf } from '../summary.ts';

function moduleOf(states: string[], errors = 0, suiteErrors = 0): TestModule {
  const suites = [{ errors: () => new Array(suiteErrors) }];
  const tests = states.map((state) => ({ result: () => ({ state }) }));
  const module = {
    errors: () => new Array(errors),
    children: { allSuites: () => suites, allTests: () => tests },
  };
  return module as unknown as TestModule;
}

test('sums the tests of all modules', () => {
  const tally = tallyOf([moduleOf(['passed', 'failed']), moduleOf(['passed', 'skipped'])]);
  expect(lineOf(tally)).toBe('2 passed, 1 failed, 1 skipped');
});

test('leaves skipped out when there are none', () => {
  expect(lineOf(tallyOf([moduleOf(['passed'])]))).toBe('1 passed, 0 failed');
});

test('counts a module or suite that could not run as failed', () => {
  expect(tallyOf([moduleOf([], 1), moduleOf(['passed'], 0, 1)])).toEqual({
    passed: 1,
    failed: 2,
    skipped: 0,
  });
});
