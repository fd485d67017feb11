/** What is appended to the logs of a store, on its way to the thread that writes: in order, in batches, a few at a time. */
import type { KeptBlock } from '../log/log-storage.ts';
import { type AppendWork, HEAD_NUMBERS } from './messages.ts';

/** Under way at once: while the disk is busy with one, the next is there already. */
const BATCHES_IN_FLIGHT_MAX = 4;
const BATCH_BYTES_MAX = 2 * 1024 * 1024;
const BATCH_BLOCKS_MAX = 4_096;

/** Where what is appended comes from. */
export interface AppendOrigin {
  /** The number of the log. */
  readonly log: number;
  /** Why nothing is appended any more. */
  readonly failure: Error | undefined;
  /** A block, the oldest that was not settled, is durable. */
  settle(block: KeptBlock): void;
  fail(error: Error): void;
}

interface Pending {
  readonly origin: AppendOrigin;
  readonly block: KeptBlock;
  readonly position: number;
  resolve(): void;
  reject(error: Error): void;
}

/** A block, and the bytes of all blocks of its log before it. */
export interface PlacedBlock {
  readonly block: KeptBlock;
  readonly position: number;
}

export class Appender {
  readonly #write: (work: AppendWork) => Promise<unknown>;
  readonly #queue: Pending[] = [];
  #inFlight = 0;
  #isScheduled = false;

  constructor(write: (work: AppendWork) => Promise<unknown>) {
    this.#write = write;
  }

  /** Resolves when the block is durable. What is appended in one turn goes together. */
  append(origin: AppendOrigin, { block, position }: PlacedBlock): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#queue.push({ origin, block, position, resolve, reject });
    if (!this.#isScheduled && this.#inFlight < BATCHES_IN_FLIGHT_MAX) {
      this.#isScheduled = true;
      queueMicrotask(() => {
        this.#isScheduled = false;
        this.#flush();
      });
    }
    return promise;
  }

  #flush(): void {
    while (this.#inFlight < BATCHES_IN_FLIGHT_MAX && this.#queue.length > 0) {
      const batch = this.#take();
      if (batch.length > 0) this.#send(batch);
    }
  }

  /** The next batch, without what cannot be appended any more. */
  #take(): Pending[] {
    let bytes = 0;
    let count = 0;
    for (const { block } of this.#queue) {
      bytes += block.bytes.length;
      if (count === BATCH_BLOCKS_MAX || (count > 0 && bytes > BATCH_BYTES_MAX)) break;
      count++;
    }
    const batch: Pending[] = [];
    for (const pending of this.#queue.splice(0, count)) {
      const { failure } = pending.origin;
      if (failure === undefined) batch.push(pending);
      else pending.reject(failure);
    }
    return batch;
  }

  #send(batch: readonly Pending[]): void {
    this.#inFlight++;
    this.#write(encode(batch)).then(
      () => {
        for (const { origin, block, resolve } of batch) {
          origin.settle(block);
          resolve();
        }
        this.#landed();
      },
      (error: Error) => {
        for (const { origin, reject } of batch) {
          origin.fail(error);
          reject(error);
        }
        this.#landed();
      },
    );
  }

  #landed(): void {
    this.#inFlight--;
    this.#flush();
  }
}

/** The only copy of a block that is made: it may be a view of what others send, and cannot be handed over. */
function encode(batch: readonly Pending[]): AppendWork {
  const heads = new Float64Array(batch.length * HEAD_NUMBERS);
  const bytes = new Uint8Array(batch.reduce((sum, { block }) => sum + block.bytes.length, 0));
  let offset = 0;
  for (const [index, { origin, block, position }] of batch.entries()) {
    const { first, next, timeMs, bytes: data } = block;
    heads.set([origin.log, first, next, timeMs, position, data.length], index * HEAD_NUMBERS);
    bytes.set(data, offset);
    offset += data.length;
  }
  return { kind: 'append', heads, bytes };
}
