import type { PeerId } from '@mosaik/primitives';
import type { CatalogBook } from '../catalog/book.ts';
import { type Intake, isChange, type Outcome } from '../catalog/intake.ts';
import type { Detector } from '../detector/contract.ts';
import { compareVersions, type EntryVersion } from '../entry/peer-entry.ts';
import type { SyncSource, Tombstone } from '../sync/source.ts';
import type { Roster } from './roster.ts';

interface SyncSourceOptions {
  readonly book: CatalogBook;
  readonly intake: Intake;
  readonly roster: Roster;
  readonly detector: Detector;
  /** Whether a version is further ahead than clocks may differ. */
  readonly isFuture: (version: EntryVersion) => boolean;
  /** A comparison brought these entries, and they are in force: others may lack them, too. */
  readonly onNews: (entries: readonly Uint8Array[]) => void;
}

/** The catalog, as comparisons with other nodes see it. */
export function syncSource(options: SyncSourceOptions): SyncSource {
  const { book, intake, isFuture, onNews } = options;
  return {
    items: () => book.items(),
    signed: (peer) => book.signed(peer),
    tombstone: (peer) => book.tombstone(peer),
    apply: async (entries, from) => {
      const outcomes = await Promise.all(entries.map((bytes) => intake.take(bytes, from)));
      const news = entries.filter((_, index) => isChange(outcomes[index] as Outcome));
      onNews(news);
      return news.length;
    },
    bury: (tombstones, from) => {
      for (const tombstone of tombstones) if (!isFuture(tombstone.version)) bury(options, tombstone, from);
    },
  };
}

/**
 * A tombstone of the version we hold tells of a crash. One of a later version is, as far as one can tell, of the entry
 * with which the peer took its leave.
 */
function bury(options: SyncSourceOptions, { peer, version }: Tombstone, from: PeerId): void {
  const { book, roster, detector } = options;
  const held = book.get(peer)?.entry.version;
  if (held !== undefined && compareVersions(version, held) > 0) roster.bury(peer, version, 'left');
  else detector.hear({ kind: 'dead', peer, version, by: from });
}
