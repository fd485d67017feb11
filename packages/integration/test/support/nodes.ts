import type { PeerId } from '@mosaik/primitives';
import type { Transport } from '@mosaik/transport';
import { createLibp2pTransport, type Libp2pTransportOptions } from '@mosaik/transport/libp2p';
import { type Child, startChild } from './child.ts';

export const LOOPBACK = '/ip4/127.0.0.1/tcp/0';

/** Options of a node that can be told to another process. */
export type NodeOptions = Pick<
  Libp2pTransportOptions,
  'listen' | 'silenceMs' | 'dialTimeoutMs' | 'encryption' | 'mdns' | 'relay'
> & {
  readonly network?: string;
  readonly secretKey: string;
};

/** A node in this process. */
export function startNode(options: NodeOptions): Promise<Transport> {
  return createLibp2pTransport({ network: 'integration', listen: [LOOPBACK], ...options });
}

/** A node in a process of its own: `test/programs/node.ts`. */
export interface NodeProcess extends Child {
  readonly peerId: PeerId;
  readonly address: string;
}

export async function startNodeProcess(options: NodeOptions): Promise<NodeProcess> {
  const child = await startChild('node', options);
  const { peerId, addresses } = await child.call<{ peerId: PeerId; addresses: string[] }>('local');
  return Object.assign(child, { peerId, address: addresses[0] ?? '' });
}

export function addressOf(transport: Transport): string {
  const [address] = transport.local.addresses.value;
  if (address === undefined) throw new Error('the node has no address');
  return address;
}
