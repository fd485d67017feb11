/** The worker's end: SQLite is synchronous, and an fsync takes milliseconds that nobody else has. */
import { type MessagePort, parentPort, receiveMessageOnPort } from 'node:worker_threads';
import { invariant } from '@mosaik/primitives';

/** A piece of work, and the number under which it is answered. */
export interface Request<W> {
  readonly id: number;
  readonly work: W;
}

/** What a piece of work came to. */
export type Reply<V, F extends object> =
  | { readonly id: number; readonly value: V; readonly failure?: undefined }
  | { readonly id: number; readonly failure: F };

/** Taken at once: what waits behind it waits no longer than this takes. */
const REQUESTS_MAX = 4_096;

/**
 * Answers what is sent to this thread. Whatever has arrived while the disk was busy is given together, in order; `reply` tells
 * the other side, and hands the buffers over that are given with it.
 */
export function serve<W, V, F extends object>(
  answer: (
    requests: readonly Request<W>[],
    reply: (replies: readonly Reply<V, F>[], transfer?: ArrayBuffer[]) => void,
  ) => void,
): void {
  invariant(parentPort !== null, 'the worker is started as one');
  const port: MessagePort = parentPort;
  const reply = (replies: readonly Reply<V, F>[], transfer?: ArrayBuffer[]): void =>
    port.postMessage(replies, transfer);
  port.on('message', (first: readonly Request<W>[]) => {
    const requests = [...first];
    while (requests.length < REQUESTS_MAX) {
      const next = receiveMessageOnPort(port) as { message: readonly Request<W>[] } | undefined;
      if (next === undefined) break;
      requests.push(...next.message);
    }
    answer(requests, reply);
  });
}
