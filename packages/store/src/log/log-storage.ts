import type { PeerId, StreamId } from '@mosaik/primitives';
import type { Block, Epoch, Sequence } from '@mosaik/streams';

/**
 * Which log it is: of one stream, of one producer, from one beginning. The producer's epoch in the stream is the id of its
 * log, and the sequence of a datum is its offset in it: what a consumer sees and what the log keeps have the same names.
 */
export interface LogIdentity {
  readonly stream: StreamId;
  readonly producer: PeerId;
  /** Random, made with the log: one that was lost and begun anew has another. */
  readonly log: Epoch;
}

/** What a log promises for what it has kept: that it survives a crash of the machine, or only as long as the process. */
export type Durability = 'fsync' | 'memory';

/** A block and when its producer kept it, by that producer's wall clock in ms. */
export interface KeptBlock extends Block {
  readonly timeMs: number;
}

/** Where a log begins and ends now. */
export interface LogExtent {
  /** The first offset that is still kept; what is below was removed by retention. */
  readonly first: Sequence;
  /** The offset that the next datum will get. */
  readonly next: Sequence;
  /** Of the encoded data, heads included. */
  readonly bytes: number;
}

/** How much of a log is kept. Whatever limit is reached first counts; without any, all is kept. */
export interface Retention {
  readonly maxItems?: number | undefined;
  readonly maxBytes?: number | undefined;
  readonly maxAgeMs?: number | undefined;
}

/** One log, open. One owner writes, in one process. */
export interface LogStorage extends AsyncDisposable {
  readonly identity: LogIdentity;
  readonly durability: Durability;
  readonly extent: LogExtent;
  /**
   * Keeps a block at the end of the log; resolves when it is durable. Blocks are kept in the order of the calls, and
   * several calls share one sync. Offsets may leave out places only where a mirror has a reported gap.
   *
   * @throws {LogStorageError} once it has failed, for this and all later blocks; what was kept before stays readable.
   */
  append(block: KeptBlock): Promise<void>;
  /**
   * Blocks from the one that covers `from` on, or the next after it, up to about `maxBytes` and at least one if there is
   * any. Data below `from` in the first block are for the reader to skip.
   */
  read(from: Sequence, maxBytes: number): Promise<readonly KeptBlock[]>;
  /** The first offset kept at `timeMs` or later; `extent.next` when there is none. */
  offsetAt(timeMs: number): Promise<Sequence>;
  /** Removes what lies below an offset: `extent.first` is then at least that, and at most `extent.next`. */
  trim(below: Sequence): Promise<void>;
  close(): Promise<void>;
}

/** Keeps logs, by name: given to `retain`. */
export interface LogStore {
  readonly durability: Durability;
  /**
   * Opens the log of a stream that this node produces, or begins one.
   *
   * @throws {LogStorageError} when it is damaged, of another stream or producer, of another format, or in use.
   */
  openOwn(stream: StreamId, producer: PeerId, newLog: () => Epoch): Promise<LogStorage>;
  /** Opens this node's copy of another producer's log, or begins one. */
  openMirror(identity: LogIdentity): Promise<LogStorage>;
  /** All logs of a stream that are kept here. */
  list(stream: StreamId): Promise<readonly LogIdentity[]>;
  /** The newest snapshot of a fold that was saved here. */
  loadSnapshot(fold: string): Promise<Uint8Array | undefined>;
  /** Replaces the snapshot of a fold; atomic, and durable when it resolves. */
  saveSnapshot(fold: string, snapshot: Uint8Array): Promise<void>;
  close(): Promise<void>;
}
