import type { DatabaseSync } from 'node:sqlite';
import { FailureError } from './failure.ts';

const SQLITE_ERROR = 1;

/** How a database is known as one of ours. */
export interface FormatOptions {
  /** What it holds, for messages: `log`. */
  readonly what: string;
  /** SQLite's `application_id`. */
  readonly applicationId: number;
  /** SQLite's `user_version`. */
  readonly version: number;
  /** What the mark beside it says of its format; undefined when there is none. */
  readonly markedVersion: number | undefined;
}

/**
 * Whether nothing is in a database yet; to be asked before anything is written, so that a file of something else stays as it is.
 *
 * @throws {FailureError} when it is none of ours, of another format, or no more what was written.
 */
export function isNewDatabase(database: DatabaseSync, options: FormatOptions): boolean {
  const { what, applicationId, version, markedVersion } = options;
  const found = {
    application: numberOf(database, 'PRAGMA application_id'),
    version: numberOf(database, 'PRAGMA user_version'),
    tables: numberOf(database, 'SELECT count(*) FROM sqlite_schema'),
  };
  if (found.application === applicationId && found.version === version) return found.tables === 0;
  const isBlank = found.application === 0 && found.version === 0 && found.tables === 0;
  if (isBlank && markedVersion === undefined) return true;
  if (markedVersion === version) {
    throw failed('damaged', 'the header of the database is not the one that was written');
  }
  if (found.application !== applicationId) throw failed('format', `not a ${what}, but another database`);
  throw failed('format', `a ${what} of format ${found.version}; this release reads format ${version}`);
}

/** Undoes a transaction, if SQLite has not done so itself. */
export function rollBack(database: DatabaseSync): void {
  // Older releases of Node cannot be asked: a rollback without a transaction is refused, and nothing else happens.
  if (database.isTransaction === false) return;
  try {
    database.exec('ROLLBACK');
  } catch (thrown) {
    if ((thrown as { errcode?: number }).errcode !== SQLITE_ERROR) throw thrown;
  }
}

/** The first value that a statement gives, as a number. */
export function numberOf(database: DatabaseSync, sql: string): number {
  const row = database.prepare(sql).get() as Record<string, unknown> | undefined;
  return Number(Object.values(row ?? {})[0]);
}

function failed(kind: 'damaged' | 'format', detail: string): FailureError {
  return new FailureError({ kind, detail });
}
