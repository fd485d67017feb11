import type { Group, Groups } from '@mosaik/groups';
import type { GroupId, Runtime } from '@mosaik/primitives';
import type { ChannelView, Consumer, Producer, Streams } from '@mosaik/streams';
import type {
  ChannelInspection,
  ConsumerInspection,
  GroupInspection,
  Inspection,
  ProducerInspection,
} from './inspection.ts';

/** Of each kind, at most: an answer is one message. */
const ITEMS_MAX = 256;

/** What is looked at. */
export interface Inspected {
  readonly runtime: Runtime;
  readonly startedAtMs: number;
  readonly streams: Streams;
  readonly groups: Groups;
}

/** How a node stands now; of each kind no more than the first 256. */
export function inspectNode({ runtime, startedAtMs, streams, groups }: Inspected): Inspection {
  return {
    uptimeMs: runtime.now() - startedAtMs,
    producers: streams.producers.slice(0, ITEMS_MAX).map(producerOf),
    consumers: streams.consumers.slice(0, ITEMS_MAX).map(consumerOf),
    groups: [...groups.joined].slice(0, ITEMS_MAX).map(([id, group]) => groupOf(id, group)),
  };
}

function producerOf(producer: Producer<never>): ProducerInspection {
  const { datums, bytes, droppedTooSlow, refused } = producer.stats;
  const { isOnline, text } = producer.why();
  return {
    stream: producer.id,
    name: producer.name,
    datums,
    bytes,
    droppedTooSlow,
    refused,
    isOnline,
    why: text,
    consumers: producer.consumers.slice(0, ITEMS_MAX).map(channelOf),
  };
}

function consumerOf(consumer: Consumer<unknown>): ConsumerInspection {
  const { datums, bytes, gaps } = consumer.stats;
  const { isOnline, text } = consumer.why();
  return {
    stream: consumer.id,
    name: consumer.name,
    datums,
    bytes,
    gaps,
    isOnline,
    why: text,
    producers: consumer.producers.slice(0, ITEMS_MAX).map(channelOf),
  };
}

function channelOf({ peer, state, stats }: ChannelView): ChannelInspection {
  const { datums, bytes, uptimeMs, lagDatums, lagBytes, lastError } = stats;
  return {
    peer: peer.peer,
    state,
    datums,
    bytes,
    uptimeMs,
    lagDatums,
    lagBytes,
    ...(lastError === undefined ? {} : { lastError }),
  };
}

function groupOf(id: GroupId, group: Group<never, unknown, never, unknown>): GroupInspection {
  const { role, leader, term, log, bonds, voters, learners } = group.stats;
  const { code, text } = group.why();
  return {
    group: id,
    durability: group.durability,
    role,
    ...(leader === undefined ? {} : { leader }),
    term,
    lastIndex: log.lastIndex,
    committed: log.committed,
    applied: log.applied,
    bonds,
    voters: voters.length,
    learners: learners.length,
    reason: code,
    why: text,
  };
}
