import type { Metrics, NetworkId } from '@mosaik/primitives';
import type { SecretKey } from '@mosaik/transport';

/** How to make a simulated transport. */
export interface SimTransportOptions {
  /** The network's name, hashed, or its id. Nodes of different networks do not connect. Default: the host's. */
  readonly network?: NetworkId | string | undefined;
  /** The node's identity. Default: the host's, or one that follows from the seed and the names. */
  readonly secretKey?: SecretKey | Uint8Array | string | undefined;
  /** A peer from which nothing can be heard for this long is lost, in milliseconds. Default 5000. */
  readonly silenceMs?: number | undefined;
  /** How long one attempt to connect may take, in milliseconds. Default 10000. */
  readonly dialTimeoutMs?: number | undefined;
  readonly metrics?: Metrics | undefined;
  /** Hears of errors in background work and in handlers. Default: kept in `world.errors`. */
  readonly onError?: ((error: Error, where: string) => void) | undefined;
}

export const DEFAULT_SILENCE_MS = 5_000;
export const DEFAULT_DIAL_TIMEOUT_MS = 10_000;
