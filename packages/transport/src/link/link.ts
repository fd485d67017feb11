import type { PeerId, WaitOptions } from '@mosaik/primitives';
import type { LinkEnd } from './end.ts';

/** Who opened a link or connection, seen from here. */
export type Direction = 'inbound' | 'outbound';

/** What went over a link so far. */
export interface LinkStats {
  readonly sentMessages: number;
  readonly sentBytes: number;
  /** Writes to the channel: with many small messages in flight, far fewer than messages. */
  readonly sentFrames: number;
  readonly receivedMessages: number;
  readonly receivedBytes: number;
  /** Bytes accepted by `send` that have not left yet. */
  readonly unsentBytes: number;
  /** Bytes that have arrived and that nobody has read yet. */
  readonly unreadBytes: number;
}

/**
 * A typed, framed, bidirectional channel to one peer.
 *
 * Iterating it yields the messages in order; the loop ends when the link is closed by this side or by the other with
 * code 0, and throws {@link LinkEndedError} when it ended in any other way. What had arrived before the end is yielded
 * first. One reader at a time.
 */
export interface Link<M> extends AsyncIterable<M>, AsyncDisposable {
  readonly peer: PeerId;
  /** The protocol id that was negotiated. */
  readonly protocol: string;
  readonly direction: Direction;
  /**
   * Sends a message; resolves when the link has accepted it, which waits while `sendBufferBytes` are unsent.
   * Messages arrive in the order of the calls, unless the link ends.
   *
   * @throws {LinkEndedError} when the link is over.
   * @throws {FrameTooLargeError} when the message is over `maxFrameBytes`; the link goes on.
   * @throws {TooManyWaitingError} when over a thousand sends wait already.
   */
  send(message: M, options?: WaitOptions): Promise<void>;
  /**
   * Sends a message if there is room for it now.
   *
   * @returns false when there is none; nothing was sent.
   */
  trySend(message: M): boolean;
  /**
   * Like {@link Link.send}, for a message that its codec has encoded already: encode once, send to many. It may lie in memory that
   * is lent, and must not be changed: see `lend`.
   */
  sendEncoded(payload: Uint8Array, options?: WaitOptions): Promise<void>;
  /** Like {@link Link.trySend}, for an encoded message. */
  trySendEncoded(payload: Uint8Array): boolean;
  /** Resolves when everything accepted so far has been handed to the connection. */
  flushed(options?: WaitOptions): Promise<void>;
  /** Resolves with the next message, or `undefined` when the link has ended cleanly. */
  receive(options?: WaitOptions): Promise<M | undefined>;
  /** The messages in runs of what has arrived: one turn of the loop for many, for readers in a hurry. */
  batches(options?: WaitOptions): AsyncIterableIterator<M[], void, void>;
  /**
   * Closes the link: what was accepted is sent first, then the code and text, and the other side sees them.
   * Resolves when the other side has finished too, or after two seconds without that.
   *
   * @throws {InvalidArgumentError} when the code is not a whole number from 0 to 2^32 - 1; the link goes on.
   */
  close(code?: number, reason?: string): Promise<void>;
  /** Tears the link down at once, unsent messages and all; the other side sees a reset. */
  abort(reason?: string): void;
  /** How it ended, once it has. */
  readonly end: LinkEnd | undefined;
  /** Resolves when the link has ended; never rejects. */
  readonly ended: Promise<LinkEnd>;
  readonly stats: LinkStats;
}
