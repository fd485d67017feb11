import { unitTests } from '../../tools/vitest/projects.ts';

export default unitTests('primitives');
