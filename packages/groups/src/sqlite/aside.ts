/** Puts the files of a log aside. */
import { existsSync, renameSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { FailureError, markPath, syncFolderOf } from '../sqlite-kit/index.ts';
import { type Failure, failureOf } from './failure.ts';
import { ASIDE_POINT, type Reach } from './points.ts';

/** What SQLite has of a log, by the endings of the names. */
const FILES = ['-wal', '-journal', ''];
const MARK = markPath('');

/** Which log, and what is put behind its name. */
interface Place {
  readonly path: string;
  readonly suffix: string;
}

/**
 * Renames a log, so that there is none any more; returns its new path, undefined when there was none.
 *
 * @throws {FailureError} `locked` when it is open.
 */
export function setAside({ path, suffix }: Place, reach: Reach): string | undefined {
  if (![path, markPath(path)].some((file) => existsSync(file))) return undefined;
  requireUnlocked(path);
  const target = freePath(path, suffix);
  // The mark last: as long as it is there without the others they are found to be damaged, and it is put aside again.
  for (const endings of [FILES, [MARK]]) {
    for (const ending of endings.filter((each) => existsSync(path + each))) {
      renameSync(path + ending, target + ending);
      reach(ASIDE_POINT);
    }
    syncFolderOf(path);
  }
  return target;
}

function requireUnlocked(path: string): void {
  if (!existsSync(path)) return;
  try {
    // Only to read: SQLite would move the write-ahead log into the database when it closes it, and delete what is damaged of it.
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      database.exec('PRAGMA locking_mode = EXCLUSIVE; SELECT count(*) FROM sqlite_schema');
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
    // Also of one that was put aside in part, before a crash.
    if (![...FILES, MARK].some((ending) => existsSync(candidate + ending))) return candidate;
  }
}
