import { bytesCodec } from '@mosaik/primitives';
import { type Protocol, protocol } from '@mosaik/transport';

const KIB = 1024;

/** Handshakes, beats, entries of discovery, and what is small and urgent, of all groups that two nodes share. Decoded by the bond itself. */
export const bondProtocol: Protocol<Uint8Array> = protocol({
  name: 'groups/bond',
  version: 2,
  codec: bytesCodec,
  priority: 'control',
  maxFrameBytes: 256 * KIB,
  sendBufferBytes: 4 * KIB * KIB,
  receiveBufferBytes: KIB * KIB,
});

/** What is large: entries, forwarded commands, catch-up. Belongs to a bond, and ends with it. */
export const laneProtocol: Protocol<Uint8Array> = protocol({
  name: 'groups/lane',
  version: 1,
  codec: bytesCodec,
  priority: 'bulk',
  maxFrameBytes: 16 * KIB * KIB,
  sendBufferBytes: 32 * KIB * KIB,
  receiveBufferBytes: 4 * KIB * KIB,
});
