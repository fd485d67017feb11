import type { PeerInfo } from '@mosaik/discovery';
import { InvalidArgumentError } from '@mosaik/primitives';
import type { OnlineWhen } from '../conditions/when.ts';
import type { ChannelBounds } from './channel.ts';
import type { ProducerOptions } from './producer.ts';

/** The options of a producer, with their defaults. */
export interface ProducerSettings<In> {
  readonly acceptIf: (peer: PeerInfo) => boolean;
  readonly onlineWhen: OnlineWhen | undefined;
  readonly maxConsumers: number;
  readonly maxEgressBytesPerSecond: number;
  readonly bounds: ChannelBounds;
  /** A block holds no more than a part of the queue. */
  readonly blockDatums: number;
  readonly disconnectLagging: boolean;
  readonly onUndelivered: ((datum: In) => void) | undefined;
}

const MIB = 1024 * 1024;

/** @throws {InvalidArgumentError} when an option is out of range. */
export function producerSettings<In>(options: ProducerOptions<In>): ProducerSettings<In> {
  const bytes = positive('bufferBytes', options.bufferBytes ?? 8 * MIB);
  const datums = positive('bufferDatums', options.bufferDatums ?? Number.POSITIVE_INFINITY);
  return {
    acceptIf: options.acceptIf ?? (() => true),
    onlineWhen: options.onlineWhen,
    maxConsumers: positive('maxConsumers', options.maxConsumers ?? 1024),
    maxEgressBytesPerSecond: positive(
      'maxEgressBytesPerSecond',
      options.maxEgressBytesPerSecond ?? Number.POSITIVE_INFINITY,
    ),
    // A quarter, so that consumers of about the same speed have three quarters to run apart.
    bounds: { bytes, datums, softBytes: Math.min(MIB, bytes / 4), softDatums: Math.max(1, datums / 4) },
    blockDatums: Math.max(1, Math.floor(datums / 8)),
    disconnectLagging: options.disconnectLagging ?? true,
    onUndelivered: options.onUndelivered,
  };
}

function positive(name: string, value: number): number {
  if (value > 0) return value;
  throw new InvalidArgumentError(name, `a number above 0, not ${value}`);
}
