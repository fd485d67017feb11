import type { PeerId } from '@mosaik/primitives';
import type { PeerInfo } from './catalog/peer-info.ts';

/**
 * Why a peer is not in the catalog any more: it `left` with a goodbye, it is `dead` by the failure detector, `purged` as
 * nothing was heard for long, `removed` by hand, or too `far` away for `maxRttMs`.
 */
export type DepartureReason = 'left' | 'dead' | 'purged' | 'removed' | 'far';

/** What happens in the catalog. */
export type DiscoveryEvent =
  | { readonly type: 'discovered'; readonly peer: PeerInfo }
  | { readonly type: 'updated'; readonly peer: PeerInfo; readonly previous: PeerInfo }
  | { readonly type: 'departed'; readonly peer: PeerInfo; readonly reason: DepartureReason }
  /** Two processes run with this node's key; both are told. The catalogs of others show the one that started later. */
  | {
      readonly type: 'identityConflict';
      readonly peer: PeerId;
      /** When this process and the other one started, by the wall clock in ms. */
      readonly startedAtMs: number;
      readonly otherStartedAtMs: number;
    };
