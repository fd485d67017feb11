import { bytesCodec } from '@mosaik/primitives';
import { type Protocol, protocol } from '@mosaik/transport';

/**
 * Asks a node what it does: whoever opens a link gets one {@link Inspection} as CBOR, and the end of the link. What arrives
 * comes from a peer, so that whoever asks decodes it with a schema of its own.
 */
export const inspectionProtocol: Protocol<Uint8Array> = protocol({
  name: 'mosaik/inspection',
  version: 1,
  codec: bytesCodec,
  maxFrameBytes: 4 * 1024 * 1024,
});
