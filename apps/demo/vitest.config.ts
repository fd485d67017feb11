import { processTests } from '../../tools/vitest/projects.ts';

export default processTests('demo');
