import type {
  EventStream,
  Metrics,
  NetworkId,
  PeerId,
  Runtime,
  WaitOptions,
  Watch,
} from '@mosaik/primitives';
import type { Direction, Link } from './link/link.ts';
import type { Protocol } from './protocol.ts';

/** Where a peer can be reached, in the notation of the transport: a multiaddr for libp2p. */
export type Address = string;

/** This node, as its transport knows it. */
export interface LocalPeer {
  readonly peerId: PeerId;
  readonly network: NetworkId;
  /** Where others can reach this node; ends with its peer id. */
  readonly addresses: Watch<readonly Address[]>;
  /** Signs with the node's Ed25519 key; 64 bytes. */
  sign(data: Uint8Array): Promise<Uint8Array>;
}

/** A live connection to a peer of any network: what a node of another one may open is nothing. */
export interface Connection {
  readonly peer: PeerId;
  readonly direction: Direction;
  readonly address: Address;
  /** {@link Runtime.now} at the time it was made. */
  readonly openedAtMs: number;
}

/** What happens to connections; fixed names, for logs, metrics, and those who look inside. */
export type TransportEvent =
  | {
      readonly type: 'connected';
      readonly peer: PeerId;
      readonly direction: Direction;
      readonly address: Address;
    }
  | { readonly type: 'disconnected'; readonly peer: PeerId; readonly reason: DisconnectReason }
  | { readonly type: 'dialFailed'; readonly peer: PeerId; readonly attempt: number; readonly reason: string }
  | { readonly type: 'discovered'; readonly peer: PeerId; readonly addresses: readonly Address[] }
  | { readonly type: 'refused'; readonly peer: PeerId; readonly protocol: string; readonly code: number };

/** `closed` by either side on purpose, `lost` with the peer's process, `silent` when packets just stopped. */
export type DisconnectReason = 'closed' | 'lost' | 'silent';

/** Bounds on what peers may open; the numbers hold for one peer and one protocol. */
export interface AcceptLimits {
  /** Links open at once; further ones are refused with code 429. Default 64. */
  readonly maxLinks?: number;
  /** Opens a second on average, ten times that in a burst; beyond, refused with code 429. Default 20. */
  readonly maxOpensPerSecond?: number;
}

/** Handles a link that a peer opened. It is closed with 500 when the handler throws or rejects. */
export type LinkHandler<M> = (link: Link<M>) => void | Promise<void>;

/** What becomes of a gossip message: passed on, dropped, or dropped and held against the neighbour that sent it. */
export type TopicVerdict = 'accept' | 'ignore' | 'reject';

/** A gossip message as it came in. */
export interface TopicMessage {
  readonly data: Uint8Array;
  /** The neighbour it came from, not the author: gossip is unsigned, what matters signs itself. */
  readonly from: PeerId;
}

/** Judges a message; it may take its time, for a signature, and nothing is passed on until it has decided. */
export type TopicHandler = (message: TopicMessage) => TopicVerdict | Promise<TopicVerdict>;

/** A gossip broadcast to all nodes of the network; at most once per node, best effort. */
export interface Topic {
  readonly name: string;
  /**
   * Sends to the mesh; resolves with the number of neighbours it was handed to (0 is possible).
   *
   * @throws {FrameTooLargeError} when it is over the topic's limit of 1 MiB.
   */
  publish(data: Uint8Array): Promise<number>;
  /** Receives, and decides on each message whether it is passed on. One subscriber a topic. */
  subscribe(handler: TopicHandler): Disposable;
  /** Neighbours known to have subscribed. */
  readonly peers: readonly PeerId[];
}

/** The only door to the network. */
export interface Transport extends AsyncDisposable {
  readonly local: LocalPeer;
  readonly runtime: Runtime;
  readonly metrics: Metrics;
  /** The live connections, one a peer. */
  readonly connections: Watch<ReadonlyMap<PeerId, Connection>>;
  readonly events: EventStream<TransportEvent>;
  /**
   * Connects to whoever answers at an address.
   *
   * @returns the peer that answered.
   * @throws {PeerUnreachableError} when nobody does.
   * @throws {WrongPeerError} when the address names a peer and another one answers.
   */
  connect(address: Address, options?: WaitOptions): Promise<PeerId>;
  /** Ends the connection to a peer, and with it all links. */
  disconnect(peer: PeerId): Promise<void>;
  /** Replaces what is known of a peer's addresses; used by `open` and `keep`. */
  setAddresses(peer: PeerId, addresses: readonly Address[]): void;
  /**
   * Keeps a connection to a peer: made now if there is none, made again whenever it is lost, with backoff and for ever,
   * until disposed.
   */
  keep(peer: PeerId): Disposable;
  /**
   * Opens a link, connecting first if need be.
   *
   * @throws {PeerUnreachableError} when there is no connection and none can be made.
   * @throws {ProtocolUnsupportedError} when the peer does not speak the protocol, or is of another network.
   */
  open<M>(peer: PeerId, protocol: Protocol<M>, options?: WaitOptions): Promise<Link<M>>;
  /** The links that are open, with any peer, opened by either side. */
  links(): readonly Link<unknown>[];
  /** Accepts links of a protocol until disposed. One handler a protocol. */
  accept<M>(protocol: Protocol<M>, handler: LinkHandler<M>, limits?: AcceptLimits): Disposable;
  /** The gossip topic of this name, in this network. */
  topic(name: string): Topic;
  /** Whether `signature` is the peer's over `data`. */
  verify(peer: PeerId, data: Uint8Array, signature: Uint8Array): Promise<boolean>;
  /** Smoothed round trip to a connected peer in milliseconds, measured by the liveness beat; undefined before the first. */
  rtt(peer: PeerId): number | undefined;
  /** Closes everything: links with code 503, then connections. */
  close(): Promise<void>;
}
