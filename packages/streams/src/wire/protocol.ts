import { bytesCodec } from '@mosaik/primitives';
import { type Protocol, protocol } from '@mosaik/transport';

const MIB = 1024 * 1024;

/** A block that is larger holds a single datum of almost this size. */
export const MESSAGE_BYTES_MAX: number = 16 * MIB;

/** One link a subscription: the consumer opens it. */
export const streamProtocol: Protocol<Uint8Array> = protocol({
  name: 'stream',
  version: 1,
  codec: bytesCodec,
  maxFrameBytes: MESSAGE_BYTES_MAX,
  // What waits longer waits in the queue of the producer's channel, where it is accounted for and shared by all.
  sendBufferBytes: 256 * 1024,
  receiveBufferBytes: 512 * 1024,
});
