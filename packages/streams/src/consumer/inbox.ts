import {
  createQueue,
  invariant,
  type PeerId,
  type Queue,
  type WaitOptions,
  waitFor,
} from '@mosaik/primitives';
import { type Block, BlockCursor } from '../wire/block.ts';
import type { Epoch, Sequence } from '../wire/messages.ts';
import type { Gap } from './consumer.ts';

/** A block that waits to be read. */
interface Received {
  readonly block: Block;
  readonly epoch: Epoch;
}

/** What was missed between two subscriptions; put in together or not at all. */
interface Missed {
  readonly gaps: readonly Gap[];
}

type Item = Received | Missed;

/** Where a datum comes from. */
export interface Origin {
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
      sizeOf: (item) =>
        Math.min('gaps' in item ? GAP_BYTES * item.gaps.length : item.block.bytes.length, bufferBytes),
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

  /**
   * Puts in a block; undefined when there was room. Else the promise of it: nothing is read from the producer's link until
   * then, so that the link fills up, and then the queue at the producer.
   */
  push(block: Block, epoch: Epoch, options: WaitOptions): Promise<void> | undefined {
    return this.#put({ block, epoch }, block.count, options);
  }

  /** Puts in what was missed; like {@link Source.push}. */
  pushGaps(gaps: readonly Gap[], options: WaitOptions): Promise<void> | undefined {
    return gaps.length === 0 ? undefined : this.#put({ gaps }, 0, options);
  }

  take(): Item | undefined {
    const item = this.#queue.tryTake();
    if (item !== undefined && 'block' in item) this.#datums -= item.block.count;
    return item;
  }

  #put(item: Item, datums: number, options: WaitOptions): Promise<void> | undefined {
    if (this.#queue.tryPush(item)) {
      this.#datums += datums;
      this.#onReady(this);
      return undefined;
    }
    return this.#queue.push(item, options).then(() => {
      this.#datums += datums;
      this.#onReady(this);
    });
  }
}

/** Merges what comes from several producers: a block of each in turn, so that none is served before another. */
export class Inbox {
  readonly #ready: Source[] = [];
  readonly #isReady = new Set<Source>();
  readonly #waiting = new Set<() => void>();
  #gaps: readonly Gap[] = [];
  #gapsTaken = 0;
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

  /**
   * Moves to the next datum, which is where the cursor stands until the next call, or gap; undefined when there is none.
   * No object is made for a datum.
   */
  take(): BlockCursor | Gap | undefined {
    if (this.#isClosed) return undefined;
    while (this.#cursor === undefined || this.#cursor.isDone) {
      const gap = this.#gaps[this.#gapsTaken++];
      if (gap !== undefined) return gap;
      const item = this.#nextItem();
      if (item === undefined) return undefined;
      this.#enter(item);
    }
    this.#cursor.advance();
    return this.#cursor;
  }

  /** Of the datum that the cursor stands at. */
  get origin(): Origin {
    invariant(this.#cursor !== undefined, 'a datum was taken');
    const { sequence } = this.#cursor;
    return { producer: this.#producer as PeerId, epoch: this.#epoch as Epoch, sequence };
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
    // The cursor stays: who closes may be the schema of the datum that is being decoded.
    this.#wake();
  }

  #enter(item: Item): void {
    this.#gaps = 'gaps' in item ? item.gaps : [];
    this.#gapsTaken = 0;
    this.#cursor = 'block' in item ? new BlockCursor(item.block) : undefined;
    if ('block' in item) this.#epoch = item.epoch;
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
