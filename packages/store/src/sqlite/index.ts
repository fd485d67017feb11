/**
 * `@mosaik/store/sqlite`: logs and snapshots in a file, by Node's own SQLite. What is acknowledged survives the loss of power;
 * a file that is damaged, of another format or in use is refused by name. See {@link sqlite}.
 */
import { resolve } from 'node:path';
import { type Runtime, systemRuntime } from '@mosaik/primitives';
import type { LogStore } from '../log/log-storage.ts';
import type { SqliteTestOptions } from './messages.ts';
import { SqliteLogStore } from './sqlite-store.ts';

export interface SqliteOptions extends SqliteTestOptions {
  /** Where chance comes from. Default the system's. */
  readonly runtime?: Pick<Runtime, 'randomBytes'> | undefined;
}

/**
 * Keeps any number of logs, and snapshots of folds, in a file at `path`, with `<path>-wal`, `-shm`, `-mark` and `-lock` beside
 * it: only with the first and the third is it the store. Where it is not there it is made; its folder must be.
 *
 * SQLite in WAL mode with `synchronous=FULL`: a thread that writes, one fsync for all blocks that wait, and a thread that
 * reads, neither of which waits for the other. Nothing is opened, and no thread runs, before the store is used.
 *
 * A block of a log that is damaged is refused when it is read (`damaged`, with the offsets that it covers); what is before and
 * after it stays readable. When the disk is full what waits to be appended is refused (`io`), and nothing is lost that was
 * acknowledged; logs go on when they are closed and opened again.
 */
export function sqlite(path: string, options: SqliteOptions = {}): LogStore {
  const { runtime = systemRuntime, ...test } = options;
  return new SqliteLogStore({ path: resolve(path), runtime, ...test });
}
