import { createQueue, type PeerId, type Queue, type WaitOptions, waitFor } from '@mosaik/primitives';
import { type Block, BlockCursor } from '../wire/block.ts';
import type { Epoch, Sequence } from '../wire/messages.ts';
import type { Gap } from './consumer.ts';

/** A block that waits to be read. */
interface Received {
  readonly type: 'block';
  readonly block: Block;
  readonly epoch: Epoch;
}

type Item = Received | Gap;

/** A datum as it came, and where from. */
export interface RawDatum {
  readonly type: 'datum';
  readonly encoded: Uint8Array;
  readonly producer: PeerId;
  readonly epoch: Epoch;
  readonly sequence: Sequence;
}

const GAP_BYTES = 64;

/** What has come from one producer and has not been read. */
export class Source {
  readonly producer: PeerId;
  readonly #queue: Queue<Item>;
  readonly #onReady: (source: Source) => void;
  #datums = 0;

  constructor(producer: PeerId, bufferBytes: number, onReady: (source: Source) => void) {
    this.producer = producer;
    this.#onReady = onReady;
    this.#queue = createQueue<Item>({
      maxItems: Number.POSITIVE_INFINITY,
      maxBytes: bufferBytes,
      // One block may be larger than the buffer: it then waits until the buffer is empty.
      sizeOf: (item) => (item.type === 'gap' ? GAP_BYTES : Math.min(item.block.bytes.length, bufferBytes)),
    });
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  get queuedDatums(): number {
    return this.#datums;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Waits while the buffer is full, so that the producer's link fills up, and then its queue. */
  push(block: Block, epoch: Epoch, options: WaitOptions): Promise<void> {
    this.#datums += block.count;
    return this.#put({ type: 'block', block, epoch }, options).catch((error) => {
      this.#datums -= block.count;
      throw error;
    });
  }

  pushGap(gap: Gap, options: WaitOptions): Promise<void> {
    return this.#put(gap, options);
  }

  take(): Item | undefined {
    const item = this.#queue.tryTake();
    if (item?.type === 'block') this.#datums -= item.block.count;
    return item;
  }

  #put(item: Item, options: WaitOptions): Promise<void> {
    if (this.#queue.tryPush(item)) {
      this.#onReady(this);
      return Promise.resolve();
    }
    return this.#queue.push(item, options).then(() => this.#onReady(this));
  }
}

/** Merges what comes from several producers: a block of each in turn, so that none is served before another. */
export class Inbox {
  readonly #ready: Source[] = [];
  readonly #isReady = new Set<Source>();
  readonly #waiting = new Set<() => void>();
  #cursor: BlockCursor | undefined;
  #producer: PeerId | undefined;
  #epoch: Epoch | undefined;
  #isClosed = false;

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** There is something of a source. */
  readonly onReady = (source: Source): void => {
    if (!this.#isReady.has(source)) {
      this.#isReady.add(source);
      this.#ready.push(source);
    }
    this.#wake();
  };

  /** Moves to the next datum or gap; undefined when there is none. */
  take(): RawDatum | Gap | undefined {
    while (this.#cursor === undefined || this.#cursor.isDone) {
      const item = this.#nextItem();
      if (item === undefined) return undefined;
      if (item.type === 'gap') return item;
      this.#cursor = new BlockCursor(item.block);
      this.#epoch = item.epoch;
    }
    return this.#datum(this.#cursor);
  }

  /** Resolves when something may have come, or the inbox is closed. */
  arrival(options: WaitOptions): Promise<void> {
    return waitFor<void>('waiting for a datum', options.signal, (resolve) => {
      this.#waiting.add(resolve);
      return () => void this.#waiting.delete(resolve);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#ready.length = 0;
    this.#cursor = undefined;
    this.#wake();
  }

  #datum(cursor: BlockCursor): RawDatum {
    return {
      type: 'datum',
      encoded: cursor.take(),
      producer: this.#producer as PeerId,
      epoch: this.#epoch as Epoch,
      sequence: cursor.sequence,
    };
  }

  #nextItem(): Item | undefined {
    while (true) {
      const source = this.#ready.shift();
      if (source === undefined) return undefined;
      const item = source.take();
      if (source.isEmpty) this.#isReady.delete(source);
      else this.#ready.push(source);
      if (item === undefined) continue;
      this.#producer = source.producer;
      return item;
    }
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
