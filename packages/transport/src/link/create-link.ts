import {
  type DecodeError,
  InvalidArgumentError,
  type PeerId,
  type Runtime,
  type Timer,
  type WaitOptions,
} from '@mosaik/primitives';
import { CloseCode } from '../codes.ts';
import { LinkEndedError } from '../errors.ts';
import type { Protocol } from '../protocol.ts';
import type { Channel, ChannelEnd, ChannelFactory } from './channel.ts';
import type { LinkEnd } from './end.ts';
import { decodeControl, encodeClose, isCloseCode } from './frame.ts';
import { FramingError } from './inbox.ts';
import type { Direction, Link, LinkStats } from './link.ts';
import { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';

/** How long `close` waits for the other side, and how long one that broke the protocol has to go. */
const LINGER_MS = 2_000;

/** A link that was closed delivers what it had accepted as long as the other side takes some of it this often. */
const STALLED_MS = 60_000;

/** What a link is made of. */
export interface CreateLinkOptions<M> {
  readonly peer: PeerId;
  readonly protocol: Protocol<M>;
  readonly protocolId: string;
  readonly direction: Direction;
  readonly runtime: Runtime;
  readonly channel: ChannelFactory;
}

/** Makes a link over any channel: what both transports, and adapters of others, build on. */
export function createLink<M>(options: CreateLinkOptions<M>): Link<M> {
  return new ChannelLink(options);
}

/**
 * A link's life: open → ended (by whoever is first: a close of either side, a violation, the channel's own end) →
 * channel closed. The end is decided once; what follows only cleans up.
 */
class ChannelLink<M> implements Link<M> {
  readonly peer: PeerId;
  readonly protocol: string;
  readonly direction: Direction;
  readonly ended: Promise<LinkEnd>;
  readonly #definition: Protocol<M>;
  readonly #runtime: Runtime;
  readonly #channel: Channel;
  readonly #sender: Sender;
  readonly #receiver: Receiver<M>;
  readonly #finished: Promise<void>;
  #onEnded: (end: LinkEnd) => void = () => {};
  #onFinished: () => void = () => {};
  #end: LinkEnd | undefined;
  /** Tears the channel down when the other side does not finish. */
  #linger: Timer | undefined;
  /** Ends the wait of `close`. */
  #patience: Timer | undefined;

  constructor(options: CreateLinkOptions<M>) {
    this.peer = options.peer;
    this.protocol = options.protocolId;
    this.direction = options.direction;
    this.#definition = options.protocol;
    this.#runtime = options.runtime;
    this.ended = new Promise((resolve) => {
      this.#onEnded = resolve;
    });
    this.#finished = new Promise((resolve) => {
      this.#onFinished = resolve;
    });
    this.#sender = new Sender(options.runtime, options.protocol);
    this.#receiver = new Receiver({
      codec: options.protocol.codec,
      maxFrameBytes: options.protocol.maxFrameBytes,
      receiveBufferBytes: options.protocol.receiveBufferBytes,
      onControl: (payload) => this.#onControl(payload),
      onUndecodable: (error) => this.#violate(CloseCode.Malformed, error.message),
      onPressure: (isFull) => (isFull ? this.#channel.pause() : this.#channel.resume()),
    });
    this.#channel = options.channel({
      data: (chunk) => this.#onData(chunk),
      drain: () => this.#onDrain(),
      remoteEnd: () => this.#onRemoteEnd(),
      closed: (end) => this.#onClosed(end),
    });
    this.#sender.attach(this.#channel);
  }

  get end(): LinkEnd | undefined {
    return this.#end;
  }

  get stats(): LinkStats {
    return {
      sentMessages: this.#sender.messages,
      sentBytes: this.#sender.bytes,
      sentFrames: this.#sender.frames,
      receivedMessages: this.#receiver.messages,
      receivedBytes: this.#receiver.bytes,
      unsentBytes: this.#sender.unsentBytes,
      unreadBytes: this.#receiver.unreadBytes,
    };
  }

  send(message: M, options?: WaitOptions): Promise<void> {
    if (this.#end) return Promise.reject(new LinkEndedError(this.#end));
    return this.#sender.send(this.#definition.codec.encode(message), options);
  }

  trySend(message: M): boolean {
    return this.#sender.trySend(this.#definition.codec.encode(message));
  }

  sendEncoded(payload: Uint8Array, options?: WaitOptions): Promise<void> {
    return this.#sender.send(payload, options);
  }

  trySendEncoded(payload: Uint8Array): boolean {
    return this.#sender.trySend(payload);
  }

  flushed(options: WaitOptions = {}): Promise<void> {
    return this.#sender.flushed(options);
  }

  receive(options?: WaitOptions): Promise<M | undefined> {
    return this.#receiver.receive(options);
  }

  batches(options?: WaitOptions): AsyncIterableIterator<M[], void, void> {
    return this.#receiver.batches(options);
  }

  [Symbol.asyncIterator](): AsyncIterator<M, void, void> {
    return this.#receiver.iterate();
  }

  close(code: number = CloseCode.Done, reason = ''): Promise<void> {
    if (!isCloseCode(code)) {
      const expected = `a whole number from 0 to 2^32 - 1, not ${code}`;
      return Promise.reject(new InvalidArgumentError('code', expected));
    }
    if (this.#end === undefined) {
      const end: LinkEnd = { kind: 'closed', by: 'local', code, reason };
      this.#settle(end);
      this.#receiver.stop(end);
      this.#patience = this.#runtime.setTimer(LINGER_MS, () => this.#onFinished());
      this.#sayGoodbye(end, { code, reason }, STALLED_MS);
    }
    return this.#finished;
  }

  abort(reason = 'aborted'): void {
    const end: LinkEnd = { kind: 'closed', by: 'local', code: CloseCode.Done, reason };
    this.#settle(end);
    this.#receiver.stop(this.#end ?? end);
    this.#sender.stop(this.#end ?? end);
    this.#channel.abort(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Decides how the link ended; only the first call counts. */
  #settle(end: LinkEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#onEnded(end);
  }

  #sayGoodbye(end: LinkEnd, record: { code: number; reason: string }, patienceMs: number): void {
    this.#sender.finish(end, encodeClose(record), () => this.#channel.closeWrite());
    this.#awaitOtherSide(patienceMs);
  }

  /** The flow goes on so that the end of the other side can be seen; what still arrives is discarded. */
  #awaitOtherSide(patienceMs: number): void {
    this.#channel.resume();
    this.#linger?.cancel();
    this.#linger = this.#runtime.setTimer(patienceMs, () =>
      this.#channel.abort('the other side did not finish'),
    );
  }

  #onDrain(): void {
    if (this.#end?.kind === 'closed' && this.#end.by === 'local') this.#awaitOtherSide(STALLED_MS);
    this.#sender.drained();
  }

  #violate(code: number, reason: string): void {
    if (this.#end !== undefined) return;
    const end: LinkEnd = { kind: 'violation', code, reason };
    this.#settle(end);
    this.#receiver.finish(end);
    this.#sayGoodbye(end, { code, reason }, LINGER_MS);
  }

  #onData(chunk: Uint8Array): boolean {
    try {
      return this.#receiver.push(chunk);
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      this.#violate(error.closeCode, error.message);
      return false;
    }
  }

  #onControl(payload: Uint8Array): void {
    if (this.#end !== undefined) return;
    const close = this.#readControl(payload);
    if (close === undefined) return;
    const end: LinkEnd = { kind: 'closed', by: 'remote', code: close.code, reason: close.reason };
    this.#settle(end);
    this.#receiver.finish(end);
    this.#sender.stop(end);
    this.#channel.closeWrite();
    this.#awaitOtherSide(LINGER_MS);
  }

  #readControl(payload: Uint8Array): { code: number; reason: string } | undefined {
    try {
      return decodeControl(payload);
    } catch (error) {
      throw new FramingError(CloseCode.Malformed, `control record: ${(error as DecodeError).message}`);
    }
  }

  #onRemoteEnd(): void {
    if (this.#end !== undefined) return;
    if (this.#receiver.isMidFrame) {
      this.#violate(CloseCode.Malformed, 'the stream ended within a frame');
      return;
    }
    this.#lose({ kind: 'lost', reason: 'the peer ended without a goodbye' });
    this.#channel.abort('ended without a goodbye');
  }

  #onClosed(end: ChannelEnd): void {
    this.#linger?.cancel();
    this.#patience?.cancel();
    if (this.#end === undefined) {
      this.#lose(
        end.kind === 'finished' ? { kind: 'lost', reason: 'the peer ended without a goodbye' } : end,
      );
    } else {
      this.#sender.stop(this.#end);
    }
    this.#onFinished();
  }

  #lose(end: LinkEnd): void {
    this.#settle(end);
    this.#receiver.finish(end);
    this.#sender.stop(end);
  }
}
