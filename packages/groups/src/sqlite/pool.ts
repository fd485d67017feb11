/** The workers of this process, shared by its logs: a log keeps to one, a few serve many. */
import { Worker } from 'node:worker_threads';
import { ClosedError } from '@mosaik/primitives';
import { errorOf, type Failure } from './failure.ts';
import type { Reply, Request, Value, Work } from './messages.ts';

/** An fsync waits for the disk, not for a core; beyond a few, more at once make none of them quicker. */
const WORKERS_MAX = 4;

interface Waiting {
  readonly where: string;
  resolve(value: Value): void;
  reject(error: Error): void;
}

/** The end of a log at its worker. */
export interface WorkerPort {
  /** Sends work; what is sent in one turn goes together. `transfer` must not be used any more. */
  send(work: Work, transfer?: ArrayBuffer): Promise<Value>;
  /** Gives back the place in the pool. */
  release(): void;
}

class LogWorker {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #outbox: Request[] = [];
  #transfers: ArrayBuffer[] = [];
  #lastId = 0;
  #failure: Failure | undefined;
  logs = 0;

  constructor() {
    // The program is beside this file, in the language that this file is in.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    this.#worker = new Worker(new URL(`./worker.${extension}`, import.meta.url), { name: 'mosaik-log' });
    this.#worker.on('message', (replies: readonly Reply[]) => this.#settle(replies));
    this.#worker.on('error', (error) =>
      this.#end({ kind: 'io', detail: `the writer failed: ${error.message}` }),
    );
    this.#worker.on('exit', () => this.#end({ kind: 'io', detail: 'the writer has ended' }));
    // Only what is under way keeps the process alive.
    this.#worker.unref();
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  send(log: number, where: string, work: Work, transfer: ArrayBuffer | undefined): Promise<Value> {
    if (this.#failure !== undefined) return Promise.reject(errorOf(where, this.#failure));
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    if (this.#waiting.size === 0) this.#worker.ref();
    this.#waiting.set(id, { where, resolve, reject });
    if (this.#outbox.length === 0) queueMicrotask(() => this.#flush());
    this.#outbox.push({ id, log, ...work });
    if (transfer !== undefined) this.#transfers.push(transfer);
    return promise;
  }

  #flush(): void {
    const [requests, transfers] = [this.#outbox, this.#transfers];
    this.#outbox = [];
    this.#transfers = [];
    this.#worker.postMessage(requests, transfers);
  }

  #settle(replies: readonly Reply[]): void {
    for (const reply of replies) {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (reply.failure === undefined) waiting?.resolve(reply.value);
      else waiting?.reject(errorOf(waiting.where, reply.failure));
    }
    if (this.#waiting.size === 0) this.#worker.unref();
  }

  #end(failure: Failure): void {
    this.#failure ??= failure;
    for (const { where, reject } of this.#waiting.values()) reject(errorOf(where, failure));
    this.#waiting.clear();
  }
}

const workers: LogWorker[] = [];
let lastLog = 0;

/** A place at the worker with the fewest logs. */
export function acquirePort(where: string): WorkerPort {
  for (const dead of workers.filter(({ hasFailed }) => hasFailed)) workers.splice(workers.indexOf(dead), 1);
  const worker = chooseWorker();
  const log = ++lastLog;
  let isHeld = true;
  worker.logs++;
  return {
    send: (work, transfer) =>
      isHeld ? worker.send(log, where, work, transfer) : Promise.reject(new ClosedError('the log is closed')),
    release: () => {
      if (isHeld) worker.logs--;
      isHeld = false;
    },
  };
}

function chooseWorker(): LogWorker {
  const [least] = workers.toSorted((a, b) => a.logs - b.logs);
  if (least !== undefined && (least.logs === 0 || workers.length >= WORKERS_MAX)) return least;
  const worker = new LogWorker();
  workers.push(worker);
  return worker;
}
