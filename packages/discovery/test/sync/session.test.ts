import { systemRuntime } from '@mosaik/primitives';
import { createWorld } from '@mosaik/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions, type EntryVersion } from '../../src/entry/peer-entry.ts';
import { CHUNK_BYTES_MAX } from '../../src/sync/limits.ts';
import { syncProtocol } from '../../src/sync/protocol.ts';
import { type SyncOptions, type SyncResult, serveSync, syncWith } from '../../src/sync/session.ts';
import { messages } from './support/arbitraries.ts';
import { memoryLinks } from './support/memory-link.ts';
import { ModelCatalog, peer, version } from './support/model-catalog.ts';

const runtime = systemRuntime;

async function sync(
  a: ModelCatalog,
  b: ModelCatalog,
  limits: Pick<SyncOptions, 'entriesMax'> = {},
): Promise<readonly [SyncResult, SyncResult]> {
  const { near, far } = memoryLinks();
  const options = { runtime, ...limits };
  return Promise.all([syncWith(near, a, options), serveSync(far, b, options)]);
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

// Hundreds of sessions: seconds, where other work goes on beside.
describe('a sync session', { timeout: 60_000 }, () => {
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

  it('fills a limited session, and the next one goes on', async () => {
    const [a, b] = [ModelCatalog.numbered(0, 100), ModelCatalog.numbered(100, 200)];
    let sessions = 0;
    for (; a.contents.length < 200 || b.contents.length < 200; sessions++) {
      const before = a.contents.length + b.contents.length;
      const [near, far] = await sync(a, b, { entriesMax: 30 });
      for (const { sent } of [near, far]) expect(sent).toBeLessThanOrEqual(30);
      expect(a.contents.length + b.contents.length).toBe(before + near.received + far.received);
      expect(sessions).toBeLessThan(5);
    }
    expect(a.contents).toEqual(b.contents);
  });

  it('tells of what has gone or died since it began', async () => {
    const [a, b] = [ModelCatalog.numbered(0, 5), ModelCatalog.numbered(5, 7)];
    const [dead, gone] = [{ peer: peer(1), version: version(9) }, peer(2)];
    const items = a.items();
    a.items = () => items;
    b.bury = (tombstones) => {
      expect(tombstones).toEqual([dead]);
      b.kill(dead);
    };
    a.kill(dead);
    a.entries.delete(gone);
    // They differ, and `a` has few: it lists all five.
    const [near, far] = await sync(b, a);
    expect(far).toMatchObject({ sent: 3, missing: 0 });
    expect(near).toMatchObject({ received: 3, missing: 1 });
    expect(b.contents).toHaveLength(5);
    expect(b.tombstones.has(dead.peer)).toBe(true);
    // What nobody asked for is left out without a word.
    const [pulled, pushed] = await sync(new ModelCatalog(), a);
    expect(pushed).toMatchObject({ sent: 3, missing: 0 });
    expect(pulled).toMatchObject({ received: 3, missing: 0 });
  });

  it('leaves out an entry too large for a message', async () => {
    const a = new ModelCatalog([{ peer: peer(1), version: version(0) }], CHUNK_BYTES_MAX + 1_000);
    const b = new ModelCatalog();
    const [near, far] = await sync(a, b);
    expect(near.sent).toBe(0);
    expect(far).toMatchObject({ received: 0, missing: 1 });
  });

  it('carries large entries one by one, both ways, under backpressure', async () => {
    const world = createWorld({ network: { latencyMs: 20, bytesPerSecond: 5e6 } });
    const entryBytes = 100_000;
    const [a, b] = [ModelCatalog.numbered(0, 40), ModelCatalog.numbered(40, 80)].map(
      ({ contents }) =>
        new ModelCatalog(
          contents.map(([id, at]) => ({ peer: id, version: at })),
          entryBytes,
        ),
    ) as [ModelCatalog, ModelCatalog];
    await world.run(async () => {
      const [one, other] = [world.host('one'), world.host('other')];
      await using near = one.transport();
      await using far = other.transport();
      far.accept(syncProtocol, async (link) => void (await serveSync(link, b, { runtime: other.runtime })));
      await near.connect(far.local.addresses.value[0] as string);
      const link = await near.open(far.local.peerId, syncProtocol);
      const result = await syncWith(link, a, { runtime: one.runtime });
      expect(result).toMatchObject({ sent: 40, received: 40, changed: 40 });
      await world.until(() => b.contents.length === 80);
    });
    expect(world.errors).toEqual([]);
    expect(a.contents).toEqual(b.contents);
  });

  it('passes on what the catalog throws, and closes with 500', async () => {
    const [a, b] = [ModelCatalog.numbered(0, 5), new ModelCatalog()];
    b.apply = () => Promise.reject(new Error('disk on fire'));
    const { near, far } = memoryLinks();
    const [initiated, served] = await Promise.allSettled([
      syncWith(near, a, { runtime }),
      serveSync(far, b, { runtime }),
    ]);
    expect(served).toMatchObject({ status: 'rejected', reason: { message: 'disk on fire' } });
    expect(initiated).toMatchObject({ status: 'rejected', reason: { end: { code: 500 } } });
  });

  it('ends in a typed way, whatever valid messages the other side sends', async () => {
    const conversation = fc.array(messages, { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(conversation, fc.boolean(), fc.nat({ max: 40 }), async (said, isInitiator, count) => {
        const source = ModelCatalog.numbered(0, count);
        source.apply = () => Promise.resolve(0);
        const before = source.contents;
        const { near, far } = memoryLinks();
        const [own, other] = isInitiator ? [near, far] : [far, near];
        const run = isInitiator ? syncWith : serveSync;
        const session = run(own, source, { runtime }).then(
          () => undefined,
          (error: unknown) => error,
        );
        for (const message of said) await other.send(message).catch(() => {});
        await other.close();
        const error = await session;
        if (error !== undefined)
          expect(['SyncRefusedError', 'LinkEndedError']).toContain((error as Error).name);
        expect(source.contents).toEqual(before);
      }),
      { numRuns: 500 },
    );
  });
});
