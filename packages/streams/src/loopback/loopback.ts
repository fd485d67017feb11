import type { NetworkId, PeerId, Runtime } from '@mosaik/primitives';
import { type Link, type Protocol, protocolId } from '@mosaik/transport';
import { createLink } from '@mosaik/transport/link';
import { createPipe } from './pipe.ts';

/** What a link of a node to itself is made of. */
export interface LoopbackOptions<M> {
  /** This node. */
  readonly peer: PeerId;
  readonly network: NetworkId;
  readonly runtime: Runtime;
  readonly protocol: Protocol<M>;
}

/**
 * The two ends of a link from this node to itself, so that it is served like any other; for the layers above, which do the
 * same.
 */
export function createLoopback<M>(options: LoopbackOptions<M>): {
  readonly outbound: Link<M>;
  readonly inbound: Link<M>;
} {
  const { peer, network, runtime, protocol } = options;
  const pipe = createPipe();
  const common = { peer, runtime, protocol, protocolId: protocolId(network, protocol) };
  return {
    outbound: createLink({ ...common, direction: 'outbound', channel: pipe.left }),
    inbound: createLink({ ...common, direction: 'inbound', channel: pipe.right }),
  };
}
