import type { Suite } from '../suite.ts';
import { discoverySuite } from './discovery/suite.ts';
import { groupsSuite } from './groups/suite.ts';
import { linkSuite } from './link/suite.ts';
import { nodeSuite } from './node/suite.ts';
import { storeSuite } from './store/suite.ts';
import { streamsSuite } from './streams/suite.ts';

/**
 * In the order in which they run. What is simulated comes first: the simulator does not bear that anybody in its process reads
 * the clock, and libp2p may still do so for a moment after it was stopped.
 */
export const suites: readonly Suite[] = [
  discoverySuite,
  linkSuite,
  streamsSuite,
  groupsSuite,
  storeSuite,
  nodeSuite,
];
