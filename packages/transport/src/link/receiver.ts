import {
  type Codec,
  DecodeError,
  InvariantError,
  invariant,
  type WaitOptions,
  waitFor,
} from '@mosaik/primitives';
import { LinkEndedError } from '../errors.ts';
import { isCleanEnd, type LinkEnd } from './end.ts';
import { Inbox } from './inbox.ts';

/** A batch ends at this many messages, or where nothing more has arrived. */
const BATCH_MESSAGES = 256;

interface ReceiverOptions<M> {
  readonly codec: Codec<M>;
  readonly maxFrameBytes: number;
  readonly receiveBufferBytes: number;
  readonly onControl: (payload: Uint8Array) => void;
  /** A message that cannot be decoded: the link must end as a violation. */
  readonly onUndecodable: (error: DecodeError) => void;
  /** Told when more than the buffer waits unread, and again when half of it has been read. */
  readonly onPressure: (isFull: boolean) => void;
}

/** The receiving half of a link: keeps what has arrived as bytes, decodes it when a reader asks. */
export class Receiver<M> {
  readonly #options: ReceiverOptions<M>;
  readonly #inbox: Inbox;
  #isFull = false;
  #isDiscarding = false;
  #end: LinkEnd | undefined;
  #wake: (() => void) | undefined;
  /** Decoded ahead for readers that take one message at a time. */
  #batch: M[] = [];
  #next = 0;
  messages = 0;
  bytes = 0;

  constructor(options: ReceiverOptions<M>) {
    this.#options = options;
    this.#inbox = new Inbox(options.maxFrameBytes, options.onControl);
  }

  get unreadBytes(): number {
    return this.#inbox.bytes;
  }

  /** Whether a frame has begun to arrive and not ended. */
  get isMidFrame(): boolean {
    return this.#inbox.isMidFrame;
  }

  /** Takes in bytes; returns whether no view of them is left. Throws {@link FramingError}. */
  push(chunk: Uint8Array): boolean {
    if (this.#isDiscarding) return true;
    this.bytes += chunk.length;
    const isCopied = this.#inbox.push(chunk);
    if (!this.#isFull && this.#inbox.bytes > this.#options.receiveBufferBytes) this.#setFull(true);
    if (this.#inbox.bytes > 0) this.#wake?.();
    return isCopied;
  }

  /** No more will come: readers take what has arrived and then see the end. */
  finish(end: LinkEnd): void {
    this.#end ??= end;
    this.#isDiscarding = true;
    this.#wake?.();
  }

  /** Readers see the end at once, what they have not taken is dropped. */
  stop(end: LinkEnd): void {
    this.finish(end);
    this.#inbox.clear();
    this.#batch = [];
    this.#next = 0;
  }

  /** Readers see the end after what was decoded before it. */
  #failAt(error: DecodeError): void {
    this.#inbox.clear();
    this.#isDiscarding = true;
    this.#options.onUndecodable(error);
  }

  async receive(options: WaitOptions = {}): Promise<M | undefined> {
    if (this.#next < this.#batch.length || (await this.#refill(options.signal))) return this.#takeOne();
    return undefined;
  }

  batches(options: WaitOptions = {}): AsyncIterableIterator<M[], void, void> {
    const iterator: AsyncIterableIterator<M[], void, void> = {
      next: async () => {
        const isMore = this.#next < this.#batch.length || (await this.#refill(options.signal));
        return isMore ? { done: false, value: this.#takeBatch() } : { done: true, value: undefined };
      },
      return: () => Promise.resolve({ done: true, value: undefined }),
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /** Written out by hand: a message that is there already costs one settled promise and no generator. */
  iterate(): AsyncIterator<M, void, void> {
    const more = async (): Promise<IteratorResult<M, void>> =>
      (await this.#refill(undefined))
        ? { done: false, value: this.#takeOne() }
        : { done: true, value: undefined };
    return {
      next: () =>
        this.#next < this.#batch.length ? Promise.resolve({ done: false, value: this.#takeOne() }) : more(),
      return: () => Promise.resolve({ done: true, value: undefined }),
    };
  }

  #takeOne(): M {
    invariant(this.#next < this.#batch.length, 'taking from a batch that is used up');
    return this.#batch[this.#next++] as M;
  }

  #takeBatch(): M[] {
    const batch = this.#next === 0 ? this.#batch : this.#batch.slice(this.#next);
    this.#batch = [];
    this.#next = 0;
    return batch;
  }

  /** Decodes what has arrived, waiting for the first of it; false at a clean end. */
  async #refill(signal: AbortSignal | undefined): Promise<boolean> {
    while (true) {
      this.#decodeBatch();
      if (this.#batch.length > 0) return true;
      if (this.#end) {
        if (isCleanEnd(this.#end)) return false;
        throw new LinkEndedError(this.#end);
      }
      await this.#arrival(signal);
    }
  }

  #decodeBatch(): void {
    this.#next = 0;
    this.#batch = [];
    while (this.#batch.length < BATCH_MESSAGES) {
      const payload = this.#inbox.next();
      if (payload === undefined) break;
      const message = this.#decode(payload);
      if (message === undefined) break;
      this.#batch.push(message.value);
    }
    this.messages += this.#batch.length;
    if (this.#isFull && this.#inbox.bytes * 2 <= this.#options.receiveBufferBytes) this.#setFull(false);
  }

  #decode(payload: Uint8Array): { readonly value: M } | undefined {
    try {
      return { value: this.#options.codec.decode(payload) };
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#failAt(error);
      return undefined;
    }
  }

  #arrival(signal: AbortSignal | undefined): Promise<void> {
    if (this.#wake) throw new InvariantError('a link has one reader at a time');
    return waitFor<void>('receiving from a link', signal, (resolve) => {
      this.#wake = resolve;
      return () => {
        this.#wake = undefined;
      };
    });
  }

  #setFull(isFull: boolean): void {
    this.#isFull = isFull;
    this.#options.onPressure(isFull);
  }
}
