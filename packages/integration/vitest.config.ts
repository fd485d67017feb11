import { defineProject } from 'vitest/config';

export default defineProject({
  // Each test has deadlines of its own, which say what was waited for; this one is the last resort.
  test: { name: 'integration', include: ['test/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
});
