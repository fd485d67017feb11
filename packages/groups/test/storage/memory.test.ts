import { systemRuntime } from '@mosaik/primitives';
import { storageCompliance } from '../../src/storage/compliance/index.ts';
import { memory } from '../../src/storage/memory.ts';

storageCompliance('memory()', () => ({
  run: (test) => test({ runtime: systemRuntime, create: () => memory() }),
}));
