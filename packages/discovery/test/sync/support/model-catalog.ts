import { decodeCbor, encodeCbor, type PeerId, peerIdFromBytes, uniqueId } from '@mosaik/primitives';
import type { EntryVersion } from '../../../src/entry/peer-entry.ts';
import { compareVersions } from '../../../src/entry/peer-entry.ts';
import { fingerprintOf } from '../../../src/sync/fingerprints.ts';
import type { ListedItem } from '../../../src/sync/range.ts';
import type { SyncItem, SyncSource, Tombstone } from '../../../src/sync/source.ts';

/** Any peer, by number. */
export function peer(number: number): PeerId {
  return uniqueId<PeerId>(`peer ${number}`);
}

/** A plausible version: some ms after the year 2026 began. */
export function version(start: number, update: number = start): EntryVersion {
  return { start: 1_767_225_600_000 + start, update: 1_767_225_600_000 + update };
}

const ENTRY_BYTES = 400;

/** A signed entry as far as sync is concerned: bytes that only the catalog reads. Of a typical size. */
export function entryBytes(
  { peer: id, version: { start, update } }: ListedItem,
  size: number = ENTRY_BYTES,
): Uint8Array {
  return encodeCbor([id, start, update, new Uint8Array(Math.max(0, size - 90))]);
}

function readEntry(bytes: Uint8Array): ListedItem {
  const [id, start, update] = decodeCbor(bytes) as [PeerId, number, number];
  return { peer: id, version: { start, update } };
}

/** The dumbest catalog there is: the newest of each, dead as long as nothing newer is heard. */
export class ModelCatalog implements SyncSource {
  readonly entries: Map<PeerId, EntryVersion> = new Map();
  readonly tombstones: Map<PeerId, EntryVersion> = new Map();
  readonly entrySize: number;
  applied = 0;

  constructor(items: Iterable<ListedItem> = [], entrySize: number = ENTRY_BYTES) {
    this.entrySize = entrySize;
    for (const item of items) this.insert(item);
  }

  /** Those numbered from `start` up to, not including, `end`, all of one version. */
  static numbered(start: number, end: number, at: EntryVersion = version(0)): ModelCatalog {
    const items = Array.from({ length: end - start }, (_, index) => ({
      peer: peer(start + index),
      version: at,
    }));
    return new ModelCatalog(items);
  }

  insert({ peer: id, version: at }: ListedItem): boolean {
    const [held, dead] = [this.entries.get(id), this.tombstones.get(id)];
    if (held !== undefined && compareVersions(held, at) >= 0) return false;
    if (dead !== undefined && compareVersions(dead, at) >= 0) return false;
    this.tombstones.delete(id);
    this.entries.set(id, at);
    return true;
  }

  kill({ peer: id, version: at }: ListedItem): void {
    const [held, dead] = [this.entries.get(id), this.tombstones.get(id)];
    if (held !== undefined && compareVersions(held, at) > 0) return;
    this.entries.delete(id);
    if (dead === undefined || compareVersions(dead, at) < 0) this.tombstones.set(id, at);
  }

  items(): readonly SyncItem[] {
    const items = [...this.entries].map(([id, at]) => ({
      peer: id,
      version: at,
      fingerprint: fingerprintOf(id, at),
    }));
    return items.sort((a, b) => (a.peer < b.peer ? -1 : 1));
  }

  signed(id: PeerId): Uint8Array | undefined {
    const at = this.entries.get(id);
    return at && entryBytes({ peer: id, version: at }, this.entrySize);
  }

  tombstone(id: PeerId): Tombstone | undefined {
    const at = this.tombstones.get(id);
    return at && { peer: id, version: at };
  }

  apply(entries: readonly Uint8Array[]): Promise<number> {
    this.applied += entries.length;
    return Promise.resolve(entries.filter((bytes) => this.insert(readEntry(bytes))).length);
  }

  bury(tombstones: readonly Tombstone[]): void {
    for (const tombstone of tombstones) this.kill(tombstone);
  }

  /** What it holds, in order. */
  get contents(): (readonly [PeerId, EntryVersion])[] {
    return [...this.entries].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

/** A peer id that begins with these bytes. */
export function peerAt(...head: number[]): PeerId {
  const bytes = new Uint8Array(32);
  bytes.set(head);
  return peerIdFromBytes(bytes);
}
