import { createQueue, invariant, type Queue, type WaitOptions, waitFor } from '@mosaik/primitives';
import { BlockCursor, type Sequence } from '@mosaik/streams';
import type { KeptBlock, LogIdentity } from '../log/log-storage.ts';
import type { Sink } from '../pull/sink.ts';

type Item =
  | { readonly type: 'block'; readonly block: KeptBlock; readonly from: Sequence }
  | { readonly type: 'gap'; readonly from: Sequence; readonly to: Sequence | undefined }
  | { readonly type: 'caughtUp' };

/** A datum as it is kept. */
export interface RawDatum {
  readonly type: 'datum';
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly lane: Lane;
  readonly offset: Sequence;
  readonly timeMs: number;
}

/** What is missing of a log. */
export interface RawGap {
  readonly type: 'gap';
  readonly lane: Lane;
  readonly from: Sequence;
  readonly to: Sequence | undefined;
}

/** A source was caught up here. */
export interface RawMark {
  readonly type: 'mark';
}

const MARK: RawMark = { type: 'mark' };
const MARK_BYTES = 64;

/** What has come of one log and has not been read. */
export class Lane implements Sink {
  readonly identity: LogIdentity;
  readonly #feed: Feed;
  readonly #queue: Queue<Item>;
  readonly #signal: AbortSignal;
  /** Where its reader is. */
  next: Sequence;
  isOver = false;
  /** The reader has come to where the source was caught up. */
  isCaughtUp = false;

  constructor(
    feed: Feed,
    options: {
      readonly identity: LogIdentity;
      readonly start: Sequence;
      readonly maxBuffer: number;
      readonly signal: AbortSignal;
    },
  ) {
    const { maxBuffer } = options;
    this.#feed = feed;
    this.identity = options.identity;
    this.next = options.start;
    this.#signal = options.signal;
    this.#queue = createQueue<Item>({
      maxItems: Number.POSITIVE_INFINITY,
      maxBytes: maxBuffer,
      // One block may be larger than the buffer: it then waits until the buffer is empty.
      sizeOf: (item) => (item.type === 'block' ? Math.min(item.block.bytes.length, maxBuffer) : MARK_BYTES),
    });
  }

  get waitingBytes(): number {
    return this.#queue.bytes;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  take(block: KeptBlock, from: Sequence): Promise<void> | undefined {
    this.#feed.receivedBytes += block.bytes.length;
    return this.#put({ type: 'block', block, from });
  }

  gap(from: Sequence, to: Sequence | undefined): Promise<void> | undefined {
    return this.#put({ type: 'gap', from, to });
  }

  caughtUp(): Promise<void> | undefined {
    return this.#put({ type: 'caughtUp' });
  }

  fail(error: Error): void {
    this.#feed.fail(error);
  }

  shift(): Item | undefined {
    return this.#queue.tryTake();
  }

  #put(item: Item): Promise<void> | undefined {
    if (this.#queue.tryPush(item)) {
      this.#feed.onReady(this);
      return undefined;
    }
    return this.#queue.push(item, { signal: this.#signal }).then(() => this.#feed.onReady(this));
  }
}

/** Merges the lanes of a replay for its readers: a block of each in turn, so that none is served before another. */
export class Feed {
  readonly #ready: Lane[] = [];
  readonly #isReady = new Set<Lane>();
  readonly #waiting = new Set<() => void>();
  #cursor: BlockCursor | undefined;
  #lane: Lane | undefined;
  #timeMs = 0;
  #from: Sequence = 0;
  #error: Error | undefined;
  #isClosed = false;
  receivedBytes = 0;

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** There is something of a lane. */
  onReady(lane: Lane): void {
    if (!this.#isReady.has(lane)) {
      this.#isReady.add(lane);
      this.#ready.push(lane);
    }
    this.wake();
  }

  /**
   * Moves to the next datum, gap or mark; undefined when there is none.
   *
   * @throws what a source has failed with.
   */
  take(): RawDatum | RawGap | RawMark | undefined {
    while (true) {
      if (this.#error !== undefined) throw this.#error;
      if (this.#cursor !== undefined && !this.#cursor.isDone) {
        const datum = this.#datum(this.#cursor);
        if (datum !== undefined) return datum;
        continue;
      }
      const item = this.#nextItem();
      if (item === undefined) return undefined;
      if (item.type === 'gap') return this.#gap(item.from, item.to);
      if (item.type === 'caughtUp') return MARK;
    }
  }

  /** Resolves when something may have come, or the feed is closed. */
  arrival(options: WaitOptions): Promise<void> {
    return waitFor<void>('waiting for a datum', options.signal, (resolve) => {
      this.#waiting.add(resolve);
      return () => void this.#waiting.delete(resolve);
    });
  }

  fail(error: Error): void {
    this.#error ??= error;
    this.wake();
  }

  wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#ready.length = 0;
    this.#cursor = undefined;
    this.wake();
  }

  #datum(cursor: BlockCursor): RawDatum | undefined {
    cursor.advance();
    const offset = cursor.sequence;
    if (offset < this.#from) return undefined;
    const lane = this.#lane as Lane;
    invariant(offset === lane.next, 'a datum is given out of its turn');
    lane.next = offset + 1;
    const { bytes, start, end } = cursor;
    return { type: 'datum', bytes, start, end, lane, offset, timeMs: this.#timeMs };
  }

  #gap(from: Sequence, to: Sequence | undefined): RawGap {
    const lane = this.#lane as Lane;
    if (to === undefined) lane.isOver = true;
    else lane.next = to;
    return { type: 'gap', lane, from, to };
  }

  /** The next block, which the cursor then stands before, or something else. */
  #nextItem(): Item | undefined {
    while (true) {
      const lane = this.#ready.shift();
      if (lane === undefined) return undefined;
      const item = lane.shift();
      if (lane.isEmpty) this.#isReady.delete(lane);
      else this.#ready.push(lane);
      if (item === undefined) continue;
      this.#lane = lane;
      if (item.type === 'block') this.#begin(item.block, item.from);
      if (item.type === 'caughtUp') lane.isCaughtUp = true;
      return item;
    }
  }

  #begin(block: KeptBlock, from: Sequence): void {
    this.#cursor = new BlockCursor(block);
    this.#timeMs = block.timeMs;
    this.#from = from;
  }
}
