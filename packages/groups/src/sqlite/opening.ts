/** Opens the database of a log: makes it where there is none, refuses what is not right, verifies what is there. */
import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { HardState, LogIndex, LogPosition, Term } from '../raft/types.ts';
import {
  FailureError,
  failureOfOurs,
  isNewDatabase,
  Mark,
  type MarkContent,
  numberOf,
  readMark,
} from '../sqlite-kit/index.ts';
import type { TermRun } from '../storage/shape.ts';
import { decodeSnapshot } from '../storage/snapshot-codec.ts';
import { damaged, type Failure, failureOf } from './failure.ts';
import {
  APPLICATION_ID,
  checked,
  decodeEntries,
  decodeHead,
  encodeHead,
  FORMAT_VERSION,
  type Head,
} from './layout.ts';
import type { Opened, OpenWork } from './messages.ts';
import type { Reach } from './points.ts';
import { chunkRange, createTables, prepareAll, type RunRow, type Statements, snapshotOf } from './schema.ts';

/** A database that is open and found to be well. */
export interface OpenDatabase {
  readonly database: DatabaseSync;
  readonly statements: Statements;
  readonly mark: Mark;
  readonly head: Head;
  readonly opened: Opened;
}

/** Of `PRAGMA synchronous`. */
const SYNCHRONOUS_FULL = 2;

const NEW: { readonly hardState: HardState; readonly base: LogPosition } = {
  hardState: { term: 0 as Term, vote: undefined },
  base: { index: 0 as LogIndex, term: 0 as Term },
};

/** @throws {FailureError}, or what SQLite throws. */
export function openDatabase(work: OpenWork, reach: Reach): OpenDatabase {
  const marked = readMark(work.path);
  if (marked !== undefined && !existsSync(work.path))
    throw damaged('the database is missing, its mark is there');
  try {
    return openMarked(work, { marked, reach });
  } catch (thrown) {
    if (marked === undefined || thrown instanceof FailureError) throw thrown;
    throw new FailureError(failureOfOurs(work.path, thrown));
  }
}

interface OpenContext {
  readonly marked: MarkContent | undefined;
  readonly reach: Reach;
}

function openMarked(work: OpenWork, context: OpenContext): OpenDatabase {
  const database = connect(work.path, context.marked);
  try {
    return verified(database, work, context);
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

/** The database, locked against others. */
function connect(path: string, marked: MarkContent | undefined): DatabaseSync {
  const isThere = existsSync(path) && statSync(path).size > 0;
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    const markedVersion = marked?.format;
    // Before anything is written: a file of something else stays as it is.
    if (isThere)
      isNewDatabase(database, {
        what: 'log',
        applicationId: APPLICATION_ID,
        version: FORMAT_VERSION,
        markedVersion,
      });
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON');
    database.exec('PRAGMA trusted_schema = OFF; PRAGMA journal_size_limit = 16777216');
    requireDurable(database);
    return database;
  } catch (thrown) {
    database.close();
    const failure = failureOf(thrown);
    // A file that never was a database is not damaged: it is somebody else's.
    if (failure.kind !== 'damaged' || marked !== undefined) throw thrown;
    throw new FailureError({ kind: 'format', detail: `not a log: ${failure.detail}` });
  }
}

/**
 * SQLite does not refuse what it cannot do, but does something else.
 *
 * @throws {FailureError} when a commit of this connection would not be one fsync of the write-ahead log.
 */
export function requireDurable(database: DatabaseSync): void {
  const { journal_mode: journal } = database.prepare('PRAGMA journal_mode').get() as { journal_mode: string };
  const synchronous = numberOf(database, 'PRAGMA synchronous');
  if (journal === 'wal' && synchronous === SYNCHRONOUS_FULL) return;
  const detail = `SQLite writes with journal_mode ${journal} and synchronous ${synchronous}, not as it was told`;
  throw new FailureError({ kind: 'io', detail });
}

function countTables(database: DatabaseSync): number {
  return numberOf(database, 'SELECT count(*) FROM sqlite_schema');
}

function verified(database: DatabaseSync, work: OpenWork, { marked, reach }: OpenContext): OpenDatabase {
  if (countTables(database) === 0) create(database, work, { marked, reach });
  reach('created');
  requireSound(database);
  const statements = prepareAll(database);
  const head = readHead(statements);
  if (head.group !== work.group) {
    throw new FailureError<Failure>({ kind: 'group', expected: work.group, found: head.group });
  }
  requireMarked(head, marked);
  const runs = verifyRuns(statements, head);
  const { snapshot, nextSnapshot } = verifySnapshot(statements, head, reach);
  // A process that was killed may have written what it had not synced: what is recovered is acted upon, and must be durable.
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  reach('checkpointed');
  const { incarnation, hardState, base, lastIndex, sequence } = head;
  const commit = head.commit;
  const content = { format: FORMAT_VERSION, owner: incarnation, sequence };
  const mark = new Mark(work.path, content, () => reach('marking'));
  const opened: Opened = { incarnation, hardState, base, lastIndex, runs, commit, snapshot, nextSnapshot };
  return { database, statements, mark, head, opened };
}

function create(database: DatabaseSync, work: OpenWork, { marked, reach }: OpenContext): void {
  if (marked !== undefined) throw damaged('the database is empty, its mark is there');
  const { group, incarnation } = work;
  database.exec('BEGIN EXCLUSIVE');
  createTables(database);
  const head: Head = {
    group,
    incarnation,
    sequence: 1,
    ...NEW,
    lastIndex: NEW.base.index,
    commit: NEW.base.index,
    snapshot: 0,
  };
  database.prepare('INSERT INTO head (id, bytes) VALUES (1, ?)').run(encodeHead(head));
  reach('creating');
  database.exec('COMMIT');
}

/** What SQLite itself can tell: pages that are used twice, lists that do not end, rows out of order. */
function requireSound(database: DatabaseSync): void {
  const [first] = database.prepare('PRAGMA quick_check(1)').all();
  const text = String(Object.values(first ?? {})[0]);
  if (text !== 'ok') throw damaged(text);
}

function readHead(statements: Statements): Head {
  const row = statements.getHead.get() as { bytes: unknown } | undefined;
  if (!(row?.bytes instanceof Uint8Array)) throw damaged('the head is missing');
  return decodeHead(row.bytes);
}

function requireMarked(head: Head, marked: MarkContent | undefined): void {
  if (marked === undefined) {
    // A crash right after the log was made, before its mark was.
    if (head.sequence > 1) throw damaged('its mark is missing');
    return;
  }
  if (marked.owner !== head.incarnation) throw damaged('its mark is of another log');
  if (marked.sequence > head.sequence) {
    const lost = marked.sequence - head.sequence;
    throw damaged(`${lost} writes that were acknowledged are gone`);
  }
}

/** Reads all entries; returns their terms. */
function verifyRuns(statements: Statements, { base, lastIndex }: Head): readonly TermRun[] {
  const terms: TermRun[] = [];
  let last: LogPosition | undefined;
  for (const row of statements.allRuns.iterate()) {
    for (const { index, term } of entriesIn(row as unknown as RunRow)) {
      requireNext({ index, term }, last, base);
      if (index > base.index && terms.at(-1)?.term !== term) terms.push({ first: index, term });
      last = { index, term };
    }
  }
  if ((last?.index ?? base.index) !== lastIndex) throw damaged(`entries up to ${lastIndex} are missing`);
  return terms;
}

function requireNext({ index, term }: LogPosition, last: LogPosition | undefined, base: LogPosition): void {
  const isNext = last === undefined ? index <= base.index + 1 : index === last.index + 1;
  if (!isNext) throw damaged(`entries before ${index} are missing`);
  if (term < (last?.term ?? 0)) throw damaged(`the term falls at entry ${index}`);
  if (index === base.index && term !== base.term) throw damaged(`entry ${index} is of another history`);
}

/** The entries of a row, verified against what it says of itself. */
function* entriesIn(row: RunRow): Generator<LogPosition, void, void> {
  let next = row.first;
  for (const { index, term } of decodeEntries(row.bytes)) {
    if (index !== next) throw damaged(`entry ${index} is where ${next} belongs`);
    next++;
    yield { index, term };
  }
  if (next !== row.last + 1) throw damaged(`entries ${next} to ${row.last} are missing`);
}

/** Reads what the snapshot is, and removes what is left of others. */
function verifySnapshot(
  statements: Statements,
  head: Head,
  reach: Reach,
): Pick<Opened, 'snapshot' | 'nextSnapshot'> {
  const number = head.snapshot;
  const { key } = statements.lastChunk.get() as { key: number | null };
  const nextSnapshot = Math.max(number, key === null ? 0 : snapshotOf(key)) + 1;
  statements.begin.run();
  statements.dropChunksBut.run(...chunkRange(number));
  statements.dropSnapshotsBut.run(number);
  reach('cleaning');
  statements.commit.run();
  reach('cleaned');
  if (number === 0) {
    if (head.base.index > 0) throw damaged('the snapshot before the first entry is missing');
    return { snapshot: undefined, nextSnapshot };
  }
  const row = statements.getSnapshot.get(number) as { bytes: Uint8Array } | undefined;
  if (row === undefined) throw damaged('the snapshot is missing');
  const { meta, manifest } = decodeSnapshot(checked(row.bytes));
  if (meta.index < head.base.index) throw damaged('the snapshot is older than the first entry');
  const { count } = statements.countChunks.get(...chunkRange(number)) as { count: number };
  if (count !== manifest.chunkHashes.length) throw damaged('chunks of the snapshot are missing');
  return { snapshot: { number, record: row.bytes }, nextSnapshot };
}
