import { invariant, type Runtime, type Scope, type Timer, toError } from '@mosaik/primitives';
import { StreamCode } from '../codes.ts';
import { type Block, BlockWriter } from '../wire/block.ts';
import type { Sequence } from '../wire/messages.ts';
import type { Channel } from './channel.ts';
import type { Journal } from './journal.ts';
import type { Ledger } from './ledger.ts';

/** Two blocks closer than this are taken to be of one turn of the event loop; see the sender of a link. */
const SAME_TURN_MS = 0.05;

/** A consumer that takes nothing for so long is dropped, also when it is the only one. */
const STALL_MS = 5_000;

/** What a journal may have taken and not yet kept, before `send` waits for it. */
const KEEPING_BYTES_MAX = 8 * 1024 * 1024;

interface FanoutOptions {
  readonly scope: Scope;
  readonly disconnectLagging: boolean;
  /** A block is sealed at this many data at the latest. */
  readonly blockDatums: number;
  readonly ledger: Ledger | undefined;
  /** `isHeld` has changed. */
  readonly onHeld: () => void;
  readonly onTooSlow: () => void;
  /** The journal has failed; what it was given may be kept, or not. */
  readonly onJournalFailed: (error: Error) => void;
}

/** Resolves when the journal has kept a block. */
interface Kept {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Sends each datum to all channels: collects the data of one turn of the event loop in a block, and gives the block to
 * each channel. Decides when whoever sends must wait, and which channel is too slow.
 */
export class Fanout {
  readonly #options: FanoutOptions;
  readonly #runtime: Runtime;
  readonly #writer = new BlockWriter();
  readonly #channels = new Set<Channel>();
  readonly #filtered = new Set<Channel>();
  #next: Sequence = 0;
  #isSealPending = false;
  #sealedAtMs = Number.NEGATIVE_INFINITY;
  #isHeld = false;
  #isWanted = false;
  #timer: Timer | undefined;
  #journal: Journal | undefined;
  #keepingBytes = 0;
  /** Of the block that is being filled. */
  #kept: Kept | undefined;
  /** The rest of this turn belongs to others. */
  #turn: Promise<void> | undefined;

  constructor(options: FanoutOptions) {
    this.#options = options;
    this.#runtime = options.scope.runtime;
  }

  get next(): Sequence {
    return this.#next;
  }

  get channels(): ReadonlySet<Channel> {
    return this.#channels;
  }

  /** Whether whoever sends must wait for room. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Goes on in the sequence of a journal, or without one from 0. Channels of before must be gone. */
  restart(journal: Journal | undefined): void {
    invariant(
      this.#writer.isEmpty && this.#channels.size === 0,
      'a sequence begins anew while the old one is in use',
    );
    this.#journal = journal;
    this.#next = journal?.next ?? 0;
  }

  /** Says whether somebody waits for room: only then may a slow channel be blamed for it. */
  setWanted(isWanted: boolean): void {
    if (this.#isWanted === isWanted) return;
    this.#isWanted = isWanted;
    this.#assess();
  }

  /**
   * Takes a datum. What it returns is for callers that can wait: with a journal until the datum is kept, and after a full
   * block until the next turn, so that the network gets its share.
   */
  append(encoded: Uint8Array, datum: unknown): Promise<void> | undefined {
    const sequence = this.#next++;
    const kept = this.#journal === undefined ? undefined : this.#keptOfBlock();
    for (const channel of this.#filtered) channel.filter(sequence, datum);
    this.#writer.append(sequence, encoded);
    if (this.#writer.isFull || this.#writer.count >= this.#options.blockDatums) {
      this.seal();
      this.#endTurn();
    } else if (!this.#isSealPending) {
      this.#scheduleSeal();
    }
    return kept ?? this.#turn;
  }

  /** The channel gets everything from {@link Fanout.next} on; call {@link Fanout.seal} before that is read. */
  add(channel: Channel, hasCriteria: boolean): void {
    this.#channels.add(channel);
    if (hasCriteria) this.#filtered.add(channel);
    this.#assess();
  }

  remove(channel: Channel): boolean {
    channel.drop();
    this.#filtered.delete(channel);
    const wasThere = this.#channels.delete(channel);
    if (wasThere) this.#assess();
    return wasThere;
  }

  /** The channel gets nothing more, and keeps what it has to send. */
  detach(channel: Channel): void {
    this.#filtered.delete(channel);
    if (this.#channels.delete(channel)) this.#assess();
  }

  /** A channel's queue has reached or left one of its bounds. */
  levelChanged(): void {
    this.#assess();
  }

  /** Gives what has been collected to the channels. */
  seal(): void {
    if (this.#writer.isEmpty) return;
    const block: Block = this.#writer.seal();
    this.#sealedAtMs = this.#runtime.now();
    const kept = this.#kept;
    this.#kept = undefined;
    if (this.#journal === undefined) this.#dispatch(block);
    else this.#keep(block, this.#journal, kept);
  }

  #dispatch(block: Block): void {
    // Who came while the journal was at work begins after this block.
    const channels = [...this.#channels].filter((channel) => channel.startsBefore(block));
    this.#options.ledger?.open(block, channels.length);
    for (const channel of channels) channel.offer(block);
  }

  #keep(block: Block, journal: Journal, kept: Kept | undefined): void {
    const pending = journal.append(block);
    if (pending === undefined) {
      this.#dispatch(block);
      kept?.resolve();
      return;
    }
    this.#addKeeping(block.bytes.length);
    pending.then(
      () => {
        this.#addKeeping(-block.bytes.length);
        this.#dispatch(block);
        kept?.resolve();
      },
      (thrown) => {
        const error = toError(thrown);
        this.#options.onJournalFailed(error);
        kept?.reject(error);
      },
    );
  }

  #addKeeping(bytes: number): void {
    this.#keepingBytes += bytes;
    this.#assess();
  }

  #keptOfBlock(): Promise<void> {
    if (this.#kept === undefined) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      // Who uses `trySend` does not hear of it here, but by the next call.
      promise.catch(() => {});
      this.#kept = { promise, resolve, reject };
    }
    return this.#kept.promise;
  }

  #scheduleSeal(): void {
    this.#isSealPending = true;
    const seal = (): void => {
      this.#isSealPending = false;
      this.seal();
    };
    if (this.#runtime.now() - this.#sealedAtMs < SAME_TURN_MS) this.#runtime.yieldTo(seal);
    else queueMicrotask(seal);
  }

  #endTurn(): void {
    this.#turn ??= new Promise((resolve) =>
      this.#runtime.yieldTo(() => {
        this.#turn = undefined;
        resolve();
      }),
    );
  }

  #assess(): void {
    const { disconnectLagging } = this.#options;
    const full = [...this.#channels].filter((channel) => channel.isFull);
    const areOthersReady = full.length < this.#channels.size;
    if (full.length > 0 && disconnectLagging && this.#dropLagging(full, areOthersReady)) return;
    const nowMs = this.#runtime.now();
    const isBlame = disconnectLagging && areOthersReady && this.#isWanted;
    for (const channel of this.#channels) {
      channel.patience.setWaiting(isBlame && channel.isFull && !channel.isHeldBack, nowMs);
    }
    const isWaitedFor =
      disconnectLagging && areOthersReady
        ? full.some((channel) => isWorthWaiting(channel, nowMs))
        : full.length > 0;
    this.#watch(full, isWaitedFor, nowMs);
    const isHeld = isWaitedFor || this.#keepingBytes >= KEEPING_BYTES_MAX;
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    this.#options.onHeld();
  }

  /** Drops who is further behind than can be kept, or stuck; true when that made everything be assessed anew. */
  #dropLagging(full: readonly Channel[], areOthersReady: boolean): boolean {
    const nowMs = this.#runtime.now();
    const isTooSlow = (channel: Channel): boolean =>
      (areOthersReady && channel.isOverfull && !channel.isHeldBack) ||
      (this.#isWanted && channel.stalledMs(nowMs) >= STALL_MS);
    const lagging = full.filter(isTooSlow);
    for (const channel of lagging) {
      if (!this.remove(channel)) continue;
      channel.close(StreamCode.TooSlow);
      this.#options.onTooSlow();
    }
    return lagging.length > 0;
  }

  /** Looks again when patience ends, or a stall has lasted too long. */
  #watch(full: readonly Channel[], isHeld: boolean, nowMs: number): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (!isHeld || !this.#isWanted || !this.#options.disconnectLagging) return;
    const waits = full.map((channel) => {
      const stallMs = STALL_MS - channel.stalledMs(nowMs);
      const patienceMs = channel.patience.leftMs(nowMs);
      return patienceMs > 0 ? Math.min(stallMs, patienceMs) : stallMs;
    });
    this.#timer = this.#options.scope.after(Math.max(1, Math.min(...waits)), () => this.#assess());
  }
}

function isWorthWaiting(channel: Channel, nowMs: number): boolean {
  return channel.isHeldBack || channel.patience.leftMs(nowMs) > 0;
}
