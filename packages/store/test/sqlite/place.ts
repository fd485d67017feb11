import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogStore } from '../../src/log/log-storage.ts';
import { type SqliteOptions, sqlite } from '../../src/sqlite/index.ts';

/** A folder for stores; it is gone, and they are closed, in the end. */
export interface Place extends AsyncDisposable {
  readonly path: string;
  open(options?: SqliteOptions): LogStore;
}

export function createPlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'mosaik-store-'));
  const path = join(folder, 'store.db');
  const stores: LogStore[] = [];
  return {
    path,
    open: (options) => {
      const store = sqlite(path, options);
      stores.push(store);
      return store;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(stores.map((store) => store.close()));
      rmSync(folder, { recursive: true });
    },
  };
}
