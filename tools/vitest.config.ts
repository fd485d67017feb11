import { unitTests } from './vitest/projects.ts';

export default unitTests('tools', ['*/test/**/*.test.ts']);
