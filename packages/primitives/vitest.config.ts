import { defineProject } from 'vitest/config';

export default defineProject({
  test: { name: 'primitives', include: ['test/**/*.test.ts'] },
});
