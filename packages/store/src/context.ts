import type { Discovery } from '@mosaik/discovery';
import type { Log, PeerId } from '@mosaik/primitives';
import type { Streams } from '@mosaik/streams';
import type { StoreMetrics } from './metrics.ts';
import type { Reach } from './pull/asking.ts';

/** What every part of the store of a node stands on. */
export interface StoreContext {
  readonly reach: Reach;
  readonly discovery: Discovery;
  readonly streams: Streams;
  readonly metrics: StoreMetrics;
  readonly log: Log;
  readonly onMisbehaviour: (peer: PeerId, error: Error) => void;
}
