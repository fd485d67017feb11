import { type Codec, InvalidArgumentError, type NetworkId } from '@mosaik/primitives';

/**
 * How traffic of a protocol ranks: `control` is small and urgent (heartbeats, votes, probes) and never waits behind
 * `bulk`, which yields to it and is held to a window.
 */
export type Priority = 'control' | 'bulk';

/** Names a protocol and the type of its messages; made by {@link protocol}. */
export interface Protocol<M> {
  readonly name: string;
  readonly version: number;
  readonly codec: Codec<M>;
  readonly priority: Priority;
  /** A frame over this closes the link with code 413 on both sides. Default 16 MiB. */
  readonly maxFrameBytes: number;
  /** What a link holds unsent before `send` waits. Default 256 KiB. */
  readonly sendBufferBytes: number;
  /** What a link holds unread before it stops the sender. Default 256 KiB. */
  readonly receiveBufferBytes: number;
}

const KIB = 1024;
/** The largest length that the header of a record can say. */
const LARGEST_FRAME_BYTES = 2 ** 31 - 1;

/**
 * Defines a protocol. Both sides must define it alike, but for what only tunes (buffers, priority).
 *
 * @throws {InvalidArgumentError} when an option is out of range.
 */
export function protocol<M>(options: {
  /** Words of `a-z0-9-`, separated by `/`. */
  readonly name: string;
  /** Changes whenever the messages change incompatibly. Default 1. */
  readonly version?: number;
  readonly codec: Codec<M>;
  readonly priority?: Priority;
  readonly maxFrameBytes?: number;
  readonly sendBufferBytes?: number;
  readonly receiveBufferBytes?: number;
}): Protocol<M> {
  const { name, version = 1, codec, priority = 'bulk' } = options;
  if (!/^[a-z0-9-]+(\/[a-z0-9-]+)*$/.test(name)) {
    throw new InvalidArgumentError('name', `words of a-z, 0-9 and "-", separated by "/", not "${name}"`);
  }
  return {
    name,
    version: positive('version', version),
    codec,
    priority,
    maxFrameBytes: positive('maxFrameBytes', options.maxFrameBytes ?? 16 * KIB * KIB),
    sendBufferBytes: positive('sendBufferBytes', options.sendBufferBytes ?? 256 * KIB),
    receiveBufferBytes: positive('receiveBufferBytes', options.receiveBufferBytes ?? 256 * KIB),
  };
}

/** What is negotiated on the wire. It names the network, so that a node of another one cannot open anything. */
export function protocolId(
  network: NetworkId,
  definition: Pick<Protocol<never>, 'name' | 'version'>,
): string {
  return `/mosaik/${network}/${definition.name}/${definition.version}`;
}

function positive(option: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0 && value <= LARGEST_FRAME_BYTES) return value;
  throw new InvalidArgumentError(option, `a whole number from 1 to ${LARGEST_FRAME_BYTES}, not ${value}`);
}
