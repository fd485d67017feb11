import type { PeerId } from '@mosaik/primitives';
import { protocolId, type Transport } from '@mosaik/transport';
import { probeProtocol } from '../detector/probe-protocol.ts';
import { syncProtocol } from '../sync/protocol.ts';

/**
 * The peers with whom links are open that are not discovery's own, opened by either side: connections that serve somebody. Both
 * sides see the same links, so neither lets go of what the other one uses.
 */
export function peersInUse(transport: Pick<Transport, 'local' | 'links'>): ReadonlySet<PeerId> {
  const { network } = transport.local;
  const own = new Set([probeProtocol, syncProtocol].map((definition) => protocolId(network, definition)));
  const others = transport.links().filter(({ protocol }) => !own.has(protocol));
  return new Set(others.map(({ peer }) => peer));
}
