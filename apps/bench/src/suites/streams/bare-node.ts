import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import type { Libp2p, Stream } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';

/** By default a host may connect five times a second, and here all of them are one host. */
const CONNECTIONS_PER_SECOND = 100;

/** libp2p by its README, TCP, Noise and Yamux with their defaults, for any number of peers on one machine. */
export function startBareNode(): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: CONNECTIONS_PER_SECOND },
  });
}

/** A stream to each of these nodes. */
export function openToAll(node: Libp2p, addresses: readonly string[], protocol: string): Promise<Stream[]> {
  return Promise.all(addresses.map((address) => node.dialProtocol(multiaddr(address), protocol)));
}
