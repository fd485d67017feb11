import { yamux } from '@chainsafe/libp2p-yamux';
import { type GossipSub, gossipsub } from '@libp2p/gossipsub';
import { type Identify, identify } from '@libp2p/identify';
import type { Libp2p, PeerInfo, ServiceMap } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { type NetworkId, shortId, systemRuntime } from '@mosaik/primitives';
import { createLibp2p, type Libp2pOptions } from 'libp2p';
import { encryptersOf } from './encryption.ts';
import type { Identity } from './identity.ts';
import type { Libp2pTransportOptions, Limits } from './options.ts';
import { gossipMessageId } from './topics.ts';

interface Services extends ServiceMap {
  readonly identify: Identify;
  readonly gossip: GossipSub;
}

export type Node = Libp2p<Services>;

const MIB = 1024 * 1024;
/** Links of one protocol a connection: the accept gate refuses far below, and with a code. */
export const MAX_STREAMS_PER_PROTOCOL = 4_096;
const MDNS_INTERVAL_MS = 5_000;
/** Silent addresses of a peer that fit into the time of one dial. */
const ADDRESSES_PER_DIAL = 3;

interface NodeOptions {
  readonly options: Libp2pTransportOptions;
  readonly limits: Limits;
  readonly network: NetworkId;
  readonly identity: Identity;
  /** A peer was seen on the local network; called each time it is. */
  readonly onFound: (peer: PeerInfo) => void;
}

/**
 * Makes a libp2p node, not started yet, with the settings mosaik needs; each departs from a default for a reason
 * measured or read.
 */
export async function createNode({
  options,
  limits,
  network,
  identity,
  onFound,
}: NodeOptions): Promise<Node> {
  const [relay, peerDiscovery] = await Promise.all([
    relayOf(options.relay),
    peerDiscoveryOf(options, network, onFound),
  ]);
  return createLibp2p<Services>({
    // Not before our handlers are in place: who connects at once would find nothing.
    start: false,
    privateKey: identity.privateKey,
    addresses: {
      listen: [...(options.listen ?? ['/ip4/0.0.0.0/tcp/0']), ...relay.listen],
      ...(options.announce ? { announce: [...options.announce] } : {}),
    },
    transports: [tcp(), ...relay.transports],
    connectionEncrypters: encryptersOf(
      options.encryption ?? ['tls', 'noise'],
      options.runtime ?? systemRuntime,
    ),
    streamMuxers: [
      yamux({
        maxInboundStreams: MAX_STREAMS_PER_PROTOCOL,
        maxOutboundStreams: MAX_STREAMS_PER_PROTOCOL,
        // The default of 10 resets a peer that opens its links at once.
        maxEarlyStreams: 256,
        streamOptions: { maxStreamWindowSize: limits.streamWindowBytes },
      }),
    ],
    peerDiscovery,
    connectionManager: {
      maxConnections: limits.maxConnections,
      dialTimeout: limits.dialTimeoutMs,
      // Addresses are tried one after the other: one that swallows packets must leave time for the next.
      addressDialTimeout: Math.ceil(limits.dialTimeoutMs / ADDRESSES_PER_DIAL),
      // The defaults (5 a second a host, 10 pending) refuse a fleet behind one address, and any test on loopback.
      inboundConnectionThreshold: limits.maxConnections,
      maxIncomingPendingConnections: limits.maxConnections,
      // Redialling is the keeper's: libp2p's gives up, and forgets.
      reconnectRetries: 0,
    },
    // Liveness is our own: this one cuts a connection for a single late ping.
    connectionMonitor: { enabled: false },
    peerStore: { maxAddressAge: Number.POSITIVE_INFINITY, maxPeerAge: Number.POSITIVE_INFINITY },
    services: {
      identify: identify(),
      gossip: gossipsub({
        // What mosaik gossips signs itself; a second signature costs 0.7 ms a message.
        globalSignaturePolicy: 'StrictNoSign',
        msgIdFn: (message) => gossipMessageId(message.data),
        allowPublishToZeroTopicPeers: true,
        fallbackToFloodsub: false,
        ignoreDuplicatePublishError: true,
        // Many nodes on one address are normal here; with the default weight they graylist each other from 15 on.
        scoreParams: { IPColocationFactorWeight: 0 },
        maxOutboundBufferSize: 16 * MIB,
        runOnLimitedConnection: true,
      }),
      ...relay.services,
    },
  } satisfies Libp2pOptions<Services>);
}

/**
 * Multicast DNS, loaded only when it is asked for. The tag names the network, so that nodes of others do not even answer.
 * Heard directly: the node's own event tells of every peer that is new to it, by whatever way, and only once.
 */
async function peerDiscoveryOf(
  options: Libp2pTransportOptions,
  network: NetworkId,
  onFound: (peer: PeerInfo) => void,
): Promise<NonNullable<Libp2pOptions<Services>['peerDiscovery']>> {
  if (!options.mdns) return [];
  const { mdns } = await import('@libp2p/mdns');
  const intervalMs = options.mdns === true ? undefined : options.mdns.intervalMs;
  const serviceTag = `_mosaik-${shortId(network)}._udp.local`;
  const create = mdns({ serviceTag, interval: intervalMs ?? MDNS_INTERVAL_MS });
  return [
    (components) => {
      const discovery = create(components as Parameters<typeof create>[0]);
      discovery.addEventListener('peer', (event) => onFound(event.detail));
      return discovery;
    },
  ];
}

/** What a node that serves as a relay, or is reachable through others, has in addition. */
interface Relay {
  readonly listen: readonly string[];
  readonly transports: NonNullable<Libp2pOptions<Services>['transports']>;
  readonly services: object;
}

/** Circuit relay, loaded only when it is asked for. */
async function relayOf(options: Libp2pTransportOptions['relay']): Promise<Relay> {
  if (options === undefined) return { listen: [], transports: [], services: {} };
  const { circuitRelayServer, circuitRelayTransport } = await import('@libp2p/circuit-relay-v2');
  // The default limit ends a relayed connection after 128 KiB, without an error to either side.
  const reservations = { maxReservations: 1_000, applyDefaultLimit: false };
  return {
    listen: (options.through ?? []).map((relay) => `${relay}/p2p-circuit`),
    transports: [circuitRelayTransport()],
    services: options.serve ? { relay: circuitRelayServer({ reservations }) } : {},
  };
}
