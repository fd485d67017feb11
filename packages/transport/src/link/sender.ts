import { type Runtime, type WaitOptions, waitFor } from '@mosaik/primitives';
import { FrameTooLargeError, LinkEndedError, TooManyWaitingError } from '../errors.ts';
import type { Protocol } from '../protocol.ts';
import type { Channel } from './channel.ts';
import type { LinkEnd } from './end.ts';
import { FRAME_BYTES, Outbox } from './outbox.ts';

/** Shared by all sends that found room: accepting a message costs no promise of its own. */
const ACCEPTED: Promise<void> = Promise.resolve();

/** Sends that may wait for room at once; more is a caller that does not await. */
const MAX_WAITING = 1_000;

/**
 * Two flushes closer than this are taken to be of one turn. A turn is not observable without scheduling something for
 * its end, which costs a round trip of 0.08 ms a good part of itself; the clock costs 40 ns.
 */
const SAME_TURN_MS = 0.05;

/**
 * What a bulk link writes before it lets other events in: 256 KiB take about a millisecond to encrypt, and a heartbeat
 * of the same node waits no longer than that.
 */
const FRAMES_PER_TURN = 4;

/**
 * The sending half of a link: coalesces messages into frames and holds callers back while the channel is full.
 *
 * The first message of a turn of the event loop leaves in that turn; what follows in the same turn leaves together
 * at its end, or as soon as a frame is full. So an idle link adds no delay, and a burst costs one frame per 64 KiB.
 */
export class Sender {
  readonly #runtime: Runtime;
  readonly #limits: Pick<Protocol<never>, 'maxFrameBytes' | 'sendBufferBytes'>;
  readonly #outbox = new Outbox();
  readonly #waiting = new Set<() => void>();
  #channel: Channel | undefined;
  #end: LinkEnd | undefined;
  /** Something that was accepted will never leave. */
  #hasDropped = false;
  #isBlocked = false;
  /** A flush is queued for the end of this microtask… */
  #isFlushQueued = false;
  /** …or for the end of this turn of the loop. */
  #isTurnPending = false;
  #flushedAtMs = Number.NEGATIVE_INFINITY;
  #framesThisTurn = 0;
  #onEmpty: (() => void)[] = [];
  messages = 0;
  bytes = 0;
  frames = 0;

  constructor(runtime: Runtime, limits: Pick<Protocol<never>, 'maxFrameBytes' | 'sendBufferBytes'>) {
    this.#runtime = runtime;
    this.#limits = limits;
  }

  get unsentBytes(): number {
    return this.#outbox.bytes;
  }

  attach(channel: Channel): void {
    this.#channel = channel;
  }

  send(payload: Uint8Array, options: WaitOptions | undefined): Promise<void> {
    if (this.#end) return Promise.reject(new LinkEndedError(this.#end));
    if (payload.length > this.#limits.maxFrameBytes) return Promise.reject(this.#tooLarge(payload));
    if (this.#hasRoom && this.#waiting.size === 0 && options?.signal?.aborted !== true) {
      this.#accept(payload);
      return ACCEPTED;
    }
    return this.#wait(payload, options?.signal);
  }

  trySend(payload: Uint8Array): boolean {
    if (this.#end) throw new LinkEndedError(this.#end);
    if (payload.length > this.#limits.maxFrameBytes) throw this.#tooLarge(payload);
    if (!this.#hasRoom || this.#waiting.size > 0) return false;
    this.#accept(payload);
    return true;
  }

  flushed(options: WaitOptions): Promise<void> {
    return waitFor<void>('flushing a link', options.signal, (resolve, reject) => {
      const check = (): void => {
        if (this.#outbox.bytes === 0 && this.#waiting.size === 0 && !this.#hasDropped) resolve();
        else if (this.#end) reject(new LinkEndedError(this.#end));
        else this.#onEmpty.push(check);
      };
      check();
      return () => {
        this.#onEmpty = this.#onEmpty.filter((other) => other !== check);
      };
    });
  }

  /** Accepts no more messages; those accepted go out, `record` as the last, and then `onSent` is called. */
  finish(end: LinkEnd, record: Uint8Array, onSent: () => void): void {
    this.#fail(end);
    this.#outbox.appendRecord(record);
    this.#onEmpty.push(onSent);
    this.#schedule();
  }

  /** Nothing goes out any more. */
  stop(end: LinkEnd): void {
    this.#hasDropped ||= this.#outbox.bytes > 0;
    this.#outbox.clear();
    this.#fail(end);
    this.#channel = undefined;
    this.#tellEmpty();
  }

  drained(): void {
    this.#isBlocked = false;
    this.#flush();
  }

  #fail(end: LinkEnd): void {
    this.#end ??= end;
    // Each of them finds the end when it looks whether there is room.
    for (const wake of [...this.#waiting]) wake();
  }

  get #hasRoom(): boolean {
    return this.#outbox.bytes < this.#limits.sendBufferBytes;
  }

  #tooLarge(payload: Uint8Array): FrameTooLargeError {
    return new FrameTooLargeError(payload.length, this.#limits.maxFrameBytes);
  }

  #accept(payload: Uint8Array): void {
    this.#outbox.append(payload);
    this.messages++;
    this.bytes += payload.length;
    this.#schedule();
  }

  #wait(payload: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiting.size >= MAX_WAITING) return Promise.reject(new TooManyWaitingError(this.#waiting.size));
    return waitFor<void>('sending on a link', signal, (resolve, reject) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        if (this.#end) {
          reject(new LinkEndedError(this.#end));
        } else {
          this.#accept(payload);
          resolve();
        }
      };
      this.#waiting.add(wake);
      return () => void this.#waiting.delete(wake);
    });
  }

  #schedule(): void {
    if (this.#isBlocked || this.#isFlushQueued) return;
    if (this.#isTurnPending) {
      if (this.#outbox.bytes >= FRAME_BYTES && this.#framesThisTurn < FRAMES_PER_TURN)
        this.#writeWhile(FRAME_BYTES);
    } else if (this.#runtime.now() - this.#flushedAtMs < SAME_TURN_MS) {
      this.#flushAfterTurn();
    } else {
      this.#isFlushQueued = true;
      queueMicrotask(() => this.#flush());
    }
  }

  #flushAfterTurn(): void {
    this.#isTurnPending = true;
    this.#runtime.yieldTo(() => {
      this.#isTurnPending = false;
      if (!this.#isBlocked && !this.#isFlushQueued) this.#flush();
    });
  }

  /** Writes frames until nothing is left, the channel is full, or the turn has had its share. */
  #flush(): void {
    this.#isFlushQueued = false;
    this.#framesThisTurn = 0;
    this.#flushedAtMs = this.#runtime.now();
    this.#writeWhile(1);
    if (this.#outbox.bytes > 0 && !this.#isBlocked && !this.#isTurnPending) this.#flushAfterTurn();
    this.#admit();
  }

  #writeWhile(bytesMin: number): void {
    while (this.#outbox.bytes >= bytesMin && this.#mayWrite()) this.#writeFrame();
  }

  #mayWrite(): boolean {
    return !this.#isBlocked && this.#channel !== undefined && this.#framesThisTurn < FRAMES_PER_TURN;
  }

  #writeFrame(): void {
    const frame = this.#outbox.takeFrame();
    this.#framesThisTurn++;
    this.frames++;
    if (this.#channel?.write(frame) === false) this.#isBlocked = true;
  }

  /** Lets waiting sends in, in order, as far as there is room. */
  #admit(): void {
    for (const wake of this.#waiting) {
      if (!this.#hasRoom && !this.#end) break;
      wake();
    }
    if (this.#outbox.bytes === 0) this.#tellEmpty();
  }

  #tellEmpty(): void {
    const listeners = this.#onEmpty;
    this.#onEmpty = [];
    for (const listener of listeners) listener();
  }
}
