import type { Discovery } from '@mosaik/discovery';
import type { ErrorHandler } from '@mosaik/primitives';
import type { StreamDefinition, Streams } from '@mosaik/streams';
import type { Transport } from '@mosaik/transport';
import type { Fold, FoldOptions } from './fold/fold.ts';
import type { Replay, ReplayOptions } from './replay/replay.ts';
import type { Retained, RetainOptions } from './retain/retained.ts';

/** What a store stands on. */
export interface StoreOptions {
  readonly transport: Transport;
  readonly discovery: Discovery;
  readonly streams: Streams;
  /** Told of errors of work in the background, and where; by default they are only logged. */
  readonly onError?: ErrorHandler | undefined;
}

/** A look inside. */
export interface StoreStats {
  readonly retained: number;
  readonly replays: number;
  readonly folds: number;
  /** Links of others that read here. */
  readonly readers: number;
}

/** The past of streams, on one node. */
export interface Store extends AsyncDisposable {
  /**
   * Keeps what this node sends to a stream, from now on, also while nobody listens, and serves it to whoever replays it. To be
   * called before the first `send`: a producer that has sent already begins a new sequence. With `mirror` it keeps copies of
   * what others send.
   *
   * @throws {InvalidArgumentError} when an option is out of range, or the stream is retained here already.
   * @throws {LogStorageError} when a log cannot be opened.
   */
  retain<In, Out>(definition: StreamDefinition<In, Out>, options: RetainOptions): Promise<Retained>;
  /**
   * Reads a stream from its past on, and then as it comes, from whoever keeps it: this node, producers and mirrors.
   *
   * @throws {InvalidArgumentError} when an option is out of range.
   * @throws {CursorError} when the cursor cannot be used.
   */
  replay<In, Out>(definition: StreamDefinition<In, Out>, options?: ReplayOptions): Replay<Out>;
  /**
   * Keeps a view of a stream: takes over the newest snapshot that anybody has of the same version, applies what follows, and
   * serves snapshots to others.
   *
   * @throws {InvalidArgumentError} when an option is out of range, or the fold is kept here already.
   */
  fold<In, Out, State>(definition: StreamDefinition<In, Out>, options: FoldOptions<State, Out>): Fold<State>;
  readonly stats: StoreStats;
  /**
   * Ends all replays and folds, stops retaining, and closes the storages that were given. Transport, discovery and streams stay
   * open: they are their owner's, who closes the streams first.
   */
  close(): Promise<void>;
}
