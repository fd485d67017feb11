/** Puts the files of a log aside. */
import { existsSync, renameSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { FailureError, markPath, syncFolderOf } from '../sqlite-kit/index.ts';
import { type Failure, failureOf } from './failure.ts';

/**
 * Renames a log, so that there is none any more; returns its new path, undefined when there was none.
 *
 * @throws {FailureError} `locked` when it is open.
 */
export function setAside(path: string, suffix: string): string | undefined {
  if (![path, markPath(path)].some((file) => existsSync(file))) return undefined;
  requireUnlocked(path);
  const target = freePath(path, suffix);
  // The database last: as long as it is there without the others it is found to be damaged, and put aside again.
  for (const ending of ['-wal', '-journal', '-mark', '']) {
    if (existsSync(path + ending)) renameSync(path + ending, target + ending);
  }
  syncFolderOf(path);
  return target;
}

function requireUnlocked(path: string): void {
  if (!existsSync(path)) return;
  try {
    const database = new DatabaseSync(path);
    try {
      database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; ROLLBACK');
    } finally {
      database.close();
    }
  } catch (thrown) {
    const failure = failureOf(thrown);
    if (failure.kind === 'locked') throw new FailureError<Failure>(failure);
    // Whatever else is wrong with it: this is what it is put aside for.
  }
}

function freePath(path: string, suffix: string): string {
  for (let count = 1; ; count++) {
    const candidate = `${path}.${suffix}-${count}`;
    if (!existsSync(candidate) && !existsSync(markPath(candidate))) return candidate;
  }
}
