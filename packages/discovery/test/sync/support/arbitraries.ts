import { idFromBytes, type PeerId } from '@mosaik/primitives';
import fc from 'fast-check';
import type { EntryVersion } from '../../../src/entry/peer-entry.ts';
import type { Fingerprint } from '../../../src/sync/fingerprints.ts';
import type { SyncMessage } from '../../../src/sync/message.ts';
import { FIRST_BOUND, LAST_BOUND, type ListedItem, type SyncRange } from '../../../src/sync/range.ts';

const ascending = <T extends { readonly peer: PeerId }>(items: T[]): T[] =>
  items.sort((a, b) => (a.peer < b.peer ? -1 : 1));

/** Peer ids; many begin alike, so that bounds have to be long. */
export const peers: fc.Arbitrary<PeerId> = fc
  .oneof(
    fc.uint8Array({ minLength: 32, maxLength: 32 }),
    fc
      .tuple(fc.nat({ max: 31 }), fc.nat({ max: 255 }))
      .map(([at, byte]) => new Uint8Array(32).fill(byte, at)),
  )
  .map((bytes) => idFromBytes<PeerId>(bytes));

const times = fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 2 ** 31 - 1 }), fc.constant(1_767_225_600_000));
const versions: fc.Arbitrary<EntryVersion> = fc.record({ start: times, update: times });
const items: fc.Arbitrary<ListedItem> = fc.record({ peer: peers, version: versions });
const words = fc.nat({ max: 2 ** 32 - 1 });
const fingerprints: fc.Arbitrary<Fingerprint> = fc.tuple(words, words, words, words);

/** Distinct, ascending. */
export function itemLists(maxLength: number): fc.Arbitrary<ListedItem[]> {
  return fc.uniqueArray(items, { maxLength, selector: ({ peer }) => peer }).map(ascending);
}

/** Ranges as a message may hold them: ascending, apart, some of them next to each other. */
export const rangeLists: fc.Arbitrary<SyncRange[]> = fc
  .record({
    cuts: fc.uniqueArray(peers, { maxLength: 12 }),
    lengths: fc.array(fc.nat({ max: 32 }), { minLength: 14, maxLength: 14 }),
    counts: fc.array(fc.option(fc.oneof(fc.nat({ max: 20 }), fc.maxSafeInteger().map(Math.abs))), {
      minLength: 14,
      maxLength: 14,
    }),
    fingerprint: fingerprints,
    listed: itemLists(60),
    isKept: fc.array(fc.boolean(), { minLength: 14, maxLength: 14 }),
  })
  .map(({ cuts, lengths, counts, fingerprint, listed, isKept }) => {
    const shortened = cuts.map((cut, index) => cut.slice(0, 2 * (lengths[index] as number)));
    const bounds = [...new Set([FIRST_BOUND, ...shortened, LAST_BOUND])].sort();
    const ranges = bounds.slice(1).map((to, index): SyncRange => {
      const from = bounds[index] as string;
      const count = counts[index];
      if (typeof count === 'number') return { kind: 'fingerprint', from, to, count, fingerprint };
      const within = listed.filter(({ peer }) => peer >= from && peer < to).slice(0, 16);
      return { kind: 'list', from, to, items: within };
    });
    return ranges.filter((_, index) => isKept[index]);
  });

const openings = fc.record({
  kind: fc.constant('open' as const),
  salt: fc.tuple(words, words),
  range: fc.oneof(
    fc.record({
      kind: fc.constant('fingerprint' as const),
      from: fc.constant(FIRST_BOUND),
      to: fc.constant(LAST_BOUND),
      count: fc.nat(),
      fingerprint: fingerprints,
    }),
    itemLists(16).map((listed) => ({
      kind: 'list' as const,
      from: FIRST_BOUND,
      to: LAST_BOUND,
      items: listed,
    })),
  ),
});
const steps = fc.record({
  kind: fc.constant('step' as const),
  ranges: rangeLists,
  wants: itemLists(20).map((listed) => listed.map(({ peer }) => peer)),
  tombstones: itemLists(20),
});
const entries = fc.record({
  kind: fc.constant('entries' as const),
  entries: fc.array(fc.record({ peer: peers, version: versions, bytes: fc.uint8Array({ maxLength: 50 }) }), {
    minLength: 1,
    maxLength: 10,
  }),
});

/** Any message that an honest peer might write. */
export const messages: fc.Arbitrary<SyncMessage> = fc.oneof(openings, steps, entries);
