import type { Discovery } from '@mosaik/discovery';
import type { Transport } from '@mosaik/transport';
import type { Consumer, ConsumerOptions } from './consumer/consumer.ts';
import type { StreamDefinition } from './definition.ts';
import type { Journal } from './producer/journal.ts';
import type { Producer, ProducerOptions } from './producer/producer.ts';

/** What streams stand on. */
export interface StreamsOptions {
  readonly transport: Transport;
  readonly discovery: Discovery;
}

/** The streams of one node. */
export interface Streams extends AsyncDisposable {
  /**
   * Produces a stream: it is advertised in the catalog, and consumers on any node find it by themselves. Asked again for the
   * same stream it returns another handle of the same producer.
   *
   * @throws {InvalidArgumentError} when an option is out of range, or the stream is produced here with other options.
   */
  producer<In, Out>(definition: StreamDefinition<In, Out>, options?: ProducerOptions<In>): Producer<In>;
  /**
   * Consumes a stream: finds its producers, on any node and on this one, and keeps subscribed to all that qualify. Each
   * consumer sees every datum.
   *
   * @throws {InvalidArgumentError} when an option is out of range.
   * @throws {CriteriaError} when the criteria cannot be used.
   */
  consumer<In, Out>(definition: StreamDefinition<In, Out>, options?: ConsumerOptions<In>): Consumer<Out>;
  /**
   * Keeps what is sent to a stream on this node, from now on and until disposed: the seam for stores. With a journal a producer
   * counts as online without consumers, unless it says otherwise, and `send` resolves when the datum is kept.
   *
   * @throws {InvalidArgumentError} when the stream has a journal already.
   */
  journal<In, Out>(definition: StreamDefinition<In, Out>, journal: Journal): Disposable;
  /** What is produced here; for those who look inside. */
  readonly producers: readonly Producer<never>[];
  /** What is consumed here. */
  readonly consumers: readonly Consumer<unknown>[];
  /** Closes all producers and consumers. The transport and discovery stay open: they are their owner's. */
  close(): Promise<void>;
}
