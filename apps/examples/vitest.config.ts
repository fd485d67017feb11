import { processTests } from '../../tools/vitest/projects.ts';

export default processTests('examples', ['test/**/*.test.ts', '*/test/**/*.test.ts']);
