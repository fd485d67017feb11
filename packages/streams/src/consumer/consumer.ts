import type { PeerInfo } from '@mosaik/discovery';
import type { BackoffOptions, EventStream, PeerId, StreamId, WaitOptions } from '@mosaik/primitives';
import type { OnlineWhen, When } from '../conditions/when.ts';
import type { Criteria } from '../criteria/criteria.ts';
import type { ChannelView } from '../stats.ts';
import type { Why } from '../why.ts';
import type { Epoch, Sequence } from '../wire/messages.ts';

/** How a consumer is set up; all of it is optional. */
export interface ConsumerOptions<In> {
  /** Whether to subscribe to a producer; asked again whenever its catalog entry or its round trip changes. */
  readonly subscribeIf?: ((peer: PeerInfo) => boolean) | undefined;
  /** Which data are wanted; evaluated at the producers, so that the others never travel. */
  readonly criteria?: Criteria<In> | undefined;
  /** When the consumer counts as online. Default: at least one producer. */
  readonly onlineWhen?: OnlineWhen | undefined;
  /** Between attempts to subscribe to one producer. Default: 100 ms, doubled up to 5 s, with full jitter. */
  readonly backoff?: BackoffOptions | undefined;
  /** Subscribe to no more than so many. Default: to all. */
  readonly maxProducers?: number | undefined;
  /**
   * Which producers come first, as a comparator; for `maxProducers`. One that fails is replaced at once by the next best,
   * one that works when another has been better for five seconds. Default: who is known first.
   */
  readonly prefer?: ((a: PeerInfo, b: PeerInfo) => number) | undefined;
  /** What may wait here unread of one producer, in bytes; beyond, it waits at the producer. Default 1 MiB. */
  readonly bufferBytes?: number | undefined;
}

/** Data of a producer that this consumer did not get, and never will. */
export interface Gap {
  readonly type: 'gap';
  readonly producer: PeerId;
  /** In which life of the producer: sequence numbers start at 0 in each. */
  readonly epoch: Epoch;
  /** The first sequence that is missing. */
  readonly from: Sequence;
  /** The first one that is not missing any more; undefined when the producer's end was not seen. */
  readonly to: Sequence | undefined;
}

/** A datum, and where it comes from. */
export interface DatumRecord<Out> {
  readonly type: 'datum';
  readonly datum: Out;
  readonly producer: PeerId;
  readonly epoch: Epoch;
  readonly sequence: Sequence;
}

/** A datum that cannot be used; the stream goes on after it. */
export interface InvalidDatum {
  readonly type: 'invalid';
  readonly producer: PeerId;
  readonly epoch: Epoch;
  readonly sequence: Sequence;
  /** What is wrong with it; the issues of the schema are in it. */
  readonly error: Error;
}

/** What a consumer did so far. */
export interface ConsumerStats {
  /** Data that were received, read or not. */
  readonly datums: number;
  readonly bytes: number;
  readonly gaps: number;
  readonly invalid: number;
}

/**
 * Receives a stream from all its producers that qualify. Data of one producer come in the order in which it sent them;
 * across producers there is no order, and none of them is served before another.
 *
 * What is not received is never silent: a {@link Gap} takes its place. Iterating yields the data alone and reports
 * gaps by {@link Consumer.gaps}; {@link Consumer.records} yields both, in order. Readers share the data.
 */
export interface Consumer<Out> extends AsyncIterable<Out>, AsyncDisposable {
  readonly id: StreamId;
  readonly name: string;
  /**
   * The next datum; waits for one.
   *
   * @throws {ClosedError} when the consumer is closed.
   */
  recv(options?: WaitOptions): Promise<Out>;
  /** The next datum, or undefined when none has arrived. */
  tryRecv(): Out | undefined;
  /** The data in runs of what has arrived, at most `maxDatums` (256): one turn of the loop for many. */
  batches(options?: WaitOptions & { readonly maxDatums?: number }): AsyncIterableIterator<Out[], void, void>;
  /** Data and gaps, in order, with where they come from. */
  records(options?: WaitOptions): AsyncIterableIterator<DatumRecord<Out> | Gap, void, void>;
  /** The same as a Web Stream; cancelling it closes the consumer. */
  readonly readable: ReadableStream<Out>;
  /** Told of each gap when the reader comes to it, before the datum after it. */
  readonly gaps: EventStream<Gap>;
  /** Told of data that cannot be decoded, or that the schema refuses. */
  readonly invalid: EventStream<InvalidDatum>;
  /** The producers that are subscribed to, or are about to be. */
  readonly producers: readonly ChannelView[];
  readonly stats: ConsumerStats;
  when(): When;
  /** Why the consumer is, or is not, online. */
  why(): Why;
  /** Ends all subscriptions; what has not been read is dropped. */
  close(): Promise<void>;
}
