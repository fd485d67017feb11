import { createDiscovery, type Discovery } from '@mosaik/discovery';
import type { Transport } from '@mosaik/transport';
import { createLibp2pTransport } from '@mosaik/transport/libp2p';

/** What everything of ours stands on, in a process of a benchmark. */
export interface MosaikNode {
  /** Where others find the network by this node. */
  readonly address: string;
  readonly transport: Transport;
  readonly discovery: Discovery;
}

export interface MosaikNodeOptions {
  /** Of any node of the network; empty for the first one. */
  readonly bootstrap: string;
  /** Who it is; a new one each time unless given. */
  readonly name?: string;
}

/** Starts a node on loopback, with all defaults. */
export async function startMosaikNode({
  bootstrap,
  name = `process ${process.pid}`,
}: MosaikNodeOptions): Promise<MosaikNode> {
  const transport = await createLibp2pTransport({
    network: 'bench',
    secretKey: name,
    listen: ['/ip4/127.0.0.1/tcp/0'],
  });
  const discovery = await createDiscovery({ transport, bootstrap: bootstrap === '' ? [] : [bootstrap] });
  return { address: transport.local.addresses.value[0] ?? '', transport, discovery };
}
