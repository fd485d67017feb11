import type { PeerInfo } from '@mosaik/discovery';
import { abortable, createQueue, type Queue, type Runtime, type WaitOptions } from '@mosaik/primitives';
import type { Link } from '@mosaik/transport';
import { describeStreamCode, StreamCode } from '../codes.ts';
import type { Filter } from '../criteria/filter.ts';
import { type ChannelView, channelStats } from '../stats.ts';
import type { Block } from '../wire/block.ts';
import { encodeFinished, type Sequence } from '../wire/messages.ts';
import type { Egress, Sender } from './egress.ts';
import type { Ledger } from './ledger.ts';
import type { Patience } from './patience.ts';
import { Sieve } from './sieve.ts';

/** Where a channel lies in the bounds of its queue. */
export interface ChannelBounds {
  readonly bytes: number;
  readonly datums: number;
  /** From here on `send` waits for the channel, as long as there is patience. */
  readonly softBytes: number;
  readonly softDatums: number;
}

export interface ChannelOptions {
  readonly runtime: Runtime;
  readonly link: Link<Uint8Array>;
  readonly info: PeerInfo;
  readonly filter: Filter | undefined;
  readonly bounds: ChannelBounds;
  readonly egress: Egress;
  readonly ledger: Ledger | undefined;
  readonly patience: Patience;
  /** Where the subscription begins. */
  readonly next: Sequence;
  /** The queue has filled up to the soft bound, or has been emptied below it; or the channel is idle. */
  readonly onLevel: () => void;
  /** Nothing is left to send. */
  readonly onIdle: () => void;
  /** A block was handed to the link. */
  readonly onSent: (datums: number, bytes: number) => void;
}

/** One subscription, at the producer: a queue of blocks that other channels may hold, too, and a link. */
export class Channel implements Sender {
  readonly #options: ChannelOptions;
  readonly #queue: Queue<Block>;
  readonly #sieve: Sieve | undefined;
  readonly #openedAtMs: number;
  readonly patience: Patience;
  info: PeerInfo;
  /** Taken from the queue, and not yet by the link. */
  #held: Block | undefined;
  #isWaitingForLink = false;
  #isWaitingForEgress = false;
  #hasTurn = false;
  #queuedDatums = 0;
  /** What was told to the owner last. */
  #wasFull = false;
  #isOver = false;
  /** The last block that was offered had something for it. */
  #hasShare = true;
  #onIdle: (() => void)[] = [];
  /** Everything below has been given to this channel… */
  #offeredTo: Sequence;
  /** …and has left or been dropped. */
  #doneTo: Sequence;
  /** When something left last, or when there was nothing to send. */
  #movedAtMs: number;
  #datums = 0;
  #bytes = 0;

  constructor(options: ChannelOptions) {
    const { runtime, next } = options;
    this.#options = options;
    this.info = options.info;
    this.#queue = createQueue<Block>({
      maxItems: Number.POSITIVE_INFINITY,
      maxBytes: Number.POSITIVE_INFINITY,
      sizeOf: ({ bytes }) => bytes.length,
    });
    // A ledger looks at blocks that have left.
    const isLending = options.ledger === undefined;
    this.#sieve = options.filter && new Sieve(options.filter, next, { isLending });
    this.#openedAtMs = runtime.now();
    this.#movedAtMs = this.#openedAtMs;
    this.patience = options.patience;
    this.#offeredTo = next;
    this.#doneTo = next;
  }

  get link(): Link<Uint8Array> {
    return this.#options.link;
  }

  get queuedBytes(): number {
    return this.#queue.bytes + (this.#held?.bytes.length ?? 0);
  }

  get isIdle(): boolean {
    return this.#isOver || (this.#held === undefined && this.#queue.length === 0);
  }

  /** It could send more than it is given; one whose criteria leave nothing of what is sent could not. */
  get isStarving(): boolean {
    return this.isIdle && this.#hasShare;
  }

  /** The producer should wait for it. */
  get isFull(): boolean {
    const { softBytes, softDatums } = this.#options.bounds;
    return this.queuedBytes >= softBytes || this.#queuedDatums >= softDatums;
  }

  /** It has fallen behind by all that may be kept for it. */
  get isOverfull(): boolean {
    const { bytes, datums } = this.#options.bounds;
    return this.queuedBytes >= bytes || this.#queuedDatums >= datums;
  }

  /** It is not the consumer that holds it up. */
  get isHeldBack(): boolean {
    return this.#isWaitingForEgress;
  }

  /** How long nothing has left, though something is there to leave. */
  stalledMs(nowMs: number): number {
    return this.isIdle || this.#isWaitingForEgress ? 0 : nowMs - this.#movedAtMs;
  }

  view(): ChannelView {
    const uptimeMs = this.#options.runtime.now() - this.#openedAtMs;
    const stats = channelStats({
      datums: this.#datums,
      bytes: this.#bytes,
      uptimeMs,
      lagDatums: this.#queuedDatums,
      lagBytes: this.queuedBytes,
      lastError: undefined,
    });
    return { peer: this.info, state: 'live', stats };
  }

  /** With criteria: looks whether a datum is wanted. */
  look(sequence: Sequence, datum: unknown): void {
    this.#sieve?.look(sequence, datum);
  }

  /** Whether a block is part of this subscription, and not of before it. */
  covers(block: Block): boolean {
    return block.first >= this.#offeredTo;
  }

  /** Takes a block that was made for all, or in its place what this channel's criteria left of it. */
  offer(shared: Block): void {
    if (this.#isOver) return;
    if (this.#offeredTo === this.#doneTo && this.isIdle) this.#movedAtMs = this.#options.runtime.now();
    const own = this.#sieve === undefined ? shared : this.#sieve.sift(shared);
    this.#offeredTo = shared.next;
    this.#hasShare = own !== undefined && own.count > 0;
    if (own === undefined) {
      if (this.isIdle) this.#release(shared.next);
      return;
    }
    // Of a block that is shared whoever shares it has said so.
    if (own !== shared) own.loan?.give(own.bytes.length);
    this.#queue.tryPush(own);
    this.#queuedDatums += own.count;
    this.#pump();
    this.#tellLevel();
  }

  onTurn(): void {
    this.#hasTurn = true;
    this.#isWaitingForEgress = false;
    this.#pump();
    this.#tellLevel();
  }

  /** Resolves when everything offered so far has been taken by the link, or the channel is over. */
  idle(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  /** Resolves when everything offered so far has been handed to the connection, or the channel is over. */
  async flushed(options?: WaitOptions): Promise<void> {
    await abortable(this.idle(), 'flushing a stream', options);
    if (this.link.end !== undefined) return;
    await this.link.flushed(options).catch((error) => {
      if (this.link.end === undefined) throw error;
    });
  }

  /**
   * Ends the subscription in an orderly way: nothing follows from `next` on. A consumer that does not take what is queued
   * in time is not told that it has all: it will see the gap.
   */
  async finish(next: Sequence, withinMs: number): Promise<void> {
    const late = this.#options.runtime.setTimer(withinMs, () => this.close(StreamCode.TooSlow));
    await this.idle();
    if (!this.#isOver) {
      await this.#sayFinished(next).catch(() => {});
      await this.link.close(0, 'the producer has ended');
    }
    late.cancel();
  }

  async #sayFinished(next: Sequence): Promise<void> {
    const rest = this.#sieve?.rest(next);
    rest?.loan?.give(rest.bytes.length);
    if (rest !== undefined) await this.link.sendEncoded(rest.bytes);
    await this.link.sendEncoded(encodeFinished({ next }));
  }

  /** Ends the subscription with a code; what is queued is dropped. */
  close(code: StreamCode, reason: string = describeStreamCode(code) ?? ''): void {
    this.drop();
    // Resolves when the other side has taken note, which nobody waits for; it never rejects for a code of ours.
    void this.link.close(code, reason);
  }

  /** Lets go of everything: the link has ended, or is about to. */
  drop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const dropped = this.#queue.drain();
    // What the link was given, or waits for room in it, may still be written.
    if (this.#held !== undefined && !this.#isWaitingForLink) dropped.push(this.#held);
    for (const { loan, bytes } of dropped) loan?.returned(bytes.length);
    this.#held = undefined;
    this.#queuedDatums = 0;
    this.#options.egress.leave(this);
    this.#release(this.#offeredTo);
    this.#tellIdle();
  }

  #pump(): void {
    while (!this.#isOver && !this.#isWaitingForLink && !this.#isWaitingForEgress) {
      this.#held ??= this.#queue.tryTake();
      const block = this.#held;
      if (block === undefined) break;
      if (!this.#mayLeave(block)) return;
      if (!this.#hand(block)) return;
    }
    if (!this.isIdle) return;
    this.#tellIdle();
    this.#options.onIdle();
  }

  #mayLeave(block: Block): boolean {
    if (this.#hasTurn) return true;
    this.#hasTurn = this.#options.egress.request(this, block.bytes.length);
    this.#isWaitingForEgress = !this.#hasTurn;
    return this.#hasTurn;
  }

  /** Gives the block to the link; false when the link has no room for it yet, or has ended. */
  #hand(block: Block): boolean {
    if (this.link.end !== undefined) {
      this.drop();
      return false;
    }
    // What has left may be gone, and has no length then.
    const { length } = block.bytes;
    this.#isWaitingForLink = true;
    if (this.link.trySendEncoded(block.bytes)) {
      this.#isWaitingForLink = false;
      this.#left(block, length);
      return true;
    }
    this.link.sendEncoded(block.bytes).then(
      () => {
        this.#isWaitingForLink = false;
        if (this.#isOver) return;
        this.#left(block, length);
        this.#pump();
        this.#tellLevel();
      },
      () => this.drop(),
    );
    return false;
  }

  #left(block: Block, bytes: number): void {
    this.#held = undefined;
    this.#hasTurn = false;
    this.#queuedDatums -= block.count;
    this.#datums += block.count;
    this.#bytes += bytes;
    this.#movedAtMs = this.#options.runtime.now();
    this.#options.onSent(block.count, bytes);
    this.#options.ledger?.delivered(block);
    this.#release(this.#queue.length === 0 ? this.#offeredTo : block.next);
  }

  #release(next: Sequence): void {
    this.#options.ledger?.released(this.#doneTo, next);
    this.#doneTo = next;
  }

  #tellLevel(): void {
    const isFull = this.isFull;
    if (isFull === this.#wasFull && !this.isOverfull) return;
    this.#wasFull = isFull;
    this.#options.onLevel();
  }

  #tellIdle(): void {
    const listeners = this.#onIdle;
    this.#onIdle = [];
    for (const listener of listeners) listener();
  }
}
