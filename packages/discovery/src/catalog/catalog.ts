import { type PeerId, type StreamId, type Tag, tag } from '@mosaik/primitives';
import { type PeerInfo, peerInfo } from './peer-info.ts';
import type { RecordTree } from './tree.ts';

/** The peers known at one moment, this node not among them, ascending by peer id. It never changes. */
export interface Catalog extends Iterable<PeerInfo> {
  readonly size: number;
  has(peer: PeerId): boolean;
  get(peer: PeerId): PeerInfo | undefined;
  /** The peers for which `predicate` holds. */
  filter(predicate: (peer: PeerInfo) => boolean): PeerInfo[];
  withTag(tag: Tag | string): PeerInfo[];
  producersOf(stream: StreamId): PeerInfo[];
}

/** A catalog over a tree that its owner does not change any more. */
export function catalogOf(tree: RecordTree): Catalog {
  return new TreeCatalog(tree);
}

class TreeCatalog implements Catalog {
  readonly #tree: RecordTree;

  constructor(tree: RecordTree) {
    this.#tree = tree;
  }

  get size(): number {
    return this.#tree.size;
  }

  has(peer: PeerId): boolean {
    return this.#tree.has(peer);
  }

  get(peer: PeerId): PeerInfo | undefined {
    const record = this.#tree.get(peer);
    return record && peerInfo(record.entry, record.rttMs);
  }

  filter(predicate: (peer: PeerInfo) => boolean): PeerInfo[] {
    return [...this].filter(predicate);
  }

  withTag(wanted: Tag | string): PeerInfo[] {
    const id = tag(wanted);
    return this.filter((peer) => peer.tags.includes(id));
  }

  producersOf(stream: StreamId): PeerInfo[] {
    return this.filter((peer) => peer.produces(stream));
  }

  *[Symbol.iterator](): Iterator<PeerInfo> {
    for (const record of this.#tree.values()) yield peerInfo(record.entry, record.rttMs);
  }
}
