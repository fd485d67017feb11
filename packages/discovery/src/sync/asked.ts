import type { PeerId } from '@mosaik/primitives';
import { compareVersions } from '../entry/peer-entry.ts';
import type { SyncIndex } from './fingerprints.ts';
import type { SentEntry, StepMessage } from './message.ts';
import type { Bounds, SyncRange } from './range.ts';

/** What a side said in its last turn. */
export interface Said {
  readonly ranges: readonly SyncRange[];
  readonly wants: readonly PeerId[];
  /** Whose entries were sent. */
  readonly sent: readonly PeerId[];
}

/**
 * What may be said in answer to a turn. Everything in an answer relates to the turn before it, and is held against it:
 * so no peer can make us work on more than we asked about, nor ask for the same thing twice.
 */
export class Asked {
  readonly #open: readonly Bounds[];
  readonly #lists: readonly Bounds[];
  readonly #listed = new Set<PeerId>();
  readonly #sent: ReadonlySet<PeerId>;
  readonly #pushed = new Set<PeerId>();
  /** Peers whose entries were asked for and have not come yet. */
  readonly wanted: Set<PeerId>;

  constructor({ ranges, wants, sent }: Said) {
    this.#open = ranges.filter(({ kind }) => kind === 'fingerprint');
    const lists = ranges.filter((range) => range.kind === 'list');
    this.#lists = lists;
    for (const { items } of lists) for (const { peer } of items) this.#listed.add(peer);
    this.#sent = new Set(sent);
    this.wanted = new Set(wants);
  }

  /** Takes note of an entry that came; false when it is neither wanted nor newer than what was listed. */
  admits(entry: SentEntry, index: SyncIndex): boolean {
    if (this.wanted.delete(entry.peer)) return true;
    if (entry.bytes.length === 0 || this.#pushed.has(entry.peer)) return false;
    if (!isWithin(this.#lists, { from: entry.peer, to: `${entry.peer}0` })) return false;
    const own = index.get(entry.peer);
    if (own !== undefined && compareVersions(own.version, entry.version) >= 0) return false;
    this.#pushed.add(entry.peer);
    return true;
  }

  /** What in a step nobody asked for; undefined when all is well. */
  objection({ ranges, wants, tombstones }: StepMessage): string | undefined {
    if (!ranges.every((range) => isWithin(this.#open, range))) return 'a range that is not open';
    if (!wants.every((peer) => this.#listed.has(peer))) return 'an entry wanted that was not listed';
    const isKnown = ({ peer }: { peer: PeerId }): boolean => this.#listed.has(peer) || this.#sent.has(peer);
    const isOurs = ({ peer }: { peer: PeerId }): boolean => this.wanted.has(peer);
    if (!tombstones.every((tombstone) => isKnown(tombstone) || isOurs(tombstone))) {
      return 'a tombstone of a peer that was not spoken of';
    }
    return undefined;
  }
}

/** Whether one of the ranges, which ascend, contains all of `bounds`. */
function isWithin(ranges: readonly Bounds[], { from, to }: Bounds): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle] as Bounds).from <= from) low = middle + 1;
    else high = middle;
  }
  const candidate = ranges[low - 1];
  return candidate !== undefined && to <= candidate.to;
}
