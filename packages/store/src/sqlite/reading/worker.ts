/** The thread that reads, on a connection of its own: neither waits for the other. */
import { DatabaseSync } from 'node:sqlite';
import { type Reply, type Request, rollBack, serve } from '@mosaik/groups/sqlite-kit';
import { invariant } from '@mosaik/primitives';
import type { KeptBlock } from '../../log/log-storage.ts';
import { type Failure, failureOf } from '../failure.ts';
import type { ReaderValue, ReaderWork } from '../messages.ts';
import { Records } from '../records.ts';
import { readSnapshot } from '../snapshot-table.ts';
import { LogReader } from './log-reader.ts';

/** Waited for a moment in which the writer lets nobody in: it makes the write-ahead log begin anew. */
const BUSY_TIMEOUT_MS = 5_000;

let database: DatabaseSync | undefined;
let records: Records | undefined;
const logs = new Map<number, LogReader>();

serve<ReaderWork, ReaderValue, Failure>((requests, reply) => {
  for (const request of requests) {
    const answered = answer(request);
    reply([answered], buffersOf(answered));
  }
});

function answer({ id, work }: Request<ReaderWork>): Reply<ReaderValue, Failure> {
  try {
    if (work.kind === 'open') {
      database = new DatabaseSync(work.path, { readOnly: true });
      database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
      records = new Records(database, { isReadOnly: true });
      return { id, value: undefined };
    }
    if (work.kind === 'close') close();
    else return { id, value: inTransaction(() => perform(work)) };
    return { id, value: undefined };
  } catch (thrown) {
    return { id, failure: failureOf(thrown) };
  }
}

/** For the next store. */
function close(): void {
  logs.clear();
  records = undefined;
  database?.close();
  database = undefined;
}

/** Everything that one answer is made of is of one moment. */
function inTransaction<T>(read: () => T): T {
  const open = opened().database;
  open.exec('BEGIN');
  try {
    return read();
  } finally {
    rollBack(open);
  }
}

function perform(work: Exclude<ReaderWork, { kind: 'open' | 'close' }>): ReaderValue {
  const open = opened();
  if (work.kind === 'load') {
    const saved = new Map(open.records.snapshots.folds).get(work.fold);
    return saved === undefined ? undefined : readSnapshot(open.database, saved);
  }
  const record = open.records.log(work.log);
  const bounds = { record, end: work.end };
  const log = readerOf(work.log);
  switch (work.kind) {
    case 'read':
      return log.read(bounds, work.from, work.maxBytes);
    case 'offsetAt':
      return log.offsetAt(bounds, work.timeMs);
    case 'offsetWithin':
      return log.offsetWithin(bounds, work.maxBytes);
  }
}

function readerOf(log: number): LogReader {
  let reader = logs.get(log);
  if (reader === undefined) {
    reader = new LogReader(opened().database, log);
    logs.set(log, reader);
  }
  return reader;
}

function opened(): { readonly database: DatabaseSync; readonly records: Records } {
  invariant(database !== undefined && records !== undefined, 'the reader is opened first');
  return { database, records };
}

function buffersOf(reply: Reply<ReaderValue, Failure>): ArrayBuffer[] {
  if (reply.failure !== undefined) return [];
  const { value } = reply;
  if (value instanceof Uint8Array) return [value.buffer];
  if (!Array.isArray(value)) return [];
  return (value as readonly KeptBlock[]).map(({ bytes }) => bytes.buffer as ArrayBuffer);
}
