/**
 * `@mosaik/streams`: typed publish and subscribe that wires itself. A producer is advertised in the catalog; consumers, created
 * in any order on any node, find it, filter, subscribe, and subscribe again after failures. Data of a producer arrive in
 * order and once, and what did not arrive is reported as a gap: nothing is lost silently.
 */
import type { Streams, StreamsOptions } from './streams.ts';
import { StreamsNode } from './streams-node.ts';

export { StreamCode } from './codes.ts';
export type { SubscribedCondition } from './conditions/subscription-condition.ts';
export type { OnlineWhen, When } from './conditions/when.ts';
export type {
  Consumer,
  ConsumerOptions,
  ConsumerStats,
  DatumRecord,
  Gap,
  InvalidDatum,
} from './consumer/consumer.ts';
export { CRITERIA_LIMITS, type Criteria, type FieldCriteria } from './criteria/criteria.ts';
export {
  type DatumDecoder,
  datumDecoder,
  type StreamDefinition,
  type StreamDefinitionOptions,
  type StreamInput,
  type StreamOutput,
  stream,
} from './definition.ts';
export {
  CriteriaError,
  DatumRefusedError,
  FullError,
  JournalFailedError,
  OfflineError,
  ProducerClosedError,
  UnsentError,
} from './errors.ts';
export { createLoopback, type LoopbackOptions } from './loopback/loopback.ts';
export type { Journal } from './producer/journal.ts';
export type { Producer, ProducerOptions, ProducerPosition, ProducerStats } from './producer/producer.ts';
export type { ChannelState, ChannelStats, ChannelView } from './stats.ts';
export type { Streams, StreamsOptions } from './streams.ts';
export type { Why } from './why.ts';
export { type Block, BlockCursor, BlockWriter, type BlockWriterOptions, scanBlock } from './wire/block.ts';
export type { Epoch, Sequence } from './wire/messages.ts';

/** The streams of a node, on its transport and its catalog. */
export function createStreams(options: StreamsOptions): Streams {
  return new StreamsNode(options);
}
