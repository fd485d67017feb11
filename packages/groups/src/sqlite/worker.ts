/**
 * The thread that writes: SQLite is synchronous, and an fsync takes milliseconds that heartbeats do not have. Whatever has
 * arrived while the disk was busy is one transaction.
 */
import { invariant } from '@mosaik/primitives';
import { killerAt, type Reply, type Request, serve } from '../sqlite-kit/index.ts';
import { setAside } from './aside.ts';
import { type Failure, failureOf } from './failure.ts';
import { LogDatabase } from './log-database.ts';
import type { LogWork, OpenWork, SetAsideWork, Value, WorkerWork } from './messages.ts';

type LogReply = Reply<Value, Failure>;

const logs = new Map<number, LogDatabase>();

serve<WorkerWork, Value, Failure>((requests, reply) => {
  // In the order in which they first came; what is of one log keeps its order.
  for (const [log, own] of Map.groupBy(requests, ({ work }) => work.log)) {
    const replies = answer(log, own);
    reply(replies, replies.flatMap(buffersOf));
  }
});

function answer(log: number, requests: readonly Request<WorkerWork>[]): readonly LogReply[] {
  const replies: LogReply[] = [];
  let works: Request<LogWork>[] = [];
  for (const { id, work } of requests) {
    if (work.kind === 'open' || work.kind === 'setAside') {
      replies.push(doAlone(log, { id, work }));
      continue;
    }
    works.push({ id, work });
    if (work.kind !== 'close') continue;
    replies.push(...doAll(log, works));
    works = [];
    logs.get(log)?.close();
    logs.delete(log);
  }
  if (works.length > 0) replies.push(...doAll(log, works));
  return replies;
}

function doAlone(log: number, { id, work }: Request<OpenWork | SetAsideWork>): LogReply {
  try {
    if (work.kind === 'setAside') return { id, value: setAside(work, killerAt(work.killAt)) };
    const database = new LogDatabase(work);
    logs.set(log, database);
    return { id, value: database.opened };
  } catch (thrown) {
    return { id, failure: failureOf(thrown) };
  }
}

function doAll(log: number, requests: readonly Request<LogWork>[]): readonly LogReply[] {
  const database = logs.get(log);
  invariant(database !== undefined, 'work is only sent for a log that is open');
  const results = database.run(requests.map(({ work }) => work));
  return results.map((result, at) => ({ id: (requests[at] as Request<LogWork>).id, ...result }));
}

/** What can be handed over instead of copied. */
function buffersOf(reply: LogReply): ArrayBuffer[] {
  if (!('value' in reply) || !Array.isArray(reply.value)) return [];
  const chunks = reply.value as readonly Uint8Array<ArrayBuffer>[];
  return chunks
    .filter(({ buffer, byteLength }) => buffer.byteLength === byteLength)
    .map(({ buffer }) => buffer);
}
