import { describeLinkEnd, type LinkEnd } from '@mosaik/transport';

/** Codes that a subscription ends with, besides those of the transport. */
export const StreamCode = {
  /** The subscription cannot be read, or its criteria cannot be used. */
  Malformed: 10400,
  /** `acceptIf` of the producer does not admit this peer, or does not any more. */
  NotAllowed: 10403,
  /** This node does not produce the stream. */
  StreamNotFound: 10404,
  /** The subscriber did not say in time what it wants. */
  Timeout: 10408,
  /** `subscribeIf` of the consumer does not want this producer any more. */
  NotWanted: 10410,
  /** The consumer fell behind further than its queue at the producer holds. */
  TooSlow: 10413,
  /** The producer has as many consumers as it takes, or too many of one peer. */
  NoCapacity: 10429,
  /** The producer cannot keep its data any more. */
  Failed: 10500,
} as const;

/** One of {@link StreamCode}. */
export type StreamCode = (typeof StreamCode)[keyof typeof StreamCode];

const TEXTS: Readonly<Record<number, string>> = {
  [StreamCode.Malformed]: 'malformed subscription',
  [StreamCode.NotAllowed]: 'not allowed by acceptIf',
  [StreamCode.StreamNotFound]: 'stream not found',
  [StreamCode.Timeout]: 'no subscription in time',
  [StreamCode.NotWanted]: 'not wanted by subscribeIf',
  [StreamCode.TooSlow]: 'too slow',
  [StreamCode.NoCapacity]: 'no capacity',
  [StreamCode.Failed]: 'the producer failed',
};

/** What a code says, for people; undefined when it is none of {@link StreamCode}. */
export function describeStreamCode(code: number): string | undefined {
  return TEXTS[code];
}

/** How a subscription ended, in terms of streams where it says so. */
export function describeEnd(end: LinkEnd): string {
  const text = 'code' in end ? describeStreamCode(end.code) : undefined;
  return text ?? describeLinkEnd(end);
}
