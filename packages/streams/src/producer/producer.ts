import type { PeerInfo } from '@mosaik/discovery';
import type { StreamId, WaitOptions } from '@mosaik/primitives';
import type { OnlineWhen, When } from '../conditions/when.ts';
import type { ChannelView } from '../stats.ts';
import type { Why } from '../why.ts';
import type { Epoch, Sequence } from '../wire/messages.ts';

/** How a producer is set up; all of it is optional. */
export interface ProducerOptions<In> {
  /** Whether a peer may subscribe; asked again whenever its catalog entry or its round trip changes. Default: all may. */
  readonly acceptIf?: ((peer: PeerInfo) => boolean) | undefined;
  /** When the producer counts as online: `send` waits for it. Default: at least one consumer. */
  readonly onlineWhen?: OnlineWhen | undefined;
  /** Further ones are refused with `NoCapacity`. Default 1024. */
  readonly maxConsumers?: number | undefined;
  /** Bytes sent a second to all consumers together, shared fairly. Default: no limit. */
  readonly maxEgressBytesPerSecond?: number | undefined;
  /** What may wait for one consumer, in bytes; data are held once however many wait for them. Default 8 MiB. */
  readonly bufferBytes?: number | undefined;
  /** What may wait for one consumer, in data. Default: no limit besides `bufferBytes`. */
  readonly bufferDatums?: number | undefined;
  /**
   * Whether a consumer whose queue is full is dropped with `TooSlow`, so that it does not slow the others; it comes back
   * by itself, and sees the gap. With false the slowest consumer sets the pace. Default true.
   */
  readonly disconnectLagging?: boolean | undefined;
  /**
   * Told of data that `send` took and that were handed to no consumer's connection: nobody was subscribed, or wanted
   * them by its criteria, or all who did were gone first. It sees them decoded, without the transformations of a schema.
   */
  readonly onUndelivered?: ((datum: In) => void) | undefined;
}

/** Where a datum went into the stream. */
export interface ProducerPosition {
  readonly epoch: Epoch;
  /** Of the next datum. */
  readonly next: Sequence;
}

/** What a producer did so far. */
export interface ProducerStats {
  /** Data that `send` and `trySend` took. */
  readonly datums: number;
  readonly bytes: number;
  /** Subscriptions that were ended as too slow. */
  readonly droppedTooSlow: number;
  readonly refused: number;
  readonly undelivered: number;
}

/** Sends the data of one stream to everybody who subscribes. */
export interface Producer<In> extends AsyncDisposable {
  readonly id: StreamId;
  readonly name: string;
  readonly position: ProducerPosition;
  /**
   * Sends a datum to every consumer that wants it. Waits until the producer is online, and until there is room in the
   * queues to the consumers. Data go out in the order of the calls.
   *
   * @throws {DatumRefusedError} when the schema refuses it, or it cannot be encoded.
   * @throws {ProducerClosedError} when the producer is closed, also during the wait; with the datum.
   * @throws {AbortedError} when `signal` fires first; the datum was not sent.
   */
  send(datum: In, options?: WaitOptions): Promise<void>;
  /**
   * Sends a datum now or not at all.
   *
   * @throws {OfflineError} {@link FullError} {@link ProducerClosedError} {@link DatumRefusedError} each with the datum.
   */
  trySend(datum: In): void;
  /** Resolves when everything taken so far has been handed to the connections of the consumers. */
  flushed(options?: WaitOptions): Promise<void>;
  /** The same as a Web Stream; closing it closes this handle. */
  readonly writable: WritableStream<In>;
  /** The live subscriptions. */
  readonly consumers: readonly ChannelView[];
  readonly stats: ProducerStats;
  when(): When;
  /** Why the producer is, or is not, online. */
  why(): Why;
  /**
   * Closes this handle. With the last handle of its stream, the producer ends: what was taken is still delivered, for at
   * most five seconds, and consumers learn that nothing follows.
   */
  close(): Promise<void>;
}
