import { defineProject } from 'vitest/config';

export default defineProject({
  test: { name: 'discovery', include: ['test/**/*.test.ts'] },
});
