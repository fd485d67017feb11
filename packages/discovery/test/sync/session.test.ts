import { systemRuntime } from '@mosaik/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions, type EntryVersion } from '../../src/entry/peer-entry.ts';
import { type SyncResult, serveSync, syncWith } from '../../src/sync/session.ts';
import { memoryLinks } from './support/memory-link.ts';
import { ModelCatalog, peer, version } from './support/model-catalog.ts';

const runtime = systemRuntime;

async function sync(a: ModelCatalog, b: ModelCatalog): Promise<readonly [SyncResult, SyncResult]> {
  const { near, far } = memoryLinks();
  return Promise.all([syncWith(near, a, { runtime }), serveSync(far, b, { runtime })]);
}

/** What one side knows of a peer: nothing, an entry, or its death. */
type Knowledge = { readonly kind: 'none' | 'entry' | 'dead'; readonly version: EntryVersion };

const versions = fc
  .tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 }))
  .map(([start, update]) => version(start, start + update));
const knowledge: fc.Arbitrary<Knowledge> = fc.record({
  kind: fc.constantFrom('none', 'entry', 'entry', 'entry', 'dead'),
  version: versions,
});
const worlds = fc.record({
  common: fc.nat({ max: 400 }),
  different: fc.array(fc.tuple(knowledge, knowledge), { maxLength: 120 }),
});

function catalogOf(common: number, different: readonly Knowledge[]): ModelCatalog {
  const catalog = ModelCatalog.numbered(1_000, 1_000 + common);
  for (const [number, known] of different.entries()) {
    if (known.kind === 'entry') catalog.insert({ peer: peer(number), version: known.version });
    if (known.kind === 'dead') catalog.kill({ peer: peer(number), version: known.version });
  }
  return catalog;
}

/** What both should hold in the end: the newest entry, unless a tombstone covers it. */
function expected(a: Knowledge, b: Knowledge): EntryVersion | undefined {
  const newest = (kind: Knowledge['kind']): EntryVersion | undefined =>
    [a, b]
      .filter((known) => known.kind === kind)
      .map((known) => known.version)
      .sort(compareVersions)
      .at(-1);
  const [entry, dead] = [newest('entry'), newest('dead')];
  return entry && dead && compareVersions(dead, entry) >= 0 ? undefined : entry;
}

describe('a sync session', () => {
  it('leaves both with the newest of each, and nothing that a tombstone covers', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, async ({ common, different }) => {
        const a = catalogOf(
          common,
          different.map(([known]) => known),
        );
        const b = catalogOf(
          common,
          different.map(([, known]) => known),
        );
        const [near, far] = await sync(a, b);
        for (const [number, [one, other]] of different.entries()) {
          expect(a.entries.get(peer(number))).toEqual(expected(one, other));
        }
        expect(a.contents).toEqual(b.contents);
        expect(near.sent).toBe(far.received);
        expect(far.sent).toBe(near.received);
        expect(near.rounds).toBe(far.rounds);
        expect(near.missing + far.missing).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});
