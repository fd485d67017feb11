import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface';
import { Uint8ArrayList } from 'uint8arraylist';
import type { Channel, ChannelEnd, ChannelEvents, ChannelFactory } from '../link/channel.ts';

/** What is known of the connection when a stream on it ends. */
export interface StreamContext {
  /** Why the connection is gone, as seen by whoever watches it. */
  readonly connectionEnd: () => Extract<ChannelEnd, { reason: string }>;
  /** An error of our own code within an event of the stream; libp2p would end the process with it. */
  readonly onError: (error: unknown) => void;
}

/**
 * A stream of libp2p as a channel of bytes. Attach it in the turn in which the stream was handed over.
 *
 * The traps it knows: a listener that throws ends the process; `drain` is dispatched before the stream has looked
 * whether it can write; the end of the remote's direction is told before its last bytes when paused; a killed peer
 * looks like a clean end.
 */
export function streamChannel(stream: Stream, context: StreamContext): ChannelFactory {
  return (events) => new StreamChannel(stream, context, events);
}

class StreamChannel implements Channel {
  readonly #stream: Stream;
  readonly #context: StreamContext;
  readonly #events: ChannelEvents;
  #hasRemoteEnded = false;
  #hasFinished = false;
  #isAborted = false;
  #isClosed = false;
  #isResuming = false;
  #pausesAfterwards = false;

  constructor(stream: Stream, context: StreamContext, events: ChannelEvents) {
    this.#stream = stream;
    this.#context = context;
    this.#events = events;
    tellWindowsLazily(stream as unknown as YamuxInternals);
    stream.addEventListener('message', (event) => this.#guard(() => this.#onMessage(event)));
    stream.addEventListener('drain', () => queueMicrotask(() => this.#guard(() => this.#onDrain())));
    stream.addEventListener('end', () => this.#guard(() => this.#onEnd()));
    stream.addEventListener('close', (event) => this.#guard(() => this.#onClose(event)));
    if (!this.#isOpen) queueMicrotask(() => this.#guard(() => this.#onClose(undefined)));
    else if (stream.readableEnded) queueMicrotask(() => this.#guard(() => this.#onEnd()));
  }

  get #isOpen(): boolean {
    return this.#stream.status === 'open' || this.#stream.status === 'closing';
  }

  write(chunks: readonly Uint8Array[]): boolean {
    // A stream that is closing says so by its event; until then what is written is as lost as on any dying link.
    if (this.#stream.writeStatus !== 'writable') return true;
    return this.#stream.send(new Uint8ArrayList(...chunks));
  }

  /**
   * While the stream resumes it hands out what it held, and only then opens the window: paused in between, Yamux would forget
   * that it is, go on granting windows to a reader that does not read, and reset the stream once 4 MiB wait.
   */
  pause(): void {
    if (this.#isResuming) this.#pausesAfterwards = true;
    else if (this.#stream.readStatus === 'readable') this.#stream.pause();
  }

  resume(): void {
    this.#pausesAfterwards = false;
    if (this.#isResuming || this.#stream.readStatus !== 'paused') return;
    this.#isResuming = true;
    try {
      this.#stream.resume();
    } finally {
      this.#isResuming = false;
    }
    if (this.#pausesAfterwards) this.pause();
  }

  closeWrite(): void {
    if (this.#hasFinished) return;
    this.#hasFinished = true;
    // It rejects when the stream closes first, which the close event tells.
    this.#stream.close().catch(() => {});
  }

  abort(reason: string): void {
    this.#isAborted = true;
    this.#stream.abort(new Error(reason));
  }

  #onMessage(event: StreamMessageEvent): void {
    const chunks = event.data instanceof Uint8Array ? [event.data] : event.data;
    for (const chunk of chunks) this.#events.data(plain(chunk));
  }

  #onDrain(): void {
    if (!this.#stream.writableNeedsDrain && this.#isOpen) this.#events.drain();
  }

  #onEnd(): void {
    // It is dispatched on an abort and on the loss of the connection too: those are told by the close event.
    if (!this.#isOpen || this.#hasRemoteEnded) return;
    this.#hasRemoteEnded = true;
    this.#events.remoteEnd();
  }

  #onClose(event: StreamCloseEvent | undefined): void {
    if (this.#isClosed) return;
    this.#takeWhatWaits();
    this.#isClosed = true;
    this.#events.closed(this.#endOf(event));
  }

  /** Bytes that arrived while we were paused are still there, and belong before the end. */
  #takeWhatWaits(): void {
    if (this.#stream.readBufferLength === 0 || this.#stream.readStatus !== 'paused') return;
    try {
      this.#stream.resume();
    } catch {
      // It has dispatched what it held and failed to tell the other side, which is gone.
    }
  }

  #endOf(event: StreamCloseEvent | undefined): ChannelEnd {
    if (this.#isAborted) return { kind: 'finished' };
    if (this.#stream.status === 'reset') return { kind: 'reset', reason: 'the peer reset the stream' };
    if (event?.error?.name === 'StreamBufferError') return { kind: 'reset', reason: event.error.message };
    if (this.#hasFinished && this.#stream.remoteWriteStatus === 'closed' && this.#hasRemoteEnded) {
      return { kind: 'finished' };
    }
    return this.#context.connectionEnd();
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#context.onError(error);
      this.abort('internal error');
    }
  }
}

/** Node hands out Buffers, whose methods differ from those of Uint8Array in subtle ways. */
function plain(chunk: Uint8Array): Uint8Array {
  return chunk.constructor === Uint8Array
    ? chunk
    : new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

/** The parts of a stream of Yamux 8.0.1 that {@link tellWindowsLazily} knows. */
interface YamuxInternals {
  sendWindowUpdate?: unknown;
  readonly recvWindow?: unknown;
  readonly recvWindowCapacity?: unknown;
  readonly state?: unknown;
}

/**
 * Yamux tells the sender of every piece that was read, at the price of an encrypted message and a write each: a fifth of
 * what bulk costs a receiver. The specification asks for no more than that the window does not run dry, so the sender
 * is told when half of it is used up. A stream that is not as we know it is left as it is.
 */
function tellWindowsLazily(stream: YamuxInternals): void {
  const { sendWindowUpdate } = stream;
  if (typeof sendWindowUpdate !== 'function') return;
  stream.sendWindowUpdate = (): void => {
    const { recvWindow, recvWindowCapacity, state } = stream;
    if (state === ESTABLISHED && Number(recvWindowCapacity) * 2 > Number(recvWindow)) return;
    sendWindowUpdate.call(stream);
  };
}

/** As Yamux numbers its states: a stream that is still being opened has flags to send with its updates. */
const ESTABLISHED = 3;
