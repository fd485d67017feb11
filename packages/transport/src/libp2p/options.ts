import { InvalidArgumentError, type Metrics, type NetworkId, type Runtime } from '@mosaik/primitives';
import type { SecretKey } from '../secret-key.ts';
import type { Address } from '../transport.ts';
import type { Encryption } from './encryption.ts';

/** How to make a transport over libp2p. */
export interface Libp2pTransportOptions {
  /** The network's name, hashed, or its id. Nodes of different networks cannot open anything at each other. */
  readonly network: NetworkId | string;
  /** This node's identity; see {@link secretKey}. */
  readonly secretKey: SecretKey | Uint8Array | string;
  /** Multiaddrs to listen on. Default `['/ip4/0.0.0.0/tcp/0']`: every interface, a free port. */
  readonly listen?: readonly Address[];
  /** Multiaddrs to tell others instead of those listened on, for nodes behind a NAT with a forwarded port. */
  readonly announce?: readonly Address[];
  /**
   * A peer from which nothing was heard for this long is lost, in milliseconds. Default 5000.
   * It is beaten to four times in that time; shorter notices earlier and takes a busy peer for a dead one sooner.
   */
  readonly silenceMs?: number;
  /** How long one attempt to connect may take, in milliseconds. Default 10000. */
  readonly dialTimeoutMs?: number;
  /** Connections at once; more are refused. Default 1000. */
  readonly maxConnections?: number;
  /**
   * The largest Yamux window, in bytes: how much one stream has in flight, and how much a paused reader holds.
   * From 256 KiB to 4 MiB; default 1 MiB. Larger windows carry more over long distances, and delay other streams more.
   */
  readonly streamWindowBytes?: number;
  /**
   * The encryptions that this node speaks, the preferred one first: whoever dials tries its own in this order, and takes
   * the first that the other side speaks too. Default `['tls', 'noise']`: TLS 1.3 by Node's own OpenSSL, at half the
   * price or less for large messages, and Noise with those that have no TLS. Two that have none in common cannot connect.
   */
  readonly encryption?: readonly Encryption[];
  /** Finds peers of the same network on the local network by multicast DNS. Default off. */
  readonly mdns?: boolean | { readonly intervalMs?: number };
  /** Circuit relay: serve as one, or be reachable through others. Default off. */
  readonly relay?: {
    readonly serve?: boolean;
    /** Multiaddrs of relays, with their peer id, at which this node reserves an address. */
    readonly through?: readonly Address[];
  };
  readonly runtime?: Runtime;
  readonly metrics?: Metrics;
  /** Hears of errors in background work that no caller can be told of. Default: logged. */
  readonly onError?: (error: Error, where: string) => void;
}

const KIB = 1024;

export interface Limits {
  readonly silenceMs: number;
  readonly dialTimeoutMs: number;
  readonly maxConnections: number;
  readonly streamWindowBytes: number;
}

/** The numbers among the options, with their defaults; checked. */
export function limitsOf(options: Libp2pTransportOptions): Limits {
  return {
    silenceMs: within('silenceMs', options.silenceMs ?? 5_000, 100, 3_600_000),
    dialTimeoutMs: within('dialTimeoutMs', options.dialTimeoutMs ?? 10_000, 100, 3_600_000),
    maxConnections: within('maxConnections', options.maxConnections ?? 1_000, 1, 1_000_000),
    // Above 4 MiB a paused stream outgrows libp2p's read buffer and is reset.
    streamWindowBytes: within(
      'streamWindowBytes',
      options.streamWindowBytes ?? 1024 * KIB,
      256 * KIB,
      4096 * KIB,
    ),
  };
}

function within(name: string, value: number, from: number, to: number): number {
  if (value >= from && value <= to) return value;
  throw new InvalidArgumentError(name, `a number from ${from} to ${to}, not ${value}`);
}
