import { ClosedError, InvariantError } from '@mosaik/primitives';
import { expect } from 'vitest';
import { SnapshotMismatchError } from '../errors.ts';
import { hashChunk, manifestOf } from '../manifest.ts';
import {
  at,
  chunksOf,
  entries,
  index,
  metaAt,
  openLog,
  readAll,
  readSnapshot,
  reopen,
  type Suite,
  writeSnapshot,
} from './kit.ts';

export function snapshotTests(suite: Suite): void {
  contentTests(suite);
  logTests(suite);
  stageTests(suite);
  chunkTests(suite);
  orderTests(suite);
}

function contentTests({ test }: Suite): void {
  test('a snapshot is read as it was written, with its position and configuration', async (environment) => {
    const storage = environment.create();
    const log = await openLog(environment, storage);
    const chunks = [...chunksOf('a', 4), new Uint8Array(0), ...chunksOf('large', 1, 1_000_000)];
    await log.append({ entries: entries(1, 20) });
    await writeSnapshot(log, metaAt(12), chunks);
    expect(await readSnapshot(log)).toEqual(chunks);
    await using again = await reopen(environment, storage, log);
    expect(again.recovered).toMatchObject({ snapshot: metaAt(12), commit: 12, last: { index: 20 } });
    await using reader = await again.openSnapshot();
    expect(reader?.meta).toEqual(metaAt(12));
    expect(reader?.manifest).toEqual(manifestOf(bytesOf(chunks), chunks.map(hashChunk)));
    expect(await reader?.read(2)).toEqual(chunks[2]);
    await expect(reader?.read(6)).rejects.toBeInstanceOf(InvariantError);
    expect(await readSnapshot(again)).toEqual(chunks);
  });

  test('a snapshot may be empty', async (environment) => {
    await using log = await openLog(environment, environment.create());
    await writeSnapshot(log, metaAt(3), []);
    await using reader = await log.openSnapshot();
    expect(reader?.manifest).toMatchObject({ bytes: 0, chunkHashes: [] });
  });
}

function logTests({ test }: Suite): void {
  test('the entries stay where the log holds the position of the snapshot', async (environment) => {
    const storage = environment.create();
    const log = await openLog(environment, storage);
    await log.append({ entries: entries(1, 10, 1) });
    await writeSnapshot(log, metaAt(10, 1), chunksOf('a'));
    expect(await readAll(log, 1)).toHaveLength(10);
    await using again = await reopen(environment, storage, log);
    expect(await readAll(again, 1)).toHaveLength(10);
  });

  for (const [what, meta] of [
    ['beyond the log', metaAt(15, 1)],
    ['of another history', metaAt(8, 2)],
  ] as const) {
    test(`a snapshot ${what} replaces all entries`, async (environment) => {
      const storage = environment.create();
      const log = await openLog(environment, storage);
      await log.append({ entries: entries(1, 10, 1) });
      await writeSnapshot(log, meta, chunksOf('a'));
      const next = entries(meta.index + 1, meta.index + 2, 5);
      await log.append({ entries: next });
      expect(await readAll(log, meta.index + 1)).toEqual(next);
      await using again = await reopen(environment, storage, log);
      const base = { index: meta.index, term: meta.term };
      expect(again.recovered).toMatchObject({ base, last: { index: meta.index + 2, term: 5 } });
      expect(await readAll(again, meta.index + 1)).toEqual(next);
    });
  }

  test('one that is not newer than what is there is refused', async (environment) => {
    await using log = await openLog(environment, environment.create());
    await writeSnapshot(log, metaAt(10), chunksOf('a'));
    await expect(log.stageSnapshot(metaAt(10))).rejects.toBeInstanceOf(InvariantError);
    await expect(log.stageSnapshot(metaAt(9))).rejects.toBeInstanceOf(InvariantError);
    await writeSnapshot(log, metaAt(11), chunksOf('b'));
    expect(await readSnapshot(log)).toEqual(chunksOf('b'));
  });
}

function stageTests({ test }: Suite): void {
  test('nothing is seen of a snapshot before its commit, nor of one that was discarded', async (environment) => {
    const storage = environment.create();
    const log = await openLog(environment, storage);
    await log.append({ entries: entries(1, 10) });
    await writeSnapshot(log, metaAt(5), chunksOf('a'));
    const stage = await log.stageSnapshot(metaAt(8));
    await expect(log.stageSnapshot(metaAt(9))).rejects.toBeInstanceOf(InvariantError);
    for (const chunk of chunksOf('b')) await stage.write(chunk);
    expect(await readSnapshot(log)).toEqual(chunksOf('a'));
    await stage.discard();
    await stage.discard();
    await expect(stage.commit()).rejects.toBeInstanceOf(ClosedError);
    const left = await log.stageSnapshot(metaAt(9));
    await left.write(at(chunksOf('c'), 0));
    await using again = await reopen(environment, storage, log);
    expect(again.recovered.snapshot).toEqual(metaAt(5));
    expect(await readSnapshot(again)).toEqual(chunksOf('a'));
    await writeSnapshot(again, metaAt(9), chunksOf('d'));
    expect(await readSnapshot(again)).toEqual(chunksOf('d'));
  });

  test('a snapshot that is being read stays readable when another replaces it', async (environment) => {
    await using log = await openLog(environment, environment.create());
    await writeSnapshot(log, metaAt(5), chunksOf('a', 5));
    const reader = await log.openSnapshot();
    const first = await reader?.read(0);
    await writeSnapshot(log, metaAt(6), chunksOf('b', 5));
    await writeSnapshot(log, metaAt(7), chunksOf('c', 5));
    const rest = [await reader?.read(1), await reader?.read(2), await reader?.read(3), await reader?.read(4)];
    expect([first, ...rest]).toEqual(chunksOf('a', 5));
    await reader?.close();
    await reader?.close();
    await expect(reader?.read(0)).rejects.toBeInstanceOf(ClosedError);
    expect(await readSnapshot(log)).toEqual(chunksOf('c', 5));
  });
}

function chunkTests({ test }: Suite): void {
  test('chunks from others come in any order, and twice, and are checked one by one', async (environment) => {
    const storage = environment.create();
    const log = await openLog(environment, storage);
    const chunks = chunksOf('a', 6);
    const manifest = manifestOf(bytesOf(chunks), chunks.map(hashChunk));
    const stage = await log.stageSnapshot(metaAt(30), { manifest });
    for (const position of [3, 1, 5, 3]) await stage.write(at(chunks, position).slice(), position);
    await expect(stage.write(at(chunks, 2).slice(), 4)).rejects.toMatchObject({ position: 4 });
    await expect(stage.write(at(chunks, 2).slice(), 6)).rejects.toBeInstanceOf(SnapshotMismatchError);
    await expect(stage.commit()).rejects.toBeInstanceOf(SnapshotMismatchError);
    for (const position of [0, 4, 2]) await stage.write(at(chunks, position).slice(), position);
    expect(await stage.commit()).toEqual(manifest);
    await using again = await reopen(environment, storage, log);
    expect(await readSnapshot(again)).toEqual(chunks);
  });

  test('a manifest whose root is not of its hashes is refused', async (environment) => {
    await using log = await openLog(environment, environment.create());
    const manifest = manifestOf(5_000, chunksOf('a', 1).map(hashChunk));
    const forged = { ...manifest, bytes: 4_999 };
    await expect(log.stageSnapshot(metaAt(3), { manifest: forged })).rejects.toBeInstanceOf(InvariantError);
    await writeSnapshot(log, metaAt(3), chunksOf('b'));
  });
}

function orderTests({ setup, test, testIf }: Suite): void {
  test('a commit and the appends around it take effect in the order of the calls', async (environment) => {
    const storage = environment.create();
    const log = await openLog(environment, storage);
    const stage = await log.stageSnapshot(metaAt(5, 2));
    for (const chunk of chunksOf('a')) void stage.write(chunk);
    void log.append({ entries: entries(1, 3, 1) });
    void stage.commit();
    void log.append({ entries: entries(6, 8, 3) });
    void log.append({ truncateFrom: index(8), entries: entries(8, 9, 4) });
    await using again = await reopen(environment, storage, log);
    expect(await readAll(again, 6)).toEqual([...entries(6, 7, 3), ...entries(8, 9, 4)]);
    expect(await readSnapshot(again)).toEqual(chunksOf('a'));
  });

  testIf(
    setup.canCrash,
    'after a crash a snapshot is there with its log, or not at all',
    async (environment) => {
      const storage = environment.create();
      const log = await openLog(environment, storage);
      await log.append({ entries: entries(1, 10, 1) });
      await writeSnapshot(log, metaAt(4), chunksOf('a'));
      const stage = await log.stageSnapshot(metaAt(20, 2));
      for (const chunk of chunksOf('b')) await stage.write(chunk);
      stage.commit().catch(() => {});
      const next = (await environment.crash?.(storage)) ?? storage;
      await using again = await openLog(environment, next);
      const isNew = again.recovered.snapshot?.index === 20;
      expect(again.recovered.snapshot).toEqual(isNew ? metaAt(20, 2) : metaAt(4));
      expect(again.recovered.last).toEqual(isNew ? { index: 20, term: 2 } : { index: 10, term: 1 });
      expect(await readSnapshot(again)).toEqual(chunksOf(isNew ? 'b' : 'a'));
    },
  );
}

function bytesOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}
