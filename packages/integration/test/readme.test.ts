import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Example, examples, runExample } from './support/readme.ts';

const DEADLINE_MS = 20_000;

/** Some examples show tests: those are run by a runner of tests. */
const isTest = (example: Example): boolean => example.code.includes("from 'vitest'");

describe('the example in the README', () => {
  it('is there for the packages that one starts with', () => {
    const names = examples().map((example) => example.package);
    expect(names).toEqual(expect.arrayContaining(['primitives', 'transport', 'the whole']));
  });

  it.concurrent.each(examples().filter((example) => !isTest(example)))(
    'of $package runs, and prints what it says',
    async (example) => {
      const { code, stdout, stderr } = await runExample(example, DEADLINE_MS);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      if (example.prints !== undefined) expect(stdout).toBe(example.prints);
    },
  );

  it.each(examples().filter(isTest))('of $package is a test, and the package runs it', (example) => {
    expect(existsSync(join(example.folder, 'test/readme.test.ts'))).toBe(true);
  });
});
