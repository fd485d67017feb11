/**
 * `@mosaik/groups/sqlite`: a log in a file, by Node's own SQLite. What is acknowledged survives the loss of power; a file
 * that is damaged, of another group or in use is refused by name. See {@link sqlite}.
 */
import { resolve } from 'node:path';
import { createIncarnation } from '../storage/incarnation.ts';
import type { LogStorage, OpenOptions, Storage } from '../storage/storage.ts';
import type { Opened } from './messages.ts';
import type { HoldPoint, KillPoint } from './points.ts';
import { acquirePort } from './pool.ts';
import { SqliteLog } from './sqlite-log.ts';

/** What tests may do besides; no part of the public contract. */
export interface SqliteTestOptions {
  readonly killAt?: KillPoint | undefined;
  readonly holdAt?: HoldPoint | undefined;
}

/**
 * The log of one group in a file at `path`, with `<path>-wal` and `<path>-mark` beside it: only together are they the log.
 * Where `path` is not there it is made; its folder must be.
 *
 * SQLite in WAL mode with `synchronous=FULL`, in a worker thread, one fsync for all writes that wait. Logs share up to four
 * such threads.
 */
export function sqlite(path: string, options: SqliteTestOptions = {}): Storage {
  const where = resolve(path);
  return {
    durability: 'fsync',
    description: `SQLite at ${where}`,
    open: (opening) => open(where, opening, options),
    setAside: (reason) => putAside(where, reason, options.killAt),
  };
}

async function open(
  where: string,
  { group, runtime }: OpenOptions,
  { killAt, holdAt }: SqliteTestOptions,
): Promise<LogStorage> {
  const port = acquirePort(where);
  const incarnation = createIncarnation(runtime);
  try {
    const opened = await port.send({ kind: 'open', path: where, group, incarnation, killAt, holdAt });
    return new SqliteLog(where, port, opened as Opened);
  } catch (thrown) {
    port.release();
    throw thrown;
  }
}

async function putAside(
  where: string,
  suffix: string,
  killAt: KillPoint | undefined,
): Promise<string | undefined> {
  const port = acquirePort(where);
  try {
    return (await port.send({ kind: 'setAside', path: where, suffix, killAt })) as string | undefined;
  } finally {
    port.release();
  }
}
