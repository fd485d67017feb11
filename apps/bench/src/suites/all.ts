import type { Suite } from '../suite.ts';
import { discoverySuite } from './discovery/suite.ts';
import { groupsSuite } from './groups/suite.ts';
import { linkSuite } from './link/suite.ts';
import { nodeSuite } from './node/suite.ts';
import { storeSuite } from './store/suite.ts';
import { streamsSuite } from './streams/suite.ts';

/** In the order in which they run. */
export const suites: readonly Suite[] = [
  linkSuite,
  discoverySuite,
  streamsSuite,
  groupsSuite,
  storeSuite,
  nodeSuite,
];
