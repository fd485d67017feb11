import { InvalidArgumentError } from '@mosaik/primitives';

/** How bonds are kept; times are in milliseconds. It only tunes: members may differ in it. */
export interface BondOptions {
  /** Something is sent at least this often, jittered by 10 %. Default 250. */
  readonly beatIntervalMs?: number;
  /** A peer of which nothing was heard for this long is taken for gone. Default 2000; at least three beats. */
  readonly beatTimeoutMs?: number;
  /** A handshake that takes longer is given up. Default 5000. */
  readonly handshakeTimeoutMs?: number;
  /** Upper end of the delay before the first new attempt; doubles up to `retryMaxMs`. Default 100. */
  readonly retryBaseMs?: number;
  /** Default 3000. */
  readonly retryMaxMs?: number;
  /** Peers that this node is bonded to, in all groups together; further ones are refused with 30429. Default 1024. */
  readonly maxPeers?: number;
  /** Handshakes under way that others began; further ones are refused with 30429. Default 256. */
  readonly maxHandshakes?: number;
}

export type BondSettings = Required<BondOptions>;

/** @throws {InvalidArgumentError} when an option is out of range. */
export function bondSettings(options: BondOptions = {}): BondSettings {
  const settings = {
    beatIntervalMs: options.beatIntervalMs ?? 250,
    beatTimeoutMs: options.beatTimeoutMs ?? 2_000,
    handshakeTimeoutMs: options.handshakeTimeoutMs ?? 5_000,
    retryBaseMs: options.retryBaseMs ?? 100,
    retryMaxMs: options.retryMaxMs ?? 3_000,
    maxPeers: options.maxPeers ?? 1_024,
    maxHandshakes: options.maxHandshakes ?? 256,
  };
  for (const [name, value] of Object.entries(settings)) {
    if (!(value > 0)) throw new InvalidArgumentError(name, `a number above 0, not ${value}`);
  }
  if (settings.beatTimeoutMs < 3 * settings.beatIntervalMs)
    throw new InvalidArgumentError('beatTimeoutMs', 'at least three times beatIntervalMs');
  if (settings.retryMaxMs < settings.retryBaseMs)
    throw new InvalidArgumentError('retryMaxMs', 'at least retryBaseMs');
  return settings;
}
