import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logStoreCompliance } from '../../src/compliance/index.ts';
import type { LogStore } from '../../src/index.ts';
import { sqlite } from '../../src/sqlite/index.ts';

logStoreCompliance('sqlite(path)', () => ({
  canShare: true,
  run: async (test) => {
    const folder = mkdtempSync(join(tmpdir(), 'mosaik-store-'));
    const paths = new Map<LogStore, string>();
    const create = (path = join(folder, `${paths.size}.db`)): LogStore => {
      const store = sqlite(path);
      paths.set(store, path);
      return store;
    };
    try {
      await test({ create: () => create(), again: (store) => create(paths.get(store)) });
    } finally {
      await Promise.all(Array.from(paths.keys(), (store) => store.close()));
      rmSync(folder, { recursive: true });
    }
  },
}));
