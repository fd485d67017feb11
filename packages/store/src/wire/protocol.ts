import { bytesCodec, deriveId, type StoreId, type StreamId } from '@mosaik/primitives';
import { type Protocol, protocol } from '@mosaik/transport';

const MIB = 1024 * 1024;

/** As in streams: a block that is larger than usual holds a single datum of almost this size. */
const MESSAGE_BYTES_MAX = 16 * MIB;

/** Whoever wants something of a store opens a link, and asks on it. */
export const logProtocol: Protocol<Uint8Array> = protocol({
  name: 'store/log',
  version: 1,
  codec: bytesCodec,
  maxFrameBytes: MESSAGE_BYTES_MAX,
  // Some blocks on their way at once, so that neither the disk nor the network waits for the other.
  sendBufferBytes: 512 * 1024,
  receiveBufferBytes: MIB,
});

/** What everybody who keeps logs of a stream is found by in the catalog. */
export function storeIdOf(stream: StreamId): StoreId {
  return deriveId(stream, 'store');
}

/** What the holders of a fold are found by; another version is another fold. */
export function foldIdOf(stream: StreamId, name: string, version: string): StoreId {
  return deriveId(stream, 'fold', name, version);
}
