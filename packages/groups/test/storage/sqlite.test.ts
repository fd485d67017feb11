import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRuntime } from '@mosaik/primitives';
import { sqlite } from '../../src/sqlite/index.ts';
import { storageCompliance } from '../../src/storage/compliance/index.ts';
import type { Storage } from '../../src/storage/storage.ts';

storageCompliance('sqlite(path)', () => ({
  canShare: true,
  run: async (test) => {
    const folder = mkdtempSync(join(tmpdir(), 'mosaik-log-'));
    const paths = new Map<Storage, string>();
    const create = (path = join(folder, `${paths.size}.db`)): Storage => {
      const storage = sqlite(path);
      paths.set(storage, path);
      return storage;
    };
    try {
      await test({
        runtime: systemRuntime,
        create: () => create(),
        again: (storage) => create(paths.get(storage)),
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
}));
