import { compareIds, type PeerId } from '@mosaik/primitives';
import sorted from 'sorted-btree';
import type { PeerRecord } from './record.ts';

/** Records by peer id, ascending; cloned in O(1), copied where it is written (B+ tree, copy on write). */
export type RecordTree = sorted.default<PeerId, PeerRecord>;

// The package is CommonJS: Node hands out the module, bundlers may hand out its default export.
const Tree: typeof sorted.default = 'default' in sorted ? sorted.default : sorted;

export function createRecordTree(): RecordTree {
  return new Tree<PeerId, PeerRecord>(undefined, compareIds);
}
