/** This thread's end of a worker: sends work, in order, and waits for what it came to. */
import { Worker } from 'node:worker_threads';
import type { KitFailure } from './failure.ts';
import type { Reply, Request } from './worker-server.ts';

interface Waiting<V, F> {
  resolve(value: V): void;
  reject(error: Error): void;
  toError(failure: F | KitFailure): Error;
}

/** How a piece of work is sent. */
interface SendOptions<F> {
  /** The error that the caller gets. */
  toError(failure: F | KitFailure): Error;
  /** Handed over: not to be used any more. */
  readonly transfer?: readonly ArrayBuffer[] | undefined;
}

/** The program of a worker: a path from the module that asks, without its ending, in the language that this is in. */
export function programBeside(importMetaUrl: string, path: string): URL {
  const extension = importMetaUrl.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`${path}.${extension}`, importMetaUrl);
}

/** A worker thread that takes work of type W, and answers with a V or an F. */
export class WorkerClient<W, V, F extends { readonly kind: string } = KitFailure> {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting<V, F>>();
  #outbox: Request<W>[] = [];
  #transfers: ArrayBuffer[] = [];
  #lastId = 0;
  #failure: KitFailure | undefined;

  constructor(program: URL, name: string) {
    // Without the flags of the process: those that say what its own text is (`--input-type`) end a worker with a file.
    this.#worker = new Worker(program, { name, execArgv: [] });
    this.#worker.on('message', (replies: readonly Reply<V, F>[]) => this.#settle(replies));
    this.#worker.on('error', (error) => this.#end(`the worker failed: ${error.message}`));
    this.#worker.on('exit', () => this.#end('the worker has ended'));
    // Only what is under way keeps the process alive.
    this.#worker.unref();
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** What is sent in one turn goes together. */
  send(work: W, { toError, transfer = [] }: SendOptions<F>): Promise<V> {
    if (this.#failure !== undefined) return Promise.reject(toError(this.#failure));
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<V>();
    if (this.#waiting.size === 0) this.#worker.ref();
    this.#waiting.set(id, { resolve, reject, toError });
    if (this.#outbox.length === 0) queueMicrotask(() => this.#flush());
    this.#outbox.push({ id, work });
    this.#transfers.push(...transfer);
    return promise;
  }

  /** Ends the thread; what is under way fails. */
  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #flush(): void {
    const [requests, transfers] = [this.#outbox, this.#transfers];
    this.#outbox = [];
    this.#transfers = [];
    this.#worker.postMessage(requests, transfers);
  }

  #settle(replies: readonly Reply<V, F>[]): void {
    for (const reply of replies) {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ('value' in reply) waiting?.resolve(reply.value);
      else waiting?.reject(waiting.toError(reply.failure));
    }
    if (this.#waiting.size === 0) this.#worker.unref();
  }

  #end(detail: string): void {
    this.#failure ??= { kind: 'io', detail };
    for (const { reject, toError } of this.#waiting.values()) reject(toError(this.#failure));
    this.#waiting.clear();
  }
}
