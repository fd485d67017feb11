import type { PeerInfo } from '@mosaik/discovery';
import {
  type Backoff,
  type BackoffOptions,
  createBackoff,
  DecodeError,
  type PeerId,
  type Scope,
  type StreamId,
  throwIfAborted,
  toError,
  type WaitOptions,
  waitFor,
  withTimeout,
} from '@mosaik/primitives';
import { type Link, LinkEndedError } from '@mosaik/transport';
import { describeEnd, StreamCode } from '../codes.ts';
import type { StreamMetrics } from '../metrics.ts';
import { type ChannelState, type ChannelView, channelStats } from '../stats.ts';
import { type Block, scanBlock } from '../wire/block.ts';
import {
  type Accepted,
  decodeAccepted,
  decodeFinished,
  type Epoch,
  encodeSubscribe,
  Kind,
  kindOf,
} from '../wire/messages.ts';
import type { Source } from './inbox.ts';
import type { Position } from './position.ts';

/** How long a producer may take to answer, its connection included. */
const ANSWER_MS = 10_000;

/** One that ends sooner counts as another failed attempt: who is dropped again and again comes back more slowly. */
const STEADY_MS = 5_000;

export interface SubscriptionOptions {
  readonly scope: Scope;
  readonly info: PeerInfo;
  readonly stream: StreamId;
  readonly criteria: unknown;
  readonly backoff: BackoffOptions;
  readonly source: Source;
  readonly position: Position;
  readonly metrics: StreamMetrics;
  readonly open: (peer: PeerId, options: WaitOptions) => Promise<Link<Uint8Array>>;
  readonly signedMe: () => Uint8Array;
  /** `state` has changed, or an attempt has failed. */
  readonly onChange: (subscription: Subscription) => void;
}

/** Keeps one producer subscribed: connects, follows, and starts over with backoff when it ends. */
export class Subscription {
  readonly #options: SubscriptionOptions;
  readonly #backoff: Backoff;
  info: PeerInfo;
  #state: ChannelState = 'connecting';
  #liveSinceMs = 0;
  #failures = 0;
  #lastError: string | undefined;
  #lastCode: number | undefined;
  #datums = 0;
  #bytes = 0;
  #link: Link<Uint8Array> | undefined;
  /** Ends the wait between attempts. */
  #endPause: (() => void) | undefined;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.info = options.info;
    this.#backoff = createBackoff(options.scope.runtime, options.backoff);
    options.scope.spawn('subscribe', (signal) => this.#run(signal));
  }

  get state(): ChannelState {
    return this.#state;
  }

  /** Whether the producer may have accepted it, and then sends what nobody else knows of: not before it was asked, nor after the link's end. */
  get mayReceive(): boolean {
    return this.#link !== undefined;
  }

  /** Attempts that failed since it was live last. */
  get failures(): number {
    return this.#failures;
  }

  /** What the last attempt was refused with. */
  get lastCode(): number | undefined {
    return this.#lastCode;
  }

  get datums(): number {
    return this.#datums;
  }

  get bytes(): number {
    return this.#bytes;
  }

  view(): ChannelView {
    const { source } = this.#options;
    const stats = channelStats({
      datums: this.#datums,
      bytes: this.#bytes,
      uptimeMs: this.#state === 'live' ? this.#liveMs : 0,
      lagDatums: source.queuedDatums,
      lagBytes: source.queuedBytes,
      lastError: this.#lastError,
    });
    return { peer: this.info, state: this.#state, stats };
  }

  /** The catalog says something new of the peer: worth another attempt at once. */
  retry(): void {
    this.#backoff.reset();
    this.#endPause?.();
  }

  /** Ends it for good, and tells the producer why. */
  async close(code = 0, reason = ''): Promise<void> {
    void this.#link?.close(code, reason);
    await this.#options.scope.close();
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#set('connecting');
      await this.#attempt(signal);
      if (signal.aborted) return;
      this.#set('waiting');
      await this.#pause(signal);
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const waited = waitFor<void>('the next attempt', signal, (resolve) => {
      const timer = this.#options.scope.runtime.setTimer(this.#backoff.next(), resolve);
      this.#endPause = resolve;
      return () => {
        timer.cancel();
        this.#endPause = undefined;
      };
    });
    await waited.catch(() => {});
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    try {
      await this.#begin(signal);
      await this.#follow(signal);
    } catch (thrown) {
      if (!signal.aborted) this.#failed(toError(thrown));
    } finally {
      if (this.#state === 'live' && this.#liveMs >= STEADY_MS) this.#backoff.reset();
      if (this.#link?.end === undefined) void this.#link?.close();
      this.#link = undefined;
    }
  }

  /** Subscribes; resolves when the producer has accepted, and what was missed before that is in the inbox. */
  async #begin(signal: AbortSignal): Promise<void> {
    const { scope, position, source } = this.#options;
    const limits = { what: 'subscribing', timeoutMs: ANSWER_MS, signal };
    const accepted = await withTimeout(scope.runtime, limits, (limit) => this.#ask(limit));
    // Takes as long as the reader takes to make room: the place is not moved before what is missing is told.
    await source.pushGaps(position.missedBefore(accepted), { signal });
    position.begin(accepted);
    this.#failures = 0;
    this.#lastCode = undefined;
    this.#liveSinceMs = scope.runtime.now();
    this.#set('live');
  }

  async #ask(signal: AbortSignal): Promise<Accepted> {
    const { info, stream, criteria, open, signedMe } = this.#options;
    const link = await open(info.peer, { signal });
    if (signal.aborted) {
      void link.close();
      throwIfAborted(signal, 'subscribing');
    }
    this.#link = link;
    await link.sendEncoded(encodeSubscribe({ stream, criteria, entry: signedMe() }), { signal });
    const answer = await link.receive({ signal });
    if (answer === undefined) throw new DecodeError('malformed', 'the producer ended without an answer');
    return decodeAccepted(answer);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for await (const batch of (this.#link as Link<Uint8Array>).batches({ signal })) {
      for (const message of batch) await this.#take(message, signal);
    }
  }

  /** Not a promise where there is room, which is nearly always. */
  #take(message: Uint8Array, signal: AbortSignal): Promise<void> | undefined {
    const { position } = this.#options;
    const kind = kindOf(message);
    if (kind === Kind.Block) return this.#takeBlock(scanBlock(message), signal);
    // What newer producers may say besides is skipped.
    if (kind === Kind.Finished) position.finish(decodeFinished(message));
    return undefined;
  }

  #takeBlock(block: Block, signal: AbortSignal): Promise<void> | undefined {
    const { position, source } = this.#options;
    position.check(block);
    // The place is that of what the inbox has: a wait for room may be given up.
    const waiting = block.count === 0 ? undefined : source.push(block, position.epoch as Epoch, { signal });
    if (waiting !== undefined) return waiting.then(() => this.#taken(block));
    this.#taken(block);
    return undefined;
  }

  #taken({ next, count, bytes }: Block): void {
    const { position, metrics } = this.#options;
    position.advance(next);
    this.#datums += count;
    this.#bytes += bytes.length;
    metrics.received(count, bytes.length);
  }

  get #liveMs(): number {
    return this.#options.scope.runtime.now() - this.#liveSinceMs;
  }

  #failed(error: Error): void {
    this.#failures++;
    if (error instanceof DecodeError) void this.#link?.close(StreamCode.Malformed, error.message);
    const end = error instanceof LinkEndedError ? error.end : undefined;
    this.#lastCode = end !== undefined && 'code' in end ? end.code : undefined;
    this.#lastError = end === undefined ? error.message : describeEnd(end);
  }

  #set(state: ChannelState): void {
    this.#state = state;
    this.#options.onChange(this);
  }
}
