import type { PeerInfo } from '@mosaik/discovery';
import type { Codec, Condition, EventStream, PeerId, StoreId, WaitOptions } from '@mosaik/primitives';
import type { Epoch, Sequence, Why } from '@mosaik/streams';
import type { LogStore } from '../log/log-storage.ts';
import type { Cursor } from '../replay/cursor.ts';
import type { ReplayGap } from '../replay/replay.ts';

/** Where a datum comes from that is applied. */
export interface FoldContext {
  readonly producer: PeerId;
  readonly log: Epoch;
  readonly offset: Sequence;
  /** When its producer kept it, by that producer's wall clock: use this, and no clock of one's own. */
  readonly timeMs: number;
}

/** How a view is made of a stream. */
export interface FoldOptions<State, Out> {
  /** Together with the stream and the version it says which fold it is: whoever names the same shares snapshots. */
  readonly name: string;
  /** To be changed whenever `initial` or `apply` change what comes out: the view is then made anew from the log. */
  readonly version: string | number;
  /** The state before the first datum; made anew each time. */
  readonly initial: () => State;
  /**
   * The state after a datum; may change the one it is given, and return it. It must be deterministic: the same data in the same
   * order give the same state everywhere, so no clock, no chance, nothing from outside. Of several producers the order is not
   * the same everywhere: what depends on it must not.
   */
  readonly apply: (state: State, datum: Out, context: FoldContext) => State;
  /** A snapshot is made after so many data, and when it is caught up. Default 100,000. */
  readonly snapshotEvery?: number | undefined;
  /** Keeps the newest snapshot, so that the next process goes on there. Closed with the store of this node. */
  readonly storage?: LogStore | undefined;
  /**
   * How a state is written; the same state must give the same bytes. Default: CBOR in its canonical form, for null, booleans,
   * numbers, text, bytes, lists and plain objects.
   */
  readonly codec?: Codec<State> | undefined;
  /** Whether a peer may have snapshots. Default: all may. */
  readonly acceptIf?: ((peer: PeerInfo) => boolean) | undefined;
  /** Closes the view when it fires. */
  readonly signal?: AbortSignal | undefined;
}

/** What happens to a view. */
export type FoldEvent =
  /** It has taken over a snapshot: of a peer, or its own of before. */
  | { readonly type: 'restored'; readonly from: PeerId | 'storage'; readonly offset: number }
  /** It has made a snapshot. */
  | { readonly type: 'snapshot'; readonly offset: number; readonly bytes: number }
  /** A snapshot was kept, made by another version, or (undefined) damaged: the view is made anew. */
  | { readonly type: 'rebuilt'; readonly version: string | undefined }
  /** The view has ended: `apply` has thrown, or its codec. */
  | { readonly type: 'failed'; readonly error: Error }
  /** Data are missing in the view, as nobody keeps them any more. */
  | { readonly type: 'missing'; readonly gap: ReplayGap }
  /** A snapshot of a peer could not be taken over. */
  | { readonly type: 'refused'; readonly peer: PeerId; readonly error: Error }
  /** Two holders came to different states with the same data: `apply` is not deterministic, or depends on the order. */
  | { readonly type: 'divergence'; readonly peer: PeerId; readonly other: PeerId; readonly cursor: Cursor };

/** What a view did so far. */
export interface FoldStats {
  /** Data that were applied here, and not as part of a snapshot. */
  readonly applied: number;
  readonly snapshots: number;
  readonly gaps: number;
  readonly invalid: number;
  readonly divergences: number;
  /** Data that the snapshot stood for that it began with. */
  readonly restored: number;
}

/** A view of a stream that keeps itself up to date. */
export interface Fold<State> extends AsyncDisposable {
  readonly id: StoreId;
  readonly name: string;
  readonly version: string;
  /** As of {@link Fold.cursor}. Not to be changed. */
  readonly state: State;
  /** How many places of all logs it covers: with one log, the offset that comes next. */
  readonly offset: number;
  /** What it covers, log by log. */
  readonly cursor: Cursor;
  /** The state now and after each run of data; a slow reader skips to the newest. */
  changes(options?: WaitOptions): AsyncGenerator<State, void, void>;
  readonly events: EventStream<FoldEvent>;
  readonly stats: FoldStats;
  when(): FoldWhen;
  /** How it stands, and what it waits for. */
  why(): Why;
  /** Makes a snapshot now, and keeps it when there is a storage. */
  snapshot(): Promise<void>;
  /** Ends it; with a storage, after a last snapshot. */
  close(): Promise<void>;
}

/** What can be waited for at a view. */
export interface FoldWhen {
  /** It covers as many places, or all that another cursor covers: of a replay, or of another view. */
  reaches(place: number | Cursor): Condition;
  /** It has applied what was there when it began. */
  caughtUp(): Condition;
}
