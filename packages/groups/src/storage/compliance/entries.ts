import { InvariantError } from '@mosaik/primitives';
import { expect } from 'vitest';
import { LogPrunedError } from '../errors.ts';
import type { LogStorage } from '../storage.ts';
import type { StorageEnvironment } from './environment.ts';
import {
  at,
  chunksOf,
  entries,
  entry,
  index,
  member,
  metaAt,
  openLog,
  readAll,
  reopen,
  type Suite,
  term,
  writeSnapshot,
} from './kit.ts';

export function entryTests(suite: Suite): void {
  appendTests(suite);
  rangeTests(suite);
  truncationTests(suite);
  pruneTests(suite);
  crashTests(suite);
}

function appendTests({ test }: Suite): void {
  test('entries are read as they were written: index, term, kind and data, also empty and large', async (environment) => {
    await using log = await openLog(environment, environment.create());
    const kinds = ['command', 'noop', 'configuration'] as const;
    const written = [0, 1, 127, 128, 65_535, 65_536, 3_000_000].map((bytes, position) => ({
      ...entry(position + 1, position + 1, bytes),
      kind: at(kinds, position % 3),
    }));
    await log.append({ entries: written });
    expect(await readAll(log, 1)).toEqual(written);
  });

  test('writes that are under way together keep their order', async (environment) => {
    const storage = environment.create();
    const log = await openLog(environment, storage);
    const done: number[] = [];
    const writes = Array.from({ length: 100 }, (_, at) =>
      log.append({ entries: entries(at + 1, at + 1) }).then(() => done.push(at)),
    );
    expect(await readAll(log, 1)).toHaveLength(100);
    await Promise.all(writes);
    expect(done).toEqual(Array.from({ length: 100 }, (_, at) => at));
    expect(log.pendingBytes).toBe(0);
    await using again = await reopen(environment, storage, log);
    expect(await readAll(again, 1)).toEqual(Array.from({ length: 100 }, (_, at) => entry(at + 1)));
  });

  test('what is read is what was appended before, durable or not', async (environment) => {
    await using log = await openLog(environment, environment.create());
    void log.append({ entries: entries(1, 10, 1) });
    const before = readAll(log, 1, 10);
    void log.append({ truncateFrom: index(4), entries: entries(4, 5, 2) });
    expect(log.termAt(index(4))).toBe(2);
    expect(log.termAt(index(6))).toBeUndefined();
    expect(await before).toEqual(entries(1, 10, 1));
    expect(await readAll(log, 3)).toEqual([...entries(1, 10).slice(2, 3), ...entries(4, 5, 2)]);
  });
}

function rangeTests({ test }: Suite): void {
  test('a range is read up to its end, up to maxBytes, and up to the last entry', async (environment) => {
    await using log = await openLog(environment, environment.create());
    await log.append({ entries: entries(1, 50, 1, 100) });
    const count = async (from: number, to: number, maxBytes?: number) => {
      const read = await log.read({ from: index(from), to: index(to), maxBytes });
      expect(read.map((found) => found.index)).toEqual(Array.from(read, (_, place) => from + place));
      return read.length;
    };
    expect(await count(1, 50)).toBe(50);
    expect(await count(7, 7)).toBe(1);
    expect(await count(40, 1_000)).toBe(11);
    expect(await count(51, 60)).toBe(0);
    expect(await count(9, 8)).toBe(0);
    expect(await count(5, 50, 1_000)).toBe(10);
    expect(await count(5, 50, 999)).toBe(9);
    expect(await count(5, 50, 0)).toBe(1);
  });
}

function truncationTests({ test }: Suite): void {
  for (const from of [1, 5, 10, 11]) {
    test(`a truncation from ${from} of 10 on, with what replaces it`, async (environment) => {
      const storage = environment.create();
      const log = await openLog(environment, storage);
      for (let at = 1; at <= 10; at++) await log.append({ entries: entries(at, at, 1) });
      await log.append({ truncateFrom: index(from), entries: entries(from, from + 3, 4) });
      const expected = [
        ...Array.from({ length: from - 1 }, (_, at) => entry(at + 1, 1)),
        ...entries(from, from + 3, 4),
      ];
      expect(await readAll(log, 1)).toEqual(expected);
      await using again = await reopen(environment, storage, log);
      expect(again.recovered.last).toEqual({ index: from + 3, term: 4 });
      expect(again.termAt(index(from - 1))).toBe(from === 1 ? 0 : 1);
      expect(await readAll(again, 1)).toEqual(expected);
    });
  }

  test('a truncation alone, in the middle of what was written at once', async (environment) => {
    const storage = environment.create();
    const log = await openLog(environment, storage);
    await log.append({ entries: entries(1, 10, 2) });
    await log.append({ truncateFrom: index(6) });
    expect(await readAll(log, 1)).toEqual(entries(1, 10, 2).slice(0, 5));
    const again = await reopen(environment, storage, log);
    expect(again.recovered.last).toEqual({ index: 5, term: 2 });
    await again.append({ entries: entries(6, 7, 3) });
    expect(await readAll(again, 4)).toEqual([...entries(1, 5, 2).slice(3), ...entries(6, 7, 3)]);
    await again.close();
  });

  test('what does not follow is refused, and changes nothing', async (environment) => {
    await using log = await openLog(environment, environment.create());
    await log.append({ entries: entries(1, 5, 2) });
    const wrong: Parameters<LogStorage['append']>[0][] = [
      { entries: entries(7, 7, 2) },
      { entries: entries(5, 5, 2) },
      { entries: entries(6, 6, 1) },
      { entries: [...entries(6, 6, 4), ...entries(7, 7, 3)] },
      { entries: [...entries(6, 6, 4), ...entries(8, 8, 4)] },
      { truncateFrom: index(0) },
      { truncateFrom: index(7) },
      { truncateFrom: index(3), entries: entries(4, 4, 2) },
    ];
    for (const batch of wrong) await expect(log.append(batch)).rejects.toBeInstanceOf(InvariantError);
    await log.append({ entries: entries(6, 6, 2) });
    expect(await readAll(log, 1)).toHaveLength(6);
  });
}

function pruneTests({ test }: Suite): void {
  test('what was pruned is gone, up to the index and not beyond; reading it says so', async (environment) => {
    const storage = environment.create();
    const log = await openLog(environment, storage);
    await log.append({ entries: entries(1, 10, 1) });
    for (let at = 11; at <= 20; at++) await log.append({ entries: entries(at, at, 2) });
    await expect(log.prune(index(3))).rejects.toBeInstanceOf(InvariantError);
    await writeSnapshot(log, metaAt(15, 2), chunksOf('a'));
    await log.prune(index(4));
    await log.prune(index(2));
    await expect(log.read({ from: index(4), to: index(9) })).rejects.toMatchObject({
      code: 'ERR_LOG_PRUNED',
      base: 4,
    });
    expect(await readAll(log, 5)).toHaveLength(16);
    await expect(log.append({ truncateFrom: index(4) })).rejects.toBeInstanceOf(InvariantError);
    await log.prune(index(15));
    await expect(log.prune(index(16))).rejects.toBeInstanceOf(InvariantError);
    await using again = await reopen(environment, storage, log);
    expect(again.recovered).toMatchObject({ base: { index: 15, term: 2 }, last: { index: 20, term: 2 } });
    expect([again.termAt(index(14)), again.termAt(index(15))]).toEqual([undefined, 2]);
    await expect(again.read({ from: index(15), to: index(20) })).rejects.toBeInstanceOf(LogPrunedError);
    expect(await readAll(again, 16)).toHaveLength(5);
  });

  test('a log that was pruned to its end goes on from there', async (environment) => {
    const storage = environment.create();
    const log = await openLog(environment, storage);
    await log.append({ entries: entries(1, 10, 3) });
    await writeSnapshot(log, metaAt(10, 3), chunksOf('a'));
    await log.prune(index(10));
    const again = await reopen(environment, storage, log);
    expect(again.recovered.last).toEqual({ index: 10, term: 3 });
    await again.append({ entries: entries(11, 12, 3) });
    expect(await readAll(again, 11)).toEqual(entries(11, 12, 3));
    await again.close();
  });
}

function crashTests({ setup, testIf }: Suite): void {
  testIf(setup.canCrash, 'after a crash all that was acknowledged is there', async (environment) => {
    const { storage, incarnation } = await crashWhileWriting(environment, environment.create());
    await using log = await openLog(environment, storage);
    expect(log.incarnation).toBe(incarnation);
    expect(log.recovered.hardState).toEqual({ term: 2, vote: 'ann' });
    expect(log.recovered.last.index).toBeGreaterThanOrEqual(30);
    const last = log.recovered.last.index;
    expect(await readAll(log, 1)).toEqual(Array.from({ length: last }, (_, at) => entry(at + 1, 2)));
  });
}

/** Thirty entries acknowledged and thirty more under way when the process ends. */
async function crashWhileWriting(environment: StorageEnvironment, storage: Parameters<typeof openLog>[1]) {
  const log = await openLog(environment, storage);
  await log.append({ hardState: { term: term(2), vote: member('ann') } });
  const write = (at: number) => log.append({ entries: entries(at, at, 2) });
  for (let at = 1; at <= 30; at++) await write(at);
  for (let at = 31; at <= 60; at++) write(at).catch(() => {});
  return { storage: (await environment.crash?.(storage)) ?? storage, incarnation: log.incarnation };
}
