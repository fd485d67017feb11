import type { Channel, ChannelEnd, ChannelEvents, ChannelFactory } from '../../src/link/channel.ts';

/** What a direction holds before `write` says that it is enough. */
const HIGH_WATER_BYTES = 128 * 1024;

export function join(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

/** One side of a pair of channels in memory. What is written is delivered in a microtask, unless the reader is paused. */
export class PipeEnd implements Channel {
  other!: PipeEnd;
  events!: ChannelEvents;
  readonly highWaterBytes: number;
  /** Every write, as one piece. */
  readonly frames: Uint8Array[] = [];
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #isFull = false;
  #isPaused = false;
  #isFinished = false;
  #isOver = false;
  #isDelivering = false;
  pauses = 0;
  resumes = 0;
  aborted: string | undefined;

  constructor(highWaterBytes: number) {
    this.highWaterBytes = highWaterBytes;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** Bytes written that the other side has not been given. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#isFinished) throw new Error('written after the own direction was ended');
    const frame = join(chunks);
    this.frames.push(frame);
    this.#queue.push(frame);
    this.#queuedBytes += frame.length;
    this.#isFull = this.#queuedBytes >= this.highWaterBytes;
    this.#deliverSoon();
    return !this.#isFull;
  }

  pause(): void {
    this.pauses++;
    this.#isPaused = true;
  }

  resume(): void {
    this.resumes++;
    this.#isPaused = false;
    this.other.#deliverSoon();
  }

  closeWrite(): void {
    this.#isFinished = true;
    this.#deliverSoon();
  }

  abort(reason: string): void {
    if (this.#isOver) return;
    this.aborted = reason;
    const { other } = this;
    this.#finish({ kind: 'finished' });
    queueMicrotask(() => other.#finish({ kind: 'reset', reason: 'the peer reset the stream' }));
  }

  /** Ends the channel under both sides, as when the connection goes away. */
  cut(end: ChannelEnd): void {
    const { other } = this;
    this.#finish(end);
    other.#finish(end);
  }

  #deliverSoon(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    queueMicrotask(() => {
      this.#isDelivering = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    const { other } = this;
    while (this.#queue.length > 0 && !other.#isPaused && !this.#isOver) {
      const chunk = this.#queue.shift()!;
      this.#queuedBytes -= chunk.length;
      other.events.data(chunk);
    }
    if (this.#isOver || this.#queue.length > 0) return;
    if (this.#isFull) {
      this.#isFull = false;
      this.events.drain();
    }
    if (!this.#isFinished || this.#queue.length > 0) return;
    if (other.#isFinished && other.#queue.length === 0) this.cut({ kind: 'finished' });
    else if (!this.#isTold) {
      this.#isTold = true;
      other.events.remoteEnd();
    }
  }

  #isTold = false;

  #finish(end: ChannelEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.events.closed(end);
  }
}

export interface Pipe {
  readonly near: PipeEnd;
  readonly far: PipeEnd;
  readonly nearFactory: ChannelFactory;
  readonly farFactory: ChannelFactory;
}

export function createPipe(highWaterBytes: number = HIGH_WATER_BYTES): Pipe {
  const near = new PipeEnd(highWaterBytes);
  const far = new PipeEnd(highWaterBytes);
  near.other = far;
  far.other = near;
  const factory =
    (end: PipeEnd): ChannelFactory =>
    (events) => {
      end.events = events;
      return end;
    };
  return { near, far, nearFactory: factory(near), farFactory: factory(far) };
}
