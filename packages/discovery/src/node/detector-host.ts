import type { PeerId, Scope } from '@mosaik/primitives';
import type { Transport } from '@mosaik/transport';
import type { CatalogBook } from '../catalog/book.ts';
import type { DetectorHost } from '../detector/contract.ts';
import type { Probes } from '../detector/probes.ts';
import type { EntryVersion } from '../entry/peer-entry.ts';

interface DetectorHostOptions
  extends Pick<DetectorHost, 'scope' | 'spread' | 'declareDead' | 'refute' | 'rtt'> {
  readonly scope: Scope;
  readonly transport: Transport;
  readonly book: CatalogBook;
  readonly probes: Probes;
  readonly ownVersion: () => EntryVersion;
}

/** The rest of discovery, as the failure detector sees it. */
export function detectorHost(options: DetectorHostOptions): DetectorHost {
  const { scope, transport, book, probes, ownVersion } = options;
  const self = transport.local.peerId;
  return {
    runtime: scope.runtime,
    scope,
    self,
    neighbours: neighboursOf(transport, book),
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
function neighboursOf({ connections }: Transport, book: CatalogBook): () => readonly PeerId[] {
  let known:
    | { readonly of: object; readonly memberships: number; readonly peers: readonly PeerId[] }
    | undefined;
  return () => {
    const { value } = connections;
    if (known?.of !== value || known.memberships !== book.memberships) {
      const peers = [...value.keys()].filter((peer) => book.get(peer) !== undefined).sort();
      known = { of: value, memberships: book.memberships, peers };
    }
    return known.peers;
  };
}
