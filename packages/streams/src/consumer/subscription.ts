import type { PeerInfo } from '@mosaik/discovery';
import {
  type Backoff,
  type BackoffOptions,
  createBackoff,
  DecodeError,
  type PeerId,
  type Scope,
  type StreamId,
  sleep,
  toError,
  type WaitOptions,
  withTimeout,
} from '@mosaik/primitives';
import { type Link, LinkEndedError } from '@mosaik/transport';
import { describeEnd, StreamCode } from '../codes.ts';
import type { StreamMetrics } from '../metrics.ts';
import { type ChannelState, type ChannelView, channelStats } from '../stats.ts';
import { type Block, scanBlock } from '../wire/block.ts';
import { decodeAccepted, decodeFinished, encodeSubscribe, Kind, kindOf } from '../wire/messages.ts';
import type { Source } from './inbox.ts';
import type { Position } from './position.ts';

/** How long a producer may take to answer, its connection included. */
const ANSWER_MS = 10_000;

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
  #wake = new AbortController();

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.info = options.info;
    this.#backoff = createBackoff(options.scope.runtime, options.backoff);
    options.scope.spawn('subscribe', (signal) => this.#run(signal));
  }

  get state(): ChannelState {
    return this.#state;
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
    const { scope, source } = this.#options;
    const stats = channelStats({
      datums: this.#datums,
      bytes: this.#bytes,
      uptimeMs: this.#state === 'live' ? scope.runtime.now() - this.#liveSinceMs : 0,
      lagDatums: source.queuedDatums,
      lagBytes: source.queuedBytes,
      lastError: this.#lastError,
    });
    return { peer: this.info, state: this.#state, stats };
  }

  /** The catalog says something new of the peer: worth another attempt at once. */
  retry(): void {
    this.#backoff.reset();
    this.#wake.abort();
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
    this.#wake = new AbortController();
    const either = AbortSignal.any([signal, this.#wake.signal]);
    await sleep(this.#options.scope.runtime, this.#backoff.next(), { signal: either }).catch(() => {});
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    try {
      const link = await this.#begin(signal);
      this.#link = link;
      await this.#follow(link, signal);
    } catch (thrown) {
      if (!signal.aborted) this.#failed(toError(thrown));
    } finally {
      if (this.#link?.end === undefined) void this.#link?.close();
      this.#link = undefined;
    }
  }

  /** Subscribes; resolves when the producer has accepted. */
  async #begin(signal: AbortSignal): Promise<Link<Uint8Array>> {
    const { scope, info, stream, criteria, open, signedMe } = this.#options;
    const limits = { what: 'subscribing', timeoutMs: ANSWER_MS, signal };
    return await withTimeout(scope.runtime, limits, async (limit) => {
      const link = await open(info.peer, { signal: limit });
      try {
        await link.sendEncoded(encodeSubscribe({ stream, criteria, entry: signedMe() }), { signal: limit });
        await this.#accepted(link, limit);
        return link;
      } catch (error) {
        void link.close(link.end === undefined && error instanceof DecodeError ? StreamCode.Malformed : 0);
        throw error;
      }
    });
  }

  async #accepted(link: Link<Uint8Array>, signal: AbortSignal): Promise<void> {
    const answer = await link.receive({ signal });
    if (answer === undefined) throw new DecodeError('malformed', 'the producer ended without an answer');
    const { position, source } = this.#options;
    for (const gap of position.begin(decodeAccepted(answer))) await source.pushGap(gap, { signal });
    this.#backoff.reset();
    this.#failures = 0;
    this.#lastCode = undefined;
    this.#liveSinceMs = this.#options.scope.runtime.now();
    this.#set('live');
  }

  async #follow(link: Link<Uint8Array>, signal: AbortSignal): Promise<void> {
    try {
      for await (const batch of link.batches({ signal })) {
        for (const message of batch) await this.#take(message, signal);
      }
    } catch (error) {
      if (error instanceof DecodeError) void link.close(StreamCode.Malformed, error.message);
      throw error;
    }
  }

  /** Not a promise where there is room, which is nearly always. */
  #take(message: Uint8Array, signal: AbortSignal): Promise<void> | undefined {
    const { position, metrics, source } = this.#options;
    const kind = kindOf(message);
    if (kind === Kind.Finished) {
      position.finish(decodeFinished(message).next);
      return undefined;
    }
    // What newer producers may say besides is skipped.
    if (kind !== Kind.Block) return undefined;
    const block = scanBlock(message);
    this.#checkPlace(block);
    position.advance(block.next);
    this.#datums += block.count;
    this.#bytes += message.length;
    metrics.received(block.count, message.length);
    return block.count === 0 ? undefined : source.push(block, position.epoch as never, { signal });
  }

  /** Within a subscription nothing is lost or comes twice; with criteria, places are left out. */
  #checkPlace({ first }: Block): void {
    const { position, criteria } = this.#options;
    const isRight = criteria === undefined ? first === position.next : first >= position.next;
    if (!isRight) throw new DecodeError('malformed', `a block at ${first}, not at ${position.next}`);
  }

  #failed(error: Error): void {
    this.#failures++;
    const end = error instanceof LinkEndedError ? error.end : undefined;
    this.#lastCode = end !== undefined && 'code' in end ? end.code : undefined;
    this.#lastError = end === undefined ? error.message : describeEnd(end);
  }

  #set(state: ChannelState): void {
    this.#state = state;
    this.#options.onChange(this);
  }
}
