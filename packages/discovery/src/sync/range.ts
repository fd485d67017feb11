import type { PeerId } from '@mosaik/primitives';
import type { EntryVersion } from '../entry/peer-entry.ts';
import type { Fingerprint } from './fingerprints.ts';

/**
 * Where a range begins or ends: up to 32 bytes as hexadecimal text, which is compared to peer ids as it is; so the
 * first bytes of an id are enough to part it from its neighbour.
 */
export type Bound = string;

/** Before every peer id. */
export const FIRST_BOUND: Bound = '';
/** After every peer id, and after every bound that bytes can say. */
export const LAST_BOUND: Bound = 'g';

/** Peer ids from `from` up to, not including, `to`. */
export interface Bounds {
  readonly from: Bound;
  readonly to: Bound;
}

/** What a side holds of a peer, said by itself. */
export interface ListedItem {
  readonly peer: PeerId;
  readonly version: EntryVersion;
}

/** What a side holds in a range, in short. */
export interface FingerprintRange extends Bounds {
  readonly kind: 'fingerprint';
  readonly count: number;
  readonly fingerprint: Fingerprint;
}

/** All that a side holds in a range, ascending by peer id; few items. */
export interface ListRange extends Bounds {
  readonly kind: 'list';
  readonly items: readonly ListedItem[];
}

export type SyncRange = FingerprintRange | ListRange;

/** The shortest bound with `before` on its one side and `after` on the other. Asks that `before < after`. */
export function boundBetween(before: PeerId, after: PeerId): Bound {
  let digit = 0;
  while (before[digit] === after[digit]) digit++;
  // Whole bytes: two digits each.
  return after.slice(0, (digit | 1) + 1);
}
