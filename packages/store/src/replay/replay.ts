import type {
  BackoffOptions,
  Condition,
  EventStream,
  PeerId,
  StreamId,
  WaitOptions,
} from '@mosaik/primitives';
import type { Epoch, Sequence, Why } from '@mosaik/streams';
import type { Cursor } from './cursor.ts';

/**
 * Where a replay begins, in each log: with the first datum that is kept; with what comes from now on; at an offset; with
 * what was kept at `since` (ms, by the producers' wall clocks) or later; or where another replay was.
 *
 * Logs that become known later are replayed from their first datum, whatever was asked for: they may be new. After `offset` and a
 * cursor that is offset 0, so that what is gone of them is told.
 */
export type ReplayFrom =
  | 'start'
  | 'end'
  | { readonly offset: Sequence }
  | { readonly since: number | Date }
  | Cursor;

/** How a stream is replayed; all of it is optional. */
export interface ReplayOptions {
  /** Default: `start`. */
  readonly from?: ReplayFrom | undefined;
  /** Closes the replay when it fires. */
  readonly signal?: AbortSignal | undefined;
  /** Between attempts to reach a holder that has failed. Default: 100 ms, doubled up to 5 s, with full jitter. */
  readonly backoff?: BackoffOptions | undefined;
  /** What may wait here unread of one log, in bytes; beyond, it waits where it is kept. Default 4 MiB. */
  readonly maxBuffer?: number | undefined;
  /** How many holders must be known, and have answered, before it can be caught up. Default 1. */
  readonly minHolders?: number | undefined;
}

/** A datum, and where it is kept. */
export interface ReplayedDatum<Out> {
  readonly type: 'datum';
  readonly datum: Out;
  readonly producer: PeerId;
  readonly log: Epoch;
  readonly offset: Sequence;
  /** When its producer kept it, by that producer's wall clock. */
  readonly timeMs: number;
}

/** Data of a log that nobody keeps any more. */
export interface ReplayGap {
  readonly type: 'gap';
  readonly producer: PeerId;
  readonly log: Epoch;
  /** The first offset that is missing. */
  readonly from: Sequence;
  /** The first that is not missing; undefined when the log is gone and where it ended is not known. */
  readonly to: Sequence | undefined;
}

/** What was there when the replay began has been read; what follows is live. Comes once, also when there was nothing. */
export interface CaughtUp {
  readonly type: 'caughtUp';
}

export type ReplayRecord<Out> = ReplayedDatum<Out> | ReplayGap | CaughtUp;

/** A datum that cannot be decoded, or that its schema refuses; the replay goes on after it. */
export interface InvalidReplayedDatum {
  readonly type: 'invalid';
  readonly producer: PeerId;
  readonly log: Epoch;
  readonly offset: Sequence;
  readonly error: Error;
}

/** How a replay stands with one log. */
export interface ReplaySource {
  readonly producer: PeerId;
  readonly log: Epoch;
  /** The next offset to be received, read or not. */
  readonly next: Sequence;
  readonly isCaughtUp: boolean;
  /** Whom it takes data from now. */
  readonly from: readonly PeerId[];
  readonly state: string;
}

/** What a replay did so far. */
export interface ReplayStats {
  /** Data that were read. */
  readonly datums: number;
  /** Bytes that were received, read or not. */
  readonly bytes: number;
  readonly gaps: number;
  readonly invalid: number;
  /** Bytes that wait to be read. */
  readonly waitingBytes: number;
  /** Holders that broke the protocol, each time. */
  readonly misbehaved: number;
}

/**
 * The past of a stream and then its present, as one sequence: no gap that is not told, no duplicate, no reordering, also where
 * the past ends, and whatever becomes of producers, mirrors and links meanwhile. Data of one log come in the order of their
 * offsets; across logs there is no order, and a block of each is given in turn.
 *
 * Iterating yields the data alone and tells gaps by {@link Replay.gaps}. Readers share the data. A reader gets
 * {@link OffsetAheadError} or {@link LogReplacedError} when what was asked for is not there and never will be.
 */
export interface Replay<Out> extends AsyncIterable<Out>, AsyncDisposable {
  readonly stream: StreamId;
  readonly name: string;
  /** Data, gaps, and the mark where it is caught up, in order. */
  records(options?: WaitOptions): AsyncIterableIterator<ReplayRecord<Out>, void, void>;
  /** The same in runs of what has arrived, at most `maxRecords` (256): one turn of the loop for many. */
  recordBatches(
    options?: WaitOptions & { readonly maxRecords?: number },
  ): AsyncIterableIterator<ReplayRecord<Out>[], void, void>;
  /** The data in runs of what has arrived, at most `maxDatums` (256). */
  batches(options?: WaitOptions & { readonly maxDatums?: number }): AsyncIterableIterator<Out[], void, void>;
  /** The data as a Web Stream; cancelling it closes the replay. */
  readonly readable: ReadableStream<Out>;
  /** Where to go on after what was yielded last. */
  readonly cursor: Cursor;
  readonly gaps: EventStream<ReplayGap>;
  readonly invalid: EventStream<InvalidReplayedDatum>;
  readonly sources: readonly ReplaySource[];
  readonly stats: ReplayStats;
  when(): ReplayWhen;
  /** How it stands, and what it waits for. */
  why(): Why;
  close(): Promise<void>;
}

/** What can be waited for at a replay. */
export interface ReplayWhen {
  /** The reader has come to where the replay was caught up. */
  caughtUp(): Condition;
}
