import { compareIds, type PeerId } from '@mosaik/primitives';
import sorted from 'sorted-btree';
import { describe, expect, it, vi } from 'vitest';
import { CatalogBook } from '../../src/catalog/book.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import type { EntryVersion, SignedEntry } from '../../src/entry/peer-entry.ts';
import { entryOf, peerId } from '../support/entries.ts';

const BYTES = new Uint8Array(8);
const FIRST: EntryVersion = { start: 1, update: 1 };

/** The book does not look at signatures. */
function entry(name: string | number, version = FIRST, tags: string[] = []): SignedEntry {
  return {
    entry: entryOf(peerId(name), version, { names: Object.fromEntries(tags.entries()) }),
    bytes: BYTES,
  };
}

function bookOf(count: number): CatalogBook {
  const book = new CatalogBook();
  for (let index = 0; index < count; index++) book.put(entry(index), 0);
  return book;
}

const peersOf = (catalog: Catalog): PeerId[] => [...catalog].map(({ peer }) => peer);

describe('a snapshot', () => {
  it('lists peers in the order of their ids, whatever the order they came in', () => {
    const peers = peersOf(bookOf(500).snapshot());
    expect(peers).toEqual(peers.toSorted(compareIds));
    expect(peers).toHaveLength(500);
  });

  it('is not affected by what is put in, replaced, measured, removed or buried later', () => {
    const book = bookOf(100);
    const snapshot = book.snapshot();
    const before = JSON.stringify([...snapshot]);
    book.put(entry('late'), 1);
    book.put(entry(1, { start: 1, update: 2 }, ['changed']), 1);
    book.putLocal(entry(2, { start: 9, update: 9 }).entry, 1);
    book.setRtt(peerId(3), 12);
    book.remove(peerId(4));
    book.bury(peerId(5), FIRST, 1);
    expect(JSON.stringify([...snapshot])).toBe(before);
    expect(snapshot.has(peerId('late'))).toBe(false);
    expect(snapshot.get(peerId(3))?.rttMs).toBeUndefined();

    const now = book.snapshot();
    expect(now.size).toBe(99);
    expect(now.get(peerId(1))?.version.update).toBe(2);
    expect(now.get(peerId(3))?.rttMs).toBe(12);
    expect([4, 5].map((name) => now.has(peerId(name)))).toEqual([false, false]);
  });

  it('is the same one as long as nothing changes', () => {
    const book = bookOf(10);
    expect(book.snapshot()).toBe(book.snapshot());
  });

  it('copies nothing: 1,000 of 10,000 records touch a few nodes of the tree each', () => {
    const book = bookOf(10_000);
    const Tree = 'default' in sorted ? sorted.default : sorted;
    const clone = vi.spyOn(Tree.prototype, 'clone');
    const walks = [
      vi.spyOn(Tree.prototype, 'forEachPair'),
      vi.spyOn(Tree.prototype, 'entries'),
      vi.spyOn(Tree.prototype, 'values'),
      vi.spyOn(Tree.prototype, 'toArray'),
      vi.spyOn(Tree.prototype, 'valuesArray'),
    ];
    const copies = vi.spyOn(Array.prototype, 'slice');
    try {
      const snapshots = new Set<Catalog>();
      for (let round = 0; round < 1_000; round++) {
        book.setRtt(peerId(round), round + 1);
        snapshots.add(book.snapshot());
      }
      // After a clone a write copies the path from the root to a leaf: 3 levels of up to 32 records.
      const copied = copies.mock.results.reduce((sum, { value }) => sum + (value as unknown[]).length, 0);
      expect(copied).toBeLessThan(1_000 * 2 * 2 * 3 * 33);
      expect(copied).toBeGreaterThan(0);
      expect(clone).toHaveBeenCalledTimes(1_000);
      for (const walk of walks) expect(walk).not.toHaveBeenCalled();
      expect(snapshots.size).toBe(1_000);
      expect([...snapshots].every(({ size }) => size === 10_000)).toBe(true);
    } finally {
      vi.restoreAllMocks();
    }
  });
});

describe('watchers', () => {
  it('hear once of all changes of a turn, and not of what only says that a peer lives', async () => {
    const book = new CatalogBook();
    const sizes: number[] = [];
    book.watch.subscribe(({ size }) => void sizes.push(size));
    for (let index = 0; index < 20; index++) book.put(entry(index), 0);
    await Promise.resolve();
    expect(sizes).toEqual([20]);
    book.put(entry(3, { start: 1, update: 2 }), 1);
    await Promise.resolve();
    expect(sizes).toEqual([20]);
    expect(book.snapshot().get(peerId(3))?.version.update).toBe(2);
    book.put(entry(3, { start: 1, update: 3 }, ['news']), 1);
    await Promise.resolve();
    expect(sizes).toEqual([20, 20]);
  });
});

describe('a peer that is too far away', () => {
  it('is hidden, and shown again when it is near; it is reconciled all the same', () => {
    const book = new CatalogBook(100);
    book.put(entry('near'), 0);
    book.put(entry('far'), 0);
    expect(book.snapshot().size).toBe(2);
    expect(book.setRtt(peerId('near'), 99.9)).toBeUndefined();
    expect(book.setRtt(peerId('far'), 100)).toBe('hidden');
    expect(book.setRtt(peerId('far'), 120)).toBeUndefined();
    expect(peersOf(book.snapshot())).toEqual([peerId('near')]);
    expect(book.isVisible(peerId('far'))).toBe(false);
    expect(book.items()).toHaveLength(2);

    book.put(entry('far', { start: 1, update: 2 }, ['still far']), 1);
    expect(book.isVisible(peerId('far'))).toBe(false);
    expect(book.setRtt(peerId('far'), 80)).toBe('shown');
    expect(book.snapshot().get(peerId('far'))?.rttMs).toBe(80);
  });

  it('of whom nothing is known has no round trip to be judged by', () => {
    expect(new CatalogBook(100).setRtt(peerId('nobody'), 1)).toBeUndefined();
  });
});

describe('tombstones', () => {
  it('hold the latest version at which a peer had gone, until a newer entry of it comes', () => {
    const book = new CatalogBook();
    book.put(entry('a', { start: 1, update: 5 }), 0);
    expect(book.bury(peerId('a'), { start: 1, update: 5 }, 1)?.entry.peer).toBe(peerId('a'));
    expect(book.bury(peerId('a'), { start: 1, update: 3 }, 2)).toBeUndefined();
    expect(book.tombstone(peerId('a'))?.version).toEqual({ start: 1, update: 5 });
    book.put(entry('a', { start: 1, update: 6 }), 3);
    expect(book.tombstone(peerId('a'))).toBeUndefined();
  });

  it('are forgotten in the order of their age', () => {
    const book = new CatalogBook();
    for (let index = 0; index < 10; index++) book.bury(peerId(index), FIRST, index);
    book.forgetGraves(5);
    const left = Array.from({ length: 10 }, (_, index) => book.tombstone(peerId(index)) !== undefined);
    expect(left).toEqual([false, false, false, false, false, true, true, true, true, true]);
  });

  it('are bounded: beyond 10,000 the oldest is forgotten', () => {
    const book = new CatalogBook();
    for (let index = 0; index <= 10_000; index++) book.bury(peerId(index), FIRST, index);
    expect(book.tombstone(peerId(0))).toBeUndefined();
    expect(book.tombstone(peerId(1))).toBeDefined();
    expect(book.tombstone(peerId(10_000))).toBeDefined();
  });
});

describe('what is reconciled', () => {
  it('is in order, has this node in its place, and nothing that nobody signed', () => {
    const book = bookOf(50);
    book.setOwn(entry('self'), 0);
    book.putLocal(entry('local').entry, 0);
    const peers = book.items().map(({ peer }) => peer);
    expect(peers).toEqual(peers.toSorted(compareIds));
    expect(peers).toContain(peerId('self'));
    expect(peers).not.toContain(peerId('local'));
    expect(peers).toHaveLength(51);
    expect(book.signed(peerId('self'))).toBe(BYTES);
    expect(book.signed(peerId('local'))).toBeUndefined();
    expect(book.snapshot().has(peerId('self'))).toBe(false);
  });

  it('refuses, as a bug, what would replace a newer entry', () => {
    const book = bookOf(1);
    expect(() => book.put(entry(0, FIRST), 1)).toThrow(/only replaced by a newer one/);
  });
});
