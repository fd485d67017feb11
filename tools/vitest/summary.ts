// Ends a test run with one line over all projects, for people who scroll and for scripts: `N passed, N failed`.

import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';

export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

export default class SummaryReporter implements Reporter {
  #line: string | undefined;

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const tally = tallyOf(modules);
    // An error outside of any test also makes the run red, so it must show in the count.
    tally.failed += unhandledErrors.length;
    // The default reporter writes its summary after this event; ours is to be the last line.
    if (this.#line === undefined) process.once('exit', () => process.stdout.write(`\n${this.#line}\n`));
    this.#line = lineOf(tally);
  }
}

/** Counts tests, and as one failure each file or suite that broke before its tests could run. */
export function tallyOf(modules: readonly TestModule[]): Tally {
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  for (const module of modules) {
    tally.failed += module.errors().length;
    for (const suite of module.children.allSuites()) tally.failed += suite.errors().length;
    for (const test of module.children.allTests()) count(tally, test);
  }
  return tally;
}

function count(tally: Tally, test: TestCase): void {
  const { state } = test.result();
  if (state === 'passed') tally.passed += 1;
  else if (state === 'failed') tally.failed += 1;
  else tally.skipped += 1;
}

export function lineOf({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
