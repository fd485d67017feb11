import type { NetworkId, PeerId } from '@mosaik/primitives';
import type { Address, DisconnectReason } from '@mosaik/transport';
import type { Process } from '../world/process.ts';
import type { SimChannel } from './channel.ts';
import type { ConnectionSide } from './connection.ts';
import type { Machine } from './machine.ts';
import type { Lane } from './route.ts';

/** A transport as connections see it. */
export interface Endpoint {
  readonly process: Process;
  readonly machine: Machine;
  readonly peerId: PeerId;
  readonly networkId: NetworkId;
  readonly address: Address;
  readonly silenceTimeoutMs: number;
  /** False from when it closes; it does not connect any more. */
  readonly isOpen: boolean;
  /** What is open and under way, as text. */
  readonly activity: readonly string[];
  /** Its side of the connection to a peer. */
  sideTo(peer: PeerId): ConnectionSide | undefined;
  connected(side: ConnectionSide): void;
  disconnected(side: ConnectionSide, reason: DisconnectReason): void;
  /** The other side asks for a link. */
  asked(side: ConnectionSide, request: OpenRequest): void;
  /** The other side gossips. */
  heard(side: ConnectionSide, frame: GossipFrame): void;
}

/** What a side that opens a link sends; the answers travel back as packets. */
export interface OpenRequest {
  readonly protocolId: string;
  readonly lane: Exclude<Lane, 'both'>;
  accepted(channel: SimChannel): void;
  unsupported(): void;
}

/** A message of gossip; `topic` is scoped to the network. */
export interface GossipMessage {
  /** Unique in the world; stands for the nonce of 16 bytes. */
  readonly id: number;
  readonly topic: string;
  readonly data: Uint8Array;
}

/** What neighbours tell each other, in the words of gossipsub. */
export type GossipFrame =
  | { readonly type: 'subscribe' | 'unsubscribe' | 'graft' | 'prune'; readonly topic: string }
  | { readonly type: 'publish'; readonly topic: string; readonly message: GossipMessage }
  /** Names messages that it has, or those that it wants of them. */
  | { readonly type: 'ihave' | 'iwant'; readonly topic: string; readonly ids: readonly number[] };
