import type { Codec, Runtime, Scope, WaitOptions } from '@mosaik/primitives';
import { StreamCode } from '../codes.ts';
import { type Block, BlockWriter } from '../wire/block.ts';
import type { Sequence } from '../wire/messages.ts';
import type { Channel } from './channel.ts';
import type { Journal } from './journal.ts';
import { Keeping } from './keeping.ts';
import { Ledger } from './ledger.ts';
import { Pace } from './pace.ts';

/** Two blocks closer than this are taken to be of one turn of the event loop; see the sender of a link. */
const SAME_TURN_MS = 0.05;

interface FanoutOptions {
  readonly scope: Scope;
  readonly disconnectLagging: boolean;
  /** A block is sealed at this many data at the latest. */
  readonly blockDatums: number;
  /** Told of data that were handed to nobody's connection. */
  readonly onUndelivered: ((datum: Uint8Array) => void) | undefined;
  /** Keeps each block before anybody gets it; the sequence goes on where it says. */
  readonly journal: Journal | undefined;
  /** `isHeld` has changed. */
  readonly onHeld: () => void;
  readonly onTooSlow: (channel: Channel) => void;
  /** The journal has failed; what it was given may be kept, or not. */
  readonly onJournalFailed: (error: Error) => void;
}

/**
 * One epoch of a producer: sends each datum to all channels. Collects the data of one turn of the event loop in a block,
 * has it kept if there is a journal, and gives it to each channel.
 */
export class Fanout {
  readonly #options: FanoutOptions;
  readonly ledger: Ledger | undefined;
  readonly #runtime: Runtime;
  readonly #writer: BlockWriter;
  readonly #channels = new Set<Channel>();
  readonly #filtered = new Set<Channel>();
  readonly #pace: Pace;
  readonly #keeping: Keeping | undefined;
  #next: Sequence;
  #isHeld = false;
  #isSealPending = false;
  #isDispatching = false;
  #isAssessmentDue = false;
  #sealedAtMs = Number.NEGATIVE_INFINITY;
  /** The rest of this turn belongs to others. */
  #turn: Promise<void> | undefined;
  /** The turn began with senders that had been held up by a full block: what they send first is not alone. */
  #isBulk = false;

  constructor(options: FanoutOptions) {
    const { scope, disconnectLagging, journal, onUndelivered, onJournalFailed } = options;
    this.#options = options;
    this.#runtime = scope.runtime;
    this.ledger = onUndelivered && new Ledger(onUndelivered);
    // A journal and a ledger keep blocks for themselves.
    this.#writer = new BlockWriter({ isLending: journal === undefined && onUndelivered === undefined });
    this.#next = journal?.next ?? 0;
    const onChange = (): void => this.#updateHeld();
    this.#pace = new Pace(
      { scope, disconnectLagging, channels: this.#channels, drop: (channel) => this.#drop(channel) },
      onChange,
    );
    if (journal === undefined) return;
    const onKept = (block: Block): void => this.#dispatch(block);
    this.#keeping = new Keeping({ journal, onKept, onFailed: onJournalFailed, onLevel: onChange });
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

  /** Says whether somebody waits for room: only then may a slow channel be blamed for it. */
  setWanted(isWanted: boolean): void {
    this.#pace.setWanted(isWanted);
  }

  /** Takes a datum that is encoded; say {@link Fanout.taken} then. */
  append(encoded: Uint8Array): void {
    this.#writer.append(this.#next, encoded);
  }

  /**
   * As {@link Fanout.append}, of a datum that is not encoded yet; returns its length.
   *
   * @throws what the codec throws; nothing was taken then.
   */
  encode<In>(datum: In, codec: Codec<In>): number {
    return this.#writer.encode(this.#next, datum, codec);
  }

  /**
   * What there is to do when a datum was added. What it returns is for callers that can wait: with a journal until the
   * datum is kept, and after a full block until the next turn, so that the network gets its share.
   */
  taken(datum: unknown): Promise<void> | undefined {
    const sequence = this.#next++;
    const kept = this.#keeping?.current;
    // An iterator for each datum, also over nothing, is 1 % of a producer.
    if (this.#filtered.size > 0) for (const channel of this.#filtered) channel.look(sequence, datum);
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
    this.levelChanged();
  }

  remove(channel: Channel): boolean {
    channel.drop();
    this.#filtered.delete(channel);
    const wasThere = this.#channels.delete(channel);
    if (wasThere) this.levelChanged();
    return wasThere;
  }

  /** A channel's queue has reached or left one of its bounds. */
  levelChanged(): void {
    if (this.#isDispatching) this.#isAssessmentDue = true;
    else this.#pace.assess();
  }

  /** A channel has nothing left to send. */
  idled(): void {
    if (!this.#isDispatching && this.#pace.hasFull) this.#pace.assess();
  }

  /** Gives what has been collected to the journal, or to the channels. */
  seal(): void {
    if (this.#writer.isEmpty) return;
    const block: Block = this.#writer.seal();
    this.#sealedAtMs = this.#runtime.now();
    if (this.#keeping === undefined) this.#dispatch(block);
    else this.#keeping.keep(block);
  }

  /** Resolves when everything taken so far has been handed to the connections of the consumers. */
  async flushed(options?: WaitOptions): Promise<void> {
    this.seal();
    await this.#keeping?.settled();
    await Promise.all([...this.#channels].map((channel) => channel.flushed(options)));
  }

  /** Delivers what was taken, and tells the channels that nothing follows. */
  async finish(withinMs: number): Promise<void> {
    this.seal();
    await this.#keeping?.settled();
    const channels = [...this.#channels];
    if (this.#keeping?.hasFailed === true) for (const channel of channels) channel.close(StreamCode.Failed);
    else await Promise.all(channels.map((channel) => channel.finish(this.#next, withinMs)));
    for (const channel of channels) this.remove(channel);
  }

  #drop(channel: Channel): void {
    this.remove(channel);
    channel.close(StreamCode.TooSlow);
    this.#options.onTooSlow(channel);
  }

  #dispatch(block: Block): void {
    // Who came while the journal was at work begins after this block.
    const channels = [...this.#channels].filter((channel) => channel.covers(block));
    this.ledger?.open(block, channels.length);
    // What follows from it may take more data in: the next block must not reach a channel before this one does.
    this.#isDispatching = true;
    // All at once, and once for ourselves: taking data in may end the writer's part in the loan while we still read the block.
    const readers = channels.filter((channel) => !this.#filtered.has(channel)).length;
    block.loan?.give((readers + 1) * block.bytes.length);
    try {
      for (const channel of channels) channel.offer(block);
    } finally {
      block.loan?.returned(block.bytes.length);
      this.#isDispatching = false;
    }
    const isDue = this.#isAssessmentDue || this.#pace.hasFull;
    this.#isAssessmentDue = false;
    if (isDue) this.#pace.assess();
  }

  #scheduleSeal(): void {
    this.#isSealPending = true;
    const seal = (): void => {
      this.#isSealPending = false;
      this.#isBulk = false;
      this.seal();
    };
    if (this.#isBulk || this.#runtime.now() - this.#sealedAtMs < SAME_TURN_MS) this.#runtime.yieldTo(seal);
    else queueMicrotask(seal);
  }

  #endTurn(): void {
    this.#turn ??= new Promise((resolve) =>
      this.#runtime.yieldTo(() => {
        this.#turn = undefined;
        this.#isBulk = true;
        resolve();
      }),
    );
  }

  #updateHeld(): void {
    const isHeld = this.#pace.isHeld || this.#keeping?.isFull === true;
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    this.#options.onHeld();
  }
}
