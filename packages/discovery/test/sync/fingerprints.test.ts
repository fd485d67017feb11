import { idToBytes } from '@mosaik/primitives';
import { blake3 } from '@noble/hashes/blake3.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Fingerprint,
  fingerprintFromBytes,
  fingerprintOf,
  fingerprintToBytes,
  isSameFingerprint,
  SyncIndex,
} from '../../src/sync/fingerprints.ts';
import { boundBetween, FIRST_BOUND, LAST_BOUND } from '../../src/sync/range.ts';
import type { SyncItem } from '../../src/sync/source.ts';
import { itemLists, peers } from './support/arbitraries.ts';
import { ModelCatalog, peer, version } from './support/model-catalog.ts';

const SALT = [123, 456] as const;

describe('the fingerprint of an item', () => {
  it('is the head of BLAKE3 over the id and the two times, big-endian', () => {
    const at = { start: 0x0102_0304_0506, update: 7 };
    const times = Uint8Array.of(0, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0, 0, 7);
    const digest = blake3(Uint8Array.of(...idToBytes(peer(1)), ...times));
    expect(fingerprintToBytes(fingerprintOf(peer(1), at))).toEqual(digest.subarray(0, 16));
  });

  it('differs with the peer and with either time', () => {
    const all = [
      fingerprintOf(peer(1), version(1, 2)),
      fingerprintOf(peer(2), version(1, 2)),
      fingerprintOf(peer(1), version(2, 2)),
      fingerprintOf(peer(1), version(1, 3)),
      fingerprintOf(peer(1), version(2, 1)),
    ];
    expect(new Set(all.map(String)).size).toBe(all.length);
  });

  it('is the same after a trip through bytes', () => {
    const fingerprint = fingerprintOf(peer(1), version(1));
    expect(fingerprintFromBytes(fingerprintToBytes(fingerprint))).toEqual(fingerprint);
  });

  it('takes whole numbers only', () => {
    for (const start of [-1, 0.5, 2 ** 53, Number.NaN]) {
      expect(() => fingerprintOf(peer(1), { start, update: 0 })).toThrow('whole numbers');
    }
  });
});

const indexOf = (items: readonly SyncItem[], salt: readonly [number, number] = SALT): SyncIndex =>
  new SyncIndex(items, salt);

describe('an index of items', () => {
  const filled = itemLists(40).map((listed) =>
    listed.map((item): SyncItem => ({ ...item, fingerprint: fingerprintOf(item.peer, item.version) })),
  );

  it('finds the items of a range, and the fingerprint that they have by themselves', () => {
    fc.assert(
      fc.property(filled, peers, peers, fc.nat({ max: 64 }), (items, one, other, length) => {
        const [from, to] = [one.slice(0, length), other].sort() as [string, string];
        const index = indexOf(items);
        const span = index.span(from, to);
        const within = items.filter((item) => item.peer >= from && item.peer < to);
        expect(items.slice(span.start, span.end)).toEqual(within);
        const alone = indexOf(within);
        expect(index.fingerprint(span)).toEqual(alone.fingerprint({ start: 0, end: within.length }));
      }),
    );
  });

  it('has the XOR of two neighbouring ranges for both together', () => {
    const { items } = indexOf(ModelCatalog.numbered(0, 50).items());
    const index = indexOf(items);
    const [left, right] = [
      index.fingerprint({ start: 0, end: 20 }),
      index.fingerprint({ start: 20, end: 50 }),
    ];
    const both = left.map((word, position) => (word ^ (right[position] as number)) >>> 0);
    expect(index.fingerprint({ start: 0, end: 50 })).toEqual(both);
  });

  it('has other fingerprints under another salt', () => {
    const items = ModelCatalog.numbered(0, 50).items();
    const span = { start: 0, end: 50 };
    const seen = [
      [1, 2],
      [2, 1],
      [1, 3],
      [0, 0],
    ].map((salt) => String(indexOf(items, salt as [number, number]).fingerprint(span)));
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('is not deceived by items whose fingerprints cancel out', () => {
    // What an attacker gets by linear algebra from 129 entries of its own, here simply made up.
    const [a, b, c] = ModelCatalog.numbered(0, 3).items() as [SyncItem, SyncItem, SyncItem];
    const cancelled = c.fingerprint.map((word, position) => {
      return (word ^ (a.fingerprint[position] as number) ^ (b.fingerprint[position] as number)) >>> 0;
    }) as unknown as Fingerprint;
    const plain = indexOf([a, b]).fingerprint({ start: 0, end: 2 });
    const crafted = indexOf([
      { ...a, fingerprint: c.fingerprint },
      { ...b, fingerprint: cancelled },
    ]).fingerprint({ start: 0, end: 2 });
    expect(isSameFingerprint(plain, crafted)).toBe(false);
  });

  it('spreads what it mixes: each bit of a range is one half of the time', () => {
    const index = indexOf(ModelCatalog.numbered(0, 2_000).items());
    const ones = Array.from({ length: 128 }, () => 0);
    for (let start = 0; start < 2_000; start++) {
      const words = index.fingerprint({ start, end: start + 1 });
      for (let bit = 0; bit < 128; bit++) {
        ones[bit] = (ones[bit] as number) + (((words[bit >> 5] as number) >>> (bit & 31)) & 1);
      }
    }
    // Six standard deviations of 22.4.
    for (const count of ones) expect(Math.abs(count - 1_000)).toBeLessThan(135);
  });

  it('lets each word of a range depend on each word of its items', () => {
    const [item] = ModelCatalog.numbered(0, 1).items() as [SyncItem];
    const under = (fingerprint: Fingerprint): Fingerprint =>
      indexOf([{ ...item, fingerprint }]).fingerprint({ start: 0, end: 1 });
    const before = under(item.fingerprint);
    for (let changed = 0; changed < 4; changed++) {
      const words = item.fingerprint.map((word, position) => (position === changed ? word ^ 1 : word) >>> 0);
      const after = under(words as unknown as Fingerprint);
      for (const [position, word] of after.entries()) expect(word).not.toBe(before[position]);
    }
  });

  it('refuses items that do not ascend', () => {
    const items = ModelCatalog.numbered(0, 2).items();
    expect(() => indexOf([...items].reverse())).toThrow('ascend');
    expect(() => indexOf([items[0] as SyncItem, items[0] as SyncItem])).toThrow('ascend');
  });
});

describe('a bound between two peers', () => {
  it('parts them, is made of whole bytes, and could not be shorter', () => {
    fc.assert(
      fc.property(peers, peers, (one, other) => {
        fc.pre(one !== other);
        const [before, after] = [one, other].sort() as [typeof one, typeof one];
        const bound = boundBetween(before, after);
        expect(before < bound && bound <= after).toBe(true);
        expect(bound.length % 2).toBe(0);
        expect(before.startsWith(bound.slice(0, -2))).toBe(true);
        expect(bound > FIRST_BOUND && bound < LAST_BOUND).toBe(true);
      }),
    );
  });
});
