import { availableParallelism } from 'node:os';
import { defineProject, type UserWorkspaceConfig } from 'vitest/config';

const INCLUDE = ['test/**/*.test.ts'];

/** Tests that compute: as many at once as there are cores, and no deadline that a busy machine could miss. */
export function unitTests(name: string, include: readonly string[] = INCLUDE): UserWorkspaceConfig {
  return defineProject({
    test: {
      name,
      include: [...include],
      testTimeout: 30_000,
      maxWorkers: Math.max(2, availableParallelism() - 1),
      sequence: { groupOrder: 0 },
    },
  });
}

/**
 * Tests that start processes and mostly wait for them: two files at a time, when nothing else runs. Each has deadlines of its
 * own, which say what was waited for; the one here is the last resort.
 */
export function processTests(name: string, include: readonly string[] = INCLUDE): UserWorkspaceConfig {
  return defineProject({
    test: {
      name,
      include: [...include],
      testTimeout: 60_000,
      hookTimeout: 60_000,
      maxWorkers: 2,
      // Of those of one file that may: most of the time processes wait for each other, and a machine may have two cores.
      maxConcurrency: 2,
      sequence: { groupOrder: 1 },
    },
  });
}
