import type { PeerInfo } from '@mosaik/discovery';
import { type BackoffOptions, InvalidArgumentError } from '@mosaik/primitives';
import type { OnlineWhen } from '../conditions/when.ts';
import { checkCriteria } from '../criteria/criteria.ts';
import type { ConsumerOptions } from './consumer.ts';

/** The options of a consumer, with their defaults. */
export interface ConsumerSettings {
  readonly subscribeIf: (peer: PeerInfo) => boolean;
  readonly criteria: unknown;
  readonly onlineWhen: OnlineWhen | undefined;
  readonly backoff: BackoffOptions;
  readonly maxProducers: number;
  readonly prefer: ((a: PeerInfo, b: PeerInfo) => number) | undefined;
  readonly bufferBytes: number;
}

/**
 * @throws {InvalidArgumentError} when an option is out of range.
 * @throws {CriteriaError} when the criteria cannot be used.
 */
export function consumerSettings<In>(options: ConsumerOptions<In>): ConsumerSettings {
  if (options.criteria !== undefined) checkCriteria(options.criteria);
  return {
    subscribeIf: options.subscribeIf ?? (() => true),
    criteria: options.criteria,
    onlineWhen: options.onlineWhen,
    backoff: options.backoff ?? { baseMs: 100, maxMs: 5_000 },
    maxProducers: positive('maxProducers', options.maxProducers ?? Number.POSITIVE_INFINITY),
    prefer: options.prefer,
    bufferBytes: positive('bufferBytes', options.bufferBytes ?? 1024 * 1024),
  };
}

function positive(name: string, value: number): number {
  if (value >= 1) return value;
  throw new InvalidArgumentError(name, `a number of 1 or more, not ${value}`);
}
