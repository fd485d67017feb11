import { defineProject } from 'vitest/config';

export default defineProject({
  test: { name: 'mosaik', include: ['test/**/*.test.ts'] },
});
