/**
 * The thread that writes: SQLite is synchronous, and an fsync takes milliseconds that heartbeats do not have. Whatever has
 * arrived while the disk was busy is one transaction.
 */
import { type MessagePort, parentPort, receiveMessageOnPort } from 'node:worker_threads';
import { invariant } from '@mosaik/primitives';
import { setAside } from './aside.ts';
import { failureOf } from './failure.ts';
import { LogDatabase } from './log-database.ts';
import type { LogWork, Reply, Request } from './messages.ts';

/** Of one transaction: what waits behind it waits no longer than this takes to write. */
const TRANSACTION_REQUESTS_MAX = 4_096;

invariant(parentPort !== null, 'the worker is started as one');
const port: MessagePort = parentPort;
const logs = new Map<number, LogDatabase>();

port.on('message', (first: readonly Request[]) => {
  const requests = [...first];
  while (requests.length < TRANSACTION_REQUESTS_MAX) {
    const next = receiveMessageOnPort(port) as { message: readonly Request[] } | undefined;
    if (next === undefined) break;
    requests.push(...next.message);
  }
  // In the order in which they first came; what is of one log keeps its order.
  for (const [log, own] of Map.groupBy(requests, (request) => request.log)) answer(log, own);
});

function answer(log: number, requests: readonly Request[]): void {
  const replies: Reply[] = [];
  let works: Extract<Request, LogWork>[] = [];
  for (const request of requests) {
    if (request.kind === 'open' || request.kind === 'setAside') {
      replies.push(doAlone(log, request));
      continue;
    }
    works.push(request);
    if (request.kind !== 'close') continue;
    replies.push(...doAll(log, works));
    works = [];
    logs.get(log)?.close();
    logs.delete(log);
  }
  if (works.length > 0) replies.push(...doAll(log, works));
  port.postMessage(replies, replies.flatMap(buffersOf));
}

function doAlone(log: number, request: Extract<Request, { kind: 'open' | 'setAside' }>): Reply {
  const { id } = request;
  try {
    if (request.kind === 'setAside') return { id, value: setAside(request.path, request.suffix) };
    const database = new LogDatabase(request);
    logs.set(log, database);
    return { id, value: database.opened };
  } catch (thrown) {
    return { id, failure: failureOf(thrown) };
  }
}

function doAll(log: number, works: readonly Extract<Request, LogWork>[]): readonly Reply[] {
  const database = logs.get(log);
  invariant(database !== undefined, 'work is only sent for a log that is open');
  return database.run(works).map((result, at) => ({ id: (works[at] as Request).id, ...result }));
}

/** What can be handed over instead of copied. */
function buffersOf(reply: Reply): ArrayBuffer[] {
  if (reply.failure !== undefined || !Array.isArray(reply.value)) return [];
  const chunks = reply.value as readonly Uint8Array<ArrayBuffer>[];
  return chunks
    .filter(({ buffer, byteLength }) => buffer.byteLength === byteLength)
    .map(({ buffer }) => buffer);
}
