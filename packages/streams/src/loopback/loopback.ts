import type { NetworkId, PeerId, Runtime } from '@mosaik/primitives';
import { type Link, protocolId } from '@mosaik/transport';
import { createLink } from '@mosaik/transport/link';
import { streamProtocol } from '../wire/protocol.ts';
import { createPipe } from './pipe.ts';

/** The two ends of a link from this node to itself, so that its own consumers are served like any other. */
export function createLoopback(options: {
  readonly peer: PeerId;
  readonly network: NetworkId;
  readonly runtime: Runtime;
}): { readonly outbound: Link<Uint8Array>; readonly inbound: Link<Uint8Array> } {
  const { peer, network, runtime } = options;
  const pipe = createPipe();
  const common = { peer, runtime, protocol: streamProtocol, protocolId: protocolId(network, streamProtocol) };
  return {
    outbound: createLink({ ...common, direction: 'outbound', channel: pipe.left }),
    inbound: createLink({ ...common, direction: 'inbound', channel: pipe.right }),
  };
}
