import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions } from '../../src/entry/peer-entry.ts';
import { Asked } from '../../src/sync/asked.ts';
import { syncCodec } from '../../src/sync/codec.ts';
import { type Fingerprint, fingerprintOf, SyncIndex } from '../../src/sync/fingerprints.ts';
import { LIST_ITEMS_MAX, TURNS_MAX } from '../../src/sync/limits.ts';
import type { ListedItem, SyncRange } from '../../src/sync/range.ts';
import { type Answer, type Holdings, openingRange, reconcile } from '../../src/sync/reconcile.ts';
import type { SyncItem } from '../../src/sync/source.ts';
import { itemLists, rangeLists } from './support/arbitraries.ts';
import { ModelCatalog, peer, peerAt, version } from './support/model-catalog.ts';

const SALT = [1, 2] as const;

function holding(items: readonly ListedItem[]): Holdings {
  const sorted = [...items].sort((a, b) => (a.peer < b.peer ? -1 : 1));
  const whole = sorted.map(
    (item): SyncItem => ({ ...item, fingerprint: fingerprintOf(item.peer, item.version) }),
  );
  return { index: new SyncIndex(whole, SALT), tombstone: () => undefined };
}

interface Found {
  /** What the one side has to get from the other, and the other from the one. */
  readonly got: [Map<string, ListedItem>, Map<string, ListedItem>];
  readonly turns: number;
}

/** Both sides of a session without any of its messages: what they find, and in how many turns. */
function converse(sides: readonly [Holdings, Holdings]): Found {
  const got: Found['got'] = [new Map(), new Map()];
  let ranges: readonly SyncRange[] = [openingRange(sides[0].index)];
  let turns = 1;
  for (; ranges.length > 0; turns++) {
    expect(turns).toBeLessThan(TURNS_MAX);
    const [own, other] = [turns % 2, 1 - (turns % 2)] as [0 | 1, 0 | 1];
    const answer = reconcile(sides[own], ranges);
    for (const item of answer.push) got[other].set(item.peer, item);
    for (const id of answer.want) got[own].set(id, sides[other].index.get(id) as SyncItem);
    ranges = answer.ranges;
  }
  return { got, turns };
}

/** By hand: what `of` has newer than `than`. */
function newer(of: readonly ListedItem[], than: readonly ListedItem[]): string[] {
  const held = new Map(than.map((item) => [item.peer, item.version]));
  const isNewer = (item: ListedItem): boolean => {
    const other = held.get(item.peer);
    return other === undefined || compareVersions(item.version, other) > 0;
  };
  return of
    .filter(isNewer)
    .map((item) => item.peer)
    .sort();
}

function expectFound(a: readonly ListedItem[], b: readonly ListedItem[]): number {
  const { got, turns } = converse([holding(a), holding(b)]);
  expect([...got[0].keys()].sort()).toEqual(newer(b, a));
  expect([...got[1].keys()].sort()).toEqual(newer(a, b));
  return turns;
}

describe('reconciliation', () => {
  it('finds exactly what one side holds newer than the other', () => {
    const pairs = fc.tuple(itemLists(150), itemLists(30), itemLists(30)).map(([common, one, other]) => {
      const merge = (own: ListedItem[]): ListedItem[] => [
        ...new Map([...common, ...own].map((item) => [item.peer, item])).values(),
      ];
      return [merge(one), merge(other)] as const;
    });
    fc.assert(fc.property(pairs, ([a, b]) => void expectFound(a, b)));
  });

  it('ends in time however the ids are bunched', () => {
    const at = version(0);
    const count = 5_000;
    const evenly = Array.from({ length: count }, (_, index) => peerAt(index >> 8, index & 255));
    const bunched = Array.from({ length: count }, (_, index) =>
      peerAt(7, 7, 7, 7, index >> 8, index & 255, 1),
    );
    const doubled = evenly.map((_, index) => peerAt(index >> 8, index & 255, 1));
    const items = (ids: typeof evenly): ListedItem[] => ids.map((id) => ({ peer: id, version: at }));
    for (const a of [evenly, bunched, doubled]) {
      for (const b of [evenly, bunched, doubled]) {
        const turns = expectFound(items(a), items(b));
        console.info(
          `two catalogs of 5,000, ${a === b ? 'the same' : 'others'}: all found after ${turns} turns`,
        );
      }
    }
  });

  it('begins with one item as it is, with more in short, and says no more when both are the same', () => {
    for (const count of [0, 1, 2, LIST_ITEMS_MAX, LIST_ITEMS_MAX + 1]) {
      const same = holding(ModelCatalog.numbered(0, count).items());
      const kind = count > 1 ? 'fingerprint' : 'list';
      expect(openingRange(same.index)).toMatchObject({ kind });
      expect(reconcile(same, [openingRange(same.index)])).toEqual(NOTHING);
    }
  });

  it('lists few as soon as it is known that they differ', () => {
    const one = holding(ModelCatalog.numbered(0, LIST_ITEMS_MAX).items());
    const other = holding(ModelCatalog.numbered(1, LIST_ITEMS_MAX).items());
    const { ranges } = reconcile(other, [openingRange(one.index)]);
    expect(ranges).toMatchObject([{ kind: 'list' }]);
  });

  it('takes ranges for the same only if they hold as many', () => {
    const { index, tombstone } = holding(ModelCatalog.numbered(0, 20).items());
    const whole = openingRange(index);
    expect(reconcile({ index, tombstone }, [whole]).ranges).toEqual([]);
    const miscounted = { ...whole, count: 21 } as SyncRange;
    expect(reconcile({ index, tombstone }, [miscounted]).ranges).not.toEqual([]);
  });

  it('takes in answer only ranges within those that are open', () => {
    const range = (from: string, to: string): SyncRange =>
      ({ kind: 'fingerprint', from, to, count: 20, fingerprint: LIE }) as const;
    const asked = new Asked({ ranges: [range('10', '20'), range('30', '40')], wants: [], sent: [] });
    const objection = (...ranges: SyncRange[]): string | undefined =>
      asked.objection({ kind: 'step', ranges, wants: [], tombstones: [] });
    expect(objection(range('10', '20'), range('30', '35'), range('35', '40'))).toBeUndefined();
    for (const outside of [
      ['', '10'],
      ['0f', '20'],
      ['10', '2001'],
      ['15', '35'],
      ['20', '30'],
      ['39', 'g'],
    ]) {
      expect(objection(range(...(outside as [string, string])))).toBe('a range that is not open');
    }
  });

  it('sends the tombstone of what it knows to be dead, and asks for what is newer', () => {
    const dead = new Map(
      [1, 2, 3].map((number) => [peer(number), { peer: peer(number), version: version(5) }]),
    );
    const holdings = { ...holding([]), tombstone: (id: ListedItem['peer']) => dead.get(id) };
    const listed = [1, 2, 3, 4].map((number) => ({ peer: peer(number), version: version(3 + number) }));
    listed.sort((a, b) => (a.peer < b.peer ? -1 : 1));
    const answer = reconcile(holdings, [{ kind: 'list', from: '', to: 'g', items: listed }]);
    expect(answer.tombstones.map((tombstone) => tombstone.peer).sort()).toEqual([peer(1), peer(2)].sort());
    expect(answer.want.sort()).toEqual([peer(3), peer(4)].sort());
  });

  it('answers a liar with what can be sent, in proportion to what it holds', () => {
    const items = ModelCatalog.numbered(0, 300).items();
    const holdings = { index: new SyncIndex(items, SALT), tombstone: () => undefined };
    fc.assert(
      fc.property(rangeLists, (ranges) => {
        const answer = reconcile(holdings, ranges);
        expectSound(holdings, ranges, answer);
        expect(answer.ranges.length).toBeLessThanOrEqual(ranges.length + items.length);
        expect(answer.push.length).toBeLessThanOrEqual(items.length);
      }),
      { numRuns: 500 },
    );
  });

  it('takes a liar that divides on and on no deeper than its items go', () => {
    const items = ModelCatalog.numbered(0, 1_000).items();
    const holdings = { index: new SyncIndex(items, SALT), tombstone: () => undefined };
    const lies = fc.array(fc.tuple(fc.nat({ max: 2 ** 32 - 1 }), fc.integer({ min: 17, max: 5_000 })), {
      minLength: 20,
      maxLength: 20,
    });
    fc.assert(
      fc.property(lies, (drawn) => {
        let ranges: readonly SyncRange[] = [
          { kind: 'fingerprint', from: '', to: 'g', count: 5, fingerprint: LIE },
        ];
        let listed = 0;
        for (const [word, count] of drawn) {
          const answer = reconcile(holdings, ranges);
          expectSound(holdings, ranges, answer);
          listed += answer.ranges.reduce(
            (sum, range) => sum + (range.kind === 'list' ? range.items.length : 0),
            0,
          );
          const open = answer.ranges.filter((range) => range.kind === 'fingerprint');
          ranges = open.map((range) => ({ ...range, count, fingerprint: [word, 1, 2, 3] }));
        }
        expect(ranges).toEqual([]);
        // No item is listed twice, whatever it says.
        expect(listed).toBeLessThanOrEqual(items.length);
      }),
      { numRuns: 50 },
    );
  });
});

const LIE: Fingerprint = [9, 9, 9, 9];
const NOTHING: Answer = { ranges: [], push: [], want: [], tombstones: [] };

/** An answer must pass the other side's checks: of shape, and of relation to what was asked. */
function expectSound(holdings: Holdings, ranges: readonly SyncRange[], answer: Answer): void {
  const { ranges: open, want: wants, tombstones } = answer;
  const step = { kind: 'step', ranges: open, wants, tombstones } as const;
  expect(syncCodec.decode(syncCodec.encode(step))).toEqual(step);
  expect(new Asked({ ranges, wants: [], sent: [] }).objection(step)).toBeUndefined();
  for (const item of answer.push) expect(holdings.index.get(item.peer)).toBe(item);
}
