import { defineProject } from 'vitest/config';

export default defineProject({
  test: {
    name: 'integration',
    include: ['test/**/*.test.ts'],
    // Each test has deadlines of its own, which say what was waited for; this one is the last resort.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Of those of one file that may: most of the time processes wait for each other, and a machine may have two cores.
    maxConcurrency: 2,
  },
});
