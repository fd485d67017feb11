import { type Protocol, protocol } from '@mosaik/transport';
import { syncCodec } from './codec.ts';
import { FRAME_BYTES_MAX } from './limits.ts';
import type { SyncMessage } from './message.ts';

export type { SyncMessage } from './message.ts';

/** Catalog sync: whoever opens the link begins, see `syncWith` and `serveSync`. */
export const syncProtocol: Protocol<SyncMessage> = protocol({
  name: 'discovery/sync',
  version: 1,
  codec: syncCodec,
  maxFrameBytes: FRAME_BYTES_MAX,
});
