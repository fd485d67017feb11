import {
  compareIds,
  createWatch,
  invariant,
  type PeerId,
  type Watch,
  type WatchSource,
} from '@mosaik/primitives';
import {
  compareVersions,
  type EntryVersion,
  type PeerEntry,
  type SignedEntry,
  sayTheSame,
} from '../entry/peer-entry.ts';
import { fingerprintOf } from '../sync/fingerprints.ts';
import type { SyncItem, Tombstone } from '../sync/source.ts';
import { type Catalog, catalogOf } from './catalog.ts';
import type { PeerRecord } from './record.ts';
import { createRecordTree, type RecordTree } from './tree.ts';

/** Tombstones kept at once; beyond, the oldest is forgotten. */
const MAX_TOMBSTONES = 10_000;

interface Grave extends Tombstone {
  readonly buriedAtMs: number;
}

/** The catalog's state: records by peer, tombstones of those that have gone. Only discovery's worker changes it. */
export class CatalogBook {
  /** By peer, in no order: each entry that comes is held against what is there several times. */
  readonly #byPeer = new Map<PeerId, PeerRecord>();
  /** The same in order. */
  readonly #records = createRecordTree();
  /** What everybody may see: the records, less those that are too far away. The same tree when none can be. */
  readonly #visible: RecordTree;
  readonly #graves = new Map<PeerId, Grave>();
  readonly #maxRttMs: number;
  readonly #watch: WatchSource<Catalog>;
  #own: PeerRecord | undefined;
  #snapshot: Catalog | undefined;
  #items: readonly SyncItem[] | undefined;
  #isTelling = false;
  #memberships = 0;

  constructor(maxRttMs: number = Number.POSITIVE_INFINITY) {
    this.#maxRttMs = maxRttMs;
    this.#visible = maxRttMs === Number.POSITIVE_INFINITY ? this.#records : createRecordTree();
    this.#watch = createWatch(this.snapshot());
  }

  /** Grows whenever a peer comes or goes, not when one only says something new. */
  get memberships(): number {
    return this.#memberships;
  }

  get size(): number {
    return this.#byPeer.size;
  }

  /** The newest snapshot after each change of what peers say; changes of one turn are told of together. */
  get watch(): Watch<Catalog> {
    return this.#watch;
  }

  /** The catalog as it is now: O(1), by a copy-on-write clone. */
  snapshot(): Catalog {
    this.#snapshot ??= catalogOf(this.#visible.clone());
    return this.#snapshot;
  }

  get(peer: PeerId): PeerRecord | undefined {
    return this.#byPeer.get(peer);
  }

  isVisible(peer: PeerId): boolean {
    return isNear(this.#byPeer.get(peer), this.#maxRttMs);
  }

  records(): IterableIterator<PeerRecord> {
    return this.#records.values();
  }

  peers(): PeerId[] {
    return this.#records.keysArray();
  }

  /** What reconciliation works on, this node among it; entries inserted by hand are not part of it. */
  items(): readonly SyncItem[] {
    this.#items ??= this.#makeItems();
    return this.#items;
  }

  #makeItems(): readonly SyncItem[] {
    const own = this.#own;
    const items: SyncItem[] = [];
    this.#records.forEachPair((_, record) => {
      if (record.signed !== undefined) items.push(record.item);
    });
    if (own === undefined) return items;
    const place = items.findIndex((item) => compareIds(item.peer, own.item.peer) > 0);
    return items.toSpliced(place < 0 ? items.length : place, 0, own.item);
  }

  /** The signed entry of a peer, or of this node, as it travels. */
  signed(peer: PeerId): Uint8Array | undefined {
    return peer === this.#own?.entry.peer ? this.#own.signed : this.#byPeer.get(peer)?.signed;
  }

  /** This node's own entry: offered to others, not shown in the catalog. */
  setOwn({ entry, bytes }: SignedEntry, nowMs: number): void {
    const { peer, version } = entry;
    const item = { peer, version, fingerprint: fingerprintOf(peer, version) };
    this.#own = { entry, signed: bytes, item, heardAtMs: nowMs, rttMs: undefined };
    this.#items = undefined;
  }

  /** Puts a newer entry in; returns the record it replaced. */
  put({ entry, bytes }: SignedEntry, nowMs: number): PeerRecord | undefined {
    // What came is a view of a message, perhaps of a large one that need not stay in memory.
    return this.#put(entry, new Uint8Array(bytes), nowMs);
  }

  /** Puts an entry in that nobody signed: for this node only. */
  putLocal(entry: PeerEntry, nowMs: number): PeerRecord | undefined {
    return this.#put(entry, undefined, nowMs);
  }

  #put(entry: PeerEntry, signed: Uint8Array | undefined, nowMs: number): PeerRecord | undefined {
    const { peer, version } = entry;
    const held = this.#byPeer.get(peer);
    invariant(
      signed === undefined || held?.signed === undefined || compareVersions(version, held.entry.version) > 0,
      'an entry is only replaced by a newer one',
    );
    const item = { peer, version, fingerprint: fingerprintOf(peer, version) };
    this.#graves.delete(peer);
    if (held === undefined) this.#memberships++;
    const isNews = held === undefined || !sayTheSame(held.entry, entry);
    this.#store({ entry, signed, item, heardAtMs: nowMs, rttMs: held?.rttMs }, isNews);
    return held;
  }

  /** Takes note of a round trip; returns whether that hid the peer or brought it back. */
  setRtt(peer: PeerId, rttMs: number): 'hidden' | 'shown' | undefined {
    const record = this.#byPeer.get(peer);
    if (record === undefined) return undefined;
    const wasVisible = this.isVisible(peer);
    this.#store({ ...record, rttMs });
    const isVisible = this.isVisible(peer);
    if (isVisible === wasVisible) return undefined;
    return isVisible ? 'shown' : 'hidden';
  }

  /** Takes a peer out and remembers the version at which it had gone. */
  bury(peer: PeerId, version: EntryVersion, nowMs: number): PeerRecord | undefined {
    const known = this.#graves.get(peer);
    if (known === undefined || compareVersions(version, known.version) > 0) {
      this.#graves.delete(peer);
      this.#graves.set(peer, { peer, version, buriedAtMs: nowMs });
      this.#boundGraves();
    }
    return this.remove(peer);
  }

  /** Takes a peer out, and remembers nothing. */
  remove(peer: PeerId): PeerRecord | undefined {
    const record = this.#byPeer.get(peer);
    if (record === undefined) return undefined;
    this.#byPeer.delete(peer);
    this.#records.delete(peer);
    this.#memberships++;
    this.#visible.delete(peer);
    this.#changed();
    return record;
  }

  tombstone(peer: PeerId): Tombstone | undefined {
    return this.#graves.get(peer);
  }

  /** Forgets tombstones from before `buriedBeforeMs`. */
  forgetGraves(buriedBeforeMs: number): void {
    // Insertion order is the order of burial.
    for (const grave of this.#graves.values()) {
      if (grave.buriedAtMs >= buriedBeforeMs) break;
      this.#graves.delete(grave.peer);
    }
  }

  close(): void {
    this.#watch.close();
  }

  #store(record: PeerRecord, isNews = true): void {
    const { peer } = record.entry;
    this.#byPeer.set(peer, record);
    this.#records.set(peer, record);
    if (this.#visible !== this.#records) this.#show(record);
    this.#changed(isNews);
  }

  #show(record: PeerRecord): void {
    if (isNear(record, this.#maxRttMs)) this.#visible.set(record.entry.peer, record);
    else this.#visible.delete(record.entry.peer);
  }

  #boundGraves(): void {
    if (this.#graves.size <= MAX_TOMBSTONES) return;
    const [oldest] = this.#graves.keys();
    if (oldest !== undefined) this.#graves.delete(oldest);
  }

  /** What only shows that a peer lives is in the next snapshot, and nobody is woken for it. */
  #changed(isNews = true): void {
    this.#snapshot = undefined;
    this.#items = undefined;
    if (this.#isTelling || !isNews) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      if (!this.#watch.isClosed) this.#watch.set(this.snapshot());
    });
  }
}

/** Whether a peer is shown; one that is unmeasured is. */
function isNear(record: PeerRecord | undefined, maxRttMs: number): boolean {
  return record !== undefined && (record.rttMs === undefined || record.rttMs < maxRttMs);
}
