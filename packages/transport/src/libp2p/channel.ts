import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface';
import { Uint8ArrayList } from 'uint8arraylist';
import type { Channel, ChannelEnd, ChannelEvents, ChannelFactory } from '../link/channel.ts';
import type { Priority } from '../protocol.ts';
import { returnRead } from './memory.ts';
import type { Traffic } from './traffic.ts';
import type { Turns, Waiting } from './turns.ts';
import type { Windows } from './windows.ts';

/** What is known of the connection when a stream on it ends. */
export interface StreamContext {
  /** Why the connection is gone, as seen by whoever watches it. */
  readonly connectionEnd: () => Extract<ChannelEnd, { reason: string }>;
  /** An error of our own code within an event of the stream; libp2p would end the process with it. */
  readonly onError: (error: unknown) => void;
  readonly priority: Priority;
  /** In which bulk leaves; shared by all streams of the node. */
  readonly turns: Turns;
  /** Shared by all streams of the connection, as is what follows. */
  readonly windows: Windows;
  readonly traffic: Traffic;
}

/** Up to here a frame does not wait for its turn: a link that has no more to say is no bulk, whatever its priority. */
const SMALL_BYTES = 8_192;

/** A link that sends bulk has small frames among it, such as the first of a turn: they are no talk that its bulk would have to rest for. */
const SMALL_AMONG_BULK = 4;

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

class StreamChannel implements Channel, Waiting {
  readonly #stream: Stream;
  readonly #context: StreamContext;
  readonly #events: ChannelEvents;
  /** A frame that waits for its turn; until it has left nothing else is written. */
  #held: Uint8ArrayList | undefined;
  #smallInARow = 0;
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
    context.windows.tune(stream);
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
    const frame = new Uint8ArrayList(...chunks);
    const { turns, priority, traffic } = this.#context;
    // Heartbeats of many connections are no talk: nobody waits for each.
    if (priority === 'control') {
      traffic.controlSent++;
      return this.#stream.send(frame);
    }
    if (frame.byteLength <= SMALL_BYTES) {
      if (++this.#smallInARow > SMALL_AMONG_BULK) turns.small();
      return this.#stream.send(frame);
    }
    this.#smallInARow = 0;
    if (turns.isFree && !this.#stream.writableNeedsDrain) {
      turns.spend(frame.byteLength);
      return this.#stream.send(frame);
    }
    this.#held = frame;
    // A connection or window that is full says when there is room.
    if (!this.#stream.writableNeedsDrain) turns.join(this);
    return false;
  }

  go(): number {
    if (!this.#isOpen || this.#stream.writableNeedsDrain) return 0;
    const bytes = this.#held?.byteLength ?? 0;
    this.#guard(() => this.#sendHeld() && this.#events.drain());
    return bytes;
  }

  /** Sends the frame that waits, if there is one; false when there is no room for another. */
  #sendHeld(): boolean {
    const frame = this.#held;
    this.#held = undefined;
    return frame === undefined || this.#stream.writeStatus !== 'writable' || this.#stream.send(frame);
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
    this.#sendHeld();
    // It rejects when the stream closes first, which the close event tells.
    this.#stream.close().catch(() => {});
  }

  abort(reason: string): void {
    this.#isAborted = true;
    this.#stream.abort(new Error(reason));
  }

  #onMessage(event: StreamMessageEvent): void {
    this.#context.traffic.received++;
    const chunks = event.data instanceof Uint8Array ? [event.data] : event.data;
    for (const chunk of chunks) if (this.#events.data(plain(chunk))) returnRead(chunk);
  }

  #onDrain(): void {
    if (this.#stream.writableNeedsDrain || !this.#isOpen) return;
    if (this.#context.priority === 'control') this.#events.drain();
    else this.#context.turns.join(this);
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
    this.#held = undefined;
    this.#context.turns.leave(this);
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

  #guard(work: () => unknown): void {
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
