import type { Discovery, DiscoveryOptions } from '@mosaik/discovery';
import type { Groups, GroupsOptions } from '@mosaik/groups';
import type { Metrics, NetworkId, Runtime, WaitOptions } from '@mosaik/primitives';
import type { Store } from '@mosaik/store';
import type { Streams } from '@mosaik/streams';
import type { Address, LocalPeer, SecretKey, Transport } from '@mosaik/transport';
import type { Libp2pTransportOptions } from '@mosaik/transport/libp2p';
import type { Preset } from './presets.ts';

/** How a node joins a network. */
export interface NetworkOptions {
  /** This node's identity: 32 bytes, 64 hexadecimal characters, or a text for demos. Default: a new one each time. */
  readonly secretKey?: SecretKey | Uint8Array | string | undefined;
  /** Where to listen. Default: every interface, a free port. */
  readonly listen?: readonly Address[] | undefined;
  /** Addresses of nodes that may be live: one that answers is enough. */
  readonly bootstrap?: readonly Address[] | undefined;
  /** The roles of this node, which others see and choose by. */
  readonly tags?: readonly string[] | undefined;
  /** Finds nodes on the local network without any address. Default false. */
  readonly mdns?: boolean | undefined;
  /** What the times suit: one machine, a local network, long distances. Default `lan`. */
  readonly preset?: Preset | undefined;
  /** Options of the libp2p transport, or a transport that is there already: it then stays its owner's. */
  readonly transport?: Partial<Libp2pTransportOptions> | Transport | undefined;
  readonly discovery?: Partial<Omit<DiscoveryOptions, 'transport' | 'bootstrap' | 'tags'>> | undefined;
  readonly groups?: Partial<Omit<GroupsOptions, 'transport' | 'discovery'>> | undefined;
  /** Leaves the network when it fires. */
  readonly signal?: AbortSignal | undefined;
}

/** A node, as a member of a network: everything there is to it. */
export interface Network extends AsyncDisposable {
  readonly name: string;
  readonly id: NetworkId;
  /** This node: its peer id, its addresses, its key. */
  readonly local: LocalPeer;
  readonly transport: Transport;
  readonly discovery: Discovery;
  readonly streams: Streams;
  readonly groups: Groups;
  readonly store: Store;
  readonly runtime: Runtime;
  readonly metrics: Metrics;
  /**
   * Leaves in an orderly way: hands leadership over, delivers what was sent, says goodbye. Errors of one part do not keep
   * the others from closing; the first is thrown at the end. When `signal` fires, groups are left at once, without handing over.
   */
  close(options?: WaitOptions): Promise<void>;
}
