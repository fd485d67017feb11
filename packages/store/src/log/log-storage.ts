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

/**
 * A block and when its producer kept it, by that producer's wall clock: whole milliseconds, never less than in the block
 * before. It has a datum for each of its places: `count` is `next - first`, and at least 1.
 */
export interface KeptBlock extends Block {
  readonly timeMs: number;
}

/** Where a log begins and ends now. */
export interface LogExtent {
  /** The first offset that is still kept; what is below was removed by retention. */
  readonly first: Sequence;
  /** The offset that the next datum will get. Equal to `first` when nothing is kept. */
  readonly next: Sequence;
  /** Of the blocks that are held, their heads included. */
  readonly bytes: number;
  /** `timeMs` of the newest block that was ever appended; 0 before the first. */
  readonly newestMs: number;
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
  /** Counts what is durable: an append that has not resolved is not in it. */
  readonly extent: LogExtent;
  /**
   * Keeps a block at the end of the log. Undefined when it is kept on return, else a promise that resolves when it is
   * durable. Blocks become durable in the order of the calls, and several calls share one sync. The bytes of a block are
   * not written to by anybody afterwards; they may be a view of a larger buffer.
   *
   * The first block of a log, and the first after everything was trimmed, may begin anywhere at `extent.next` or after;
   * later blocks begin at the end of the one before, or after it in a mirror whose source has lost what is between.
   *
   * @throws {LogStorageError} (rejects) once it has failed, for this and all later blocks, and after `close`; what was
   *   kept before stays readable until then. `invalid` for a block that does not follow, or is not a run of places.
   */
  append(block: KeptBlock): Promise<void> | undefined;
  /**
   * Durable blocks in order, from the one that covers `from` on, or the next after it, up to about `maxBytes` and at least
   * one if there is any; none when `from` is `extent.next` or more. Data below `from` or `extent.first` in the first block
   * are for the reader to skip. What comes back was checked: bytes that are not what was appended are never returned.
   *
   * @throws {LogStorageError} when what was kept is damaged, and after `close`. Where it says by `damaged` what cannot be
   *   read, a read from before that with a small `maxBytes`, and one from after it, give what they can.
   */
  read(from: Sequence, maxBytes: number): Promise<readonly KeptBlock[]>;
  /** The first offset that is kept, of a block kept at `timeMs` or later; `extent.next` when there is none. */
  offsetAt(timeMs: number): Promise<Sequence>;
  /**
   * Where to trim to keep at most `maxBytes`: the offset of the oldest block from which on the blocks have no more bytes
   * together; `extent.first` when all do, `extent.next` when not even the newest does.
   */
  offsetWithin(maxBytes: number): Promise<Sequence>;
  /**
   * Removes what lies below an offset. `extent.first` is then that offset, but not less than it was and not more than
   * `extent.next`, also after the log was opened again; space may be given back only for whole blocks.
   */
  trim(below: Sequence): Promise<void>;
  /** Waits for what was appended, and lets go of the log; idempotent. */
  close(): Promise<void>;
}

/** A log that a store holds. */
export interface LogListing extends LogIdentity {
  /** It was begun by {@link LogStore.openOwn}, not by {@link LogStore.openMirror}. */
  readonly isOwn: boolean;
}

/** Keeps logs, and snapshots of folds: given to `retain` and `fold`. */
export interface LogStore {
  readonly durability: Durability;
  /**
   * Opens the log of a stream that this node produces, or begins one.
   *
   * @throws {LogStorageError} when it is damaged, of another stream or producer, of another format, or in use.
   */
  openOwn(stream: StreamId, producer: PeerId, newLog: () => Epoch): Promise<LogStorage>;
  /**
   * Opens this node's copy of another producer's log, or of a former log of its own, or begins one.
   *
   * @throws {LogStorageError} as {@link LogStore.openOwn}.
   */
  openMirror(identity: LogIdentity): Promise<LogStorage>;
  /** All logs of a stream that are kept here, in the order in which they were begun. */
  list(stream: StreamId): Promise<readonly LogListing[]>;
  /**
   * Removes a log that is not open, with all that is in it; does nothing when there is none.
   *
   * @throws {LogStorageError} when it is in use.
   */
  remove(identity: LogIdentity): Promise<void>;
  /** The newest snapshot of a fold that was saved here. */
  loadSnapshot(fold: string): Promise<Uint8Array | undefined>;
  /** Replaces the snapshot of a fold; atomic, and durable (as `durability` says) when it resolves. */
  saveSnapshot(fold: string, snapshot: Uint8Array): Promise<void>;
  /** Closes the logs that are open, and lets go of everything; idempotent. */
  close(): Promise<void>;
}
