import { logStoreCompliance } from '../../src/compliance/index.ts';
import { memory } from '../../src/index.ts';

logStoreCompliance('memory()', () => ({ run: (test) => test({ create: () => memory() }) }));
