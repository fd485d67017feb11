import { defineConfig } from 'vitest/config';
import LongestFirst from './tools/vitest/sequencer.ts';

export default defineConfig({
  test: {
    projects: ['packages/*', 'apps/*', 'tools'],
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './tools/vitest/summary.ts'],
  },
});
