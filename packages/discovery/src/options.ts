import { InvalidArgumentError } from '@mosaik/primitives';
import type { Address, Transport } from '@mosaik/transport';
import type { DetectorOptions } from './detector/contract.ts';

/** How discovery is set up; times are in milliseconds. */
export interface DiscoveryOptions {
  readonly transport: Transport;
  /** Addresses of nodes that may be live; one that answers is enough. Tried until one does, and again when all is lost. */
  readonly bootstrap?: readonly Address[];
  /** Tags this node begins with. */
  readonly tags?: readonly string[];
  /**
   * The own entry is announced this often, jittered by 10 %. Default 15000. In networks of more than 250 nodes it is
   * stretched in proportion, up to a quarter of `purgeAfterMs`: with the defaults no node hears more than about 17
   * announcements a second up to 1,250 nodes, and n / 75 beyond.
   */
  readonly announceIntervalMs?: number;
  /** The catalog is compared with that of a random neighbour this often, jittered by 10 %. Default 10000. */
  readonly syncIntervalMs?: number;
  /** An entry of which nothing newer was heard for this long is dropped, as the last resort. Default 300000. */
  readonly purgeAfterMs?: number;
  /** How far ahead of ours another node's clock may be. Default 10000. */
  readonly maxTimeDriftMs?: number;
  /** Peers farther away than this, smoothed, are not shown in the catalog. Default: none is too far. */
  readonly maxRttMs?: number;
  /** Entries of one neighbour whose signature is checked a second, on average. Default 200. */
  readonly verificationsPerSecond?: number;
  /** The fewest connections the overlay is content with. Default: 4 + log2 of the number of nodes. */
  readonly degree?: number;
  readonly detector?: Partial<DetectorOptions>;
}

/** The numbers among the options, with their defaults. */
export interface Settings {
  readonly announceIntervalMs: number;
  readonly syncIntervalMs: number;
  readonly purgeAfterMs: number;
  readonly maxTimeDriftMs: number;
  readonly maxRttMs: number;
  readonly verificationsPerSecond: number;
  readonly degree: number | undefined;
}

/** @throws {InvalidArgumentError} when a number is out of range. */
export function settingsOf(options: DiscoveryOptions): Settings {
  return {
    announceIntervalMs: positive('announceIntervalMs', options.announceIntervalMs ?? 15_000),
    syncIntervalMs: positive('syncIntervalMs', options.syncIntervalMs ?? 10_000),
    purgeAfterMs: positive('purgeAfterMs', options.purgeAfterMs ?? 300_000),
    maxTimeDriftMs: positive('maxTimeDriftMs', options.maxTimeDriftMs ?? 10_000),
    maxRttMs: positive('maxRttMs', options.maxRttMs ?? Number.POSITIVE_INFINITY),
    verificationsPerSecond: positive('verificationsPerSecond', options.verificationsPerSecond ?? 200),
    degree: options.degree === undefined ? undefined : positive('degree', options.degree),
  };
}

function positive(name: string, value: number): number {
  if (value > 0) return value;
  throw new InvalidArgumentError(name, `a number above 0, not ${value}`);
}
