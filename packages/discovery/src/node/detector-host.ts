import type { PeerId, Scope } from '@mosaik/primitives';
import type { Transport } from '@mosaik/transport';
import type { CatalogBook } from '../catalog/book.ts';
import type { DetectorHost } from '../detector/contract.ts';
import type { Probes } from '../detector/probes.ts';
import type { EntryVersion } from '../entry/peer-entry.ts';
import type { Releases } from './releases.ts';

interface DetectorHostOptions
  extends Pick<DetectorHost, 'scope' | 'spread' | 'declareDead' | 'refute' | 'rtt'> {
  readonly scope: Scope;
  readonly transport: Transport;
  readonly book: CatalogBook;
  readonly probes: Probes;
  readonly releases: Releases;
  readonly ownVersion: () => EntryVersion;
}

/** The rest of discovery, as the failure detector sees it. */
export function detectorHost(options: DetectorHostOptions): DetectorHost {
  const { scope, transport, book, probes, releases, ownVersion } = options;
  const self = transport.local.peerId;
  return {
    runtime: scope.runtime,
    scope,
    self,
    neighbours: neighboursOf(transport, book, releases),
    members: () => book.peers(),
    versionOf: (peer) => (peer === self ? ownVersion() : book.get(peer)?.entry.version),
    ping: (peer, signal) => probes.ping(peer, signal),
    pingThrough: (helper, target, signal) => probes.pingThrough(helper, target, signal),
    spread: options.spread,
    declareDead: options.declareDead,
    refute: options.refute,
    rtt: options.rtt,
  };
}

/** Connected members, ascending by id. Asked for many times a second, and hardly ever another. */
function neighboursOf(
  { connections }: Transport,
  book: CatalogBook,
  releases: Releases,
): () => readonly PeerId[] {
  let peers: readonly PeerId[] = [];
  let madeOf: readonly unknown[] = [];
  const isNeighbour = (peer: PeerId): boolean => book.get(peer) !== undefined && !releases.has(peer);
  return () => {
    const { value } = connections;
    const parts = [value, book.memberships, releases.changes];
    if (parts.some((part, index) => part !== madeOf[index])) {
      peers = [...value.keys()].filter(isNeighbour).sort();
      madeOf = parts;
    }
    return peers;
  };
}
