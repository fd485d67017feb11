import type { Channel, ChannelEnd, ChannelEvents, ChannelFactory } from '@mosaik/transport/link';

/** What one direction holds before the writer is told to wait. */
const WINDOW_BYTES = 256 * 1024;

/** Two ends of a pipe within this process: what is written at one is read at the other. */
export interface Pipe {
  readonly left: ChannelFactory;
  readonly right: ChannelFactory;
}

/** Makes a pipe; both factories are to be called, in any order. */
export function createPipe(): Pipe {
  const left = new PipeEnd();
  const right = new PipeEnd();
  left.connect(right);
  right.connect(left);
  return { left: (events) => left.attach(events), right: (events) => right.attach(events) };
}

/** One end. What arrives is kept until the owner takes it; nothing is told from within a call of the owner. */
class PipeEnd implements Channel {
  #other: PipeEnd | undefined;
  #events: ChannelEvents | undefined;
  #arrived: Uint8Array[] = [];
  #arrivedBytes = 0;
  #isPaused = false;
  #isDeliveryPending = false;
  /** The other end waits for room. */
  #isOtherBlocked = false;
  #hasFinished = false;
  #hasRemoteEnd = false;
  #isRemoteEndTold = false;
  #end: ChannelEnd | undefined;

  connect(other: PipeEnd): void {
    this.#other = other;
  }

  attach(events: ChannelEvents): Channel {
    this.#events = events;
    this.#schedule();
    return this;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    return this.#other?.take(chunks) ?? true;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#schedule();
  }

  closeWrite(): void {
    if (this.#hasFinished) return;
    this.#hasFinished = true;
    this.#other?.remoteEnded();
    this.#schedule();
  }

  abort(reason: string): void {
    this.#other?.over({ kind: 'reset', reason });
    this.over({ kind: 'reset', reason });
  }

  take(chunks: readonly Uint8Array[]): boolean {
    for (const chunk of chunks) {
      this.#arrived.push(chunk);
      this.#arrivedBytes += chunk.length;
    }
    this.#schedule();
    this.#isOtherBlocked = this.#arrivedBytes >= WINDOW_BYTES;
    return !this.#isOtherBlocked;
  }

  remoteEnded(): void {
    this.#hasRemoteEnd = true;
    this.#schedule();
  }

  over(end: ChannelEnd): void {
    this.#end ??= end;
    this.#schedule();
  }

  drained(): void {
    this.#events?.drain();
  }

  #schedule(): void {
    if (this.#isDeliveryPending || this.#events === undefined) return;
    this.#isDeliveryPending = true;
    queueMicrotask(() => {
      this.#isDeliveryPending = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    if (this.#end !== undefined) {
      this.#tellOver(this.#end);
      return;
    }
    while (!this.#isPaused && this.#arrived.length > 0) this.#deliverChunk();
    if (this.#isOtherBlocked && this.#arrivedBytes * 2 < WINDOW_BYTES) {
      this.#isOtherBlocked = false;
      this.#other?.drained();
    }
    this.#deliverEnd();
  }

  #deliverChunk(): void {
    const chunks = this.#arrived;
    this.#arrived = [];
    for (const [index, chunk] of chunks.entries()) {
      if (this.#isPaused) {
        this.#arrived = [...chunks.slice(index), ...this.#arrived];
        return;
      }
      this.#arrivedBytes -= chunk.length;
      this.#events?.data(chunk);
    }
  }

  #deliverEnd(): void {
    if (!this.#hasRemoteEnd || this.#arrived.length > 0) return;
    if (!this.#isRemoteEndTold) {
      this.#isRemoteEndTold = true;
      this.#events?.remoteEnd();
    }
    if (this.#hasFinished) this.over({ kind: 'finished' });
  }

  #tellOver(end: ChannelEnd): void {
    const events = this.#events;
    this.#events = undefined;
    this.#arrived = [];
    this.#other = undefined;
    events?.closed(end);
  }
}
