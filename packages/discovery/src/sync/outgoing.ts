import type { PeerId } from '@mosaik/primitives';
import { CHUNK_BYTES_MAX, ITEMS_MAX } from './limits.ts';
import type { SentEntry } from './message.ts';
import type { Answer } from './reconcile.ts';
import type { SyncItem, SyncSource, Tombstone } from './source.ts';

/** What is said in one turn: what reconciliation came to, and what else there is to answer. */
export interface Turn extends Answer {
  /** Entries that the other side wants, of those in the snapshot. */
  readonly deliver: readonly SyncItem[];
}

const NOTHING = new Uint8Array(0);

/** Whether there is nothing to say. */
export function isQuiet(turn: Turn): boolean {
  const { ranges, push, want, tombstones, deliver } = turn;
  return [ranges, push, want, tombstones, deliver].every((part) => part.length === 0);
}

/**
 * The entries of a turn, as far as they are still held, up to `count` of them. One that was asked for, and is gone or has
 * no room, is answered empty.
 */
export function* entriesOf(turn: Turn, source: SyncSource, count: number): Generator<SentEntry, void> {
  let left = count;
  const load = ({ peer }: SyncItem): Uint8Array | undefined => {
    const bytes = left > 0 ? source.signed(peer) : undefined;
    if (bytes === undefined || bytes.length === 0 || bytes.length > CHUNK_BYTES_MAX) return undefined;
    left--;
    return bytes;
  };
  for (const item of turn.deliver) {
    yield { peer: item.peer, version: item.version, bytes: load(item) ?? NOTHING };
  }
  for (const item of turn.push) {
    const bytes = load(item);
    if (bytes !== undefined) yield { peer: item.peer, version: item.version, bytes };
  }
}

/** Entries in messages that are full, but for the last. */
export function* chunksOf(entries: Iterable<SentEntry>): Generator<SentEntry[], void> {
  let chunk: SentEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (chunk.length > 0 && (bytes + entry.bytes.length > CHUNK_BYTES_MAX || chunk.length === ITEMS_MAX)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(entry);
    bytes += entry.bytes.length;
  }
  if (chunk.length > 0) yield chunk;
}

/** The tombstones of a turn, in order and once each. */
export function inOrder(tombstones: readonly Tombstone[]): Tombstone[] {
  const byPeer = new Map<PeerId, Tombstone>(tombstones.map((tombstone) => [tombstone.peer, tombstone]));
  return [...byPeer.values()].sort((a, b) => (a.peer < b.peer ? -1 : 1)).slice(0, ITEMS_MAX);
}
