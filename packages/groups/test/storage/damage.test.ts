import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { groupId, systemRuntime } from '@mosaik/primitives';
import { createDisk, createWorld, type Disk } from '@mosaik/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogIndex, Term } from '../../src/raft/types.ts';
import { sqlite } from '../../src/sqlite/index.ts';
import {
  chunksOf,
  entries,
  member,
  metaAt,
  readAll,
  readSnapshot,
  writeSnapshot,
} from '../../src/storage/compliance/kit.ts';
import { StorageDamagedError, StorageError } from '../../src/storage/errors.ts';
import { simulated } from '../../src/storage/simulated/index.ts';
import type { LogStorage, OpenOptions, Storage } from '../../src/storage/storage.ts';

const GROUP = groupId('damaged');
const FILES = ['', '-wal', '-mark'];
const isLong = process.env['MOSAIK_SIM'] === 'long';

/** A log with some of everything. */
async function fill(log: LogStorage): Promise<void> {
  const at = (index: number) => index as LogIndex;
  await log.append({ hardState: { term: 3 as Term, vote: member('ann') }, entries: entries(1, 20, 1, 200) });
  await writeSnapshot(log, metaAt(12), chunksOf('first', 3, 3_000));
  await log.prune(at(8));
  await log.append({ truncateFrom: at(19), entries: entries(19, 30, 2, 50) });
  await writeSnapshot(log, metaAt(25, 2), chunksOf('second', 4, 3_000));
  await log.append({ entries: entries(31, 31, 3, 9_000), commit: at(30) });
  await log.append({ hardState: { term: 4 as Term, vote: undefined }, entries: entries(32, 33, 4) });
}

/** Everything that is in a log. */
async function contentOf(log: LogStorage): Promise<unknown> {
  const all = await readAll(log, log.recovered.base.index + 1);
  return { recovered: log.recovered, incarnation: log.incarnation, all, chunks: await readSnapshot(log) };
}

const open = (storage: Storage, runtime: OpenOptions['runtime'] = systemRuntime) =>
  storage.open({ group: GROUP, runtime });

/** How a log fares that was changed behind its back: refused, damaged when read, or unharmed. */
async function fate(storage: Storage, unharmed: unknown, runtime?: OpenOptions['runtime']): Promise<string> {
  try {
    await using log = await open(storage, runtime);
    expect(await contentOf(log)).toEqual(unharmed);
    return 'unharmed';
  } catch (thrown) {
    if (thrown instanceof StorageError) return thrown.code;
    throw thrown;
  }
}

describe('sqlite(path)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mosaik-damage-'));
  const paths = { closed: join(folder, 'closed.db'), killed: join(folder, 'killed.db') };
  const work = join(folder, 'work.db');
  let content: unknown;

  beforeAll(async () => {
    const log = await open(sqlite(paths.closed));
    await fill(log);
    // As a kill leaves them: what is in the write-ahead log is not in the database yet.
    for (const ending of FILES) copyFileSync(paths.closed + ending, paths.killed + ending);
    await log.close();
    await using again = await open(sqlite(paths.closed));
    content = await contentOf(again);
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  /** Puts a copy of an image where a test may change it. */
  function copyOf(image: string): string[] {
    for (const ending of [...FILES, '-journal']) rmSync(work + ending, { force: true });
    return FILES.filter((ending) => existsSync(image + ending)).map((ending) => {
      copyFileSync(image + ending, work + ending);
      return work + ending;
    });
  }

  it('is unharmed by a kill', async () => {
    copyOf(paths.killed);
    expect(await fate(sqlite(work), content)).toBe('unharmed');
  });

  it.each(['closed', 'killed'] as const)(
    'that was %s and has a bit flipped is never taken for well',
    {
      timeout: 600_000,
    },
    async (how) => {
      const image = paths[how];
      const fates = new Map<string, number>();
      for (const ending of FILES.filter((name) => existsSync(image + name))) {
        const size = statSync(image + ending).size;
        const step = Math.max(1, Math.floor(size / (isLong ? 2_000 : 150)));
        for (let offset = 0; offset < size; offset += step) {
          copyOf(image);
          const bytes = readFileSync(work + ending);
          bytes[offset] = (bytes[offset] ?? 0) ^ (1 << (offset % 8));
          writeFileSync(work + ending, bytes);
          const found = await fate(sqlite(work), content);
          fates.set(found, (fates.get(found) ?? 0) + 1);
        }
      }
      // Unharmed is what lies in unused space.
      expect([...fates.keys()].sort()).toEqual(['ERR_STORAGE_DAMAGED', 'unharmed']);
    },
  );

  it.each(FILES)('without its file %j, or with it cut or emptied, is refused', async (ending) => {
    // As long as all is in the write-ahead log, nothing of the database is needed.
    const image = ending === '' ? paths.closed : paths.killed;
    for (const keep of [undefined, 0, 0.3, 0.9]) {
      const [file = ''] = copyOf(image).filter((name) => name === work + ending);
      if (keep === undefined) rmSync(file);
      else truncateSync(file, Math.floor(statSync(file).size * keep));
      await expect(open(sqlite(work))).rejects.toBeInstanceOf(StorageDamagedError);
    }
  });

  it('that is damaged can be set aside, and a new one takes its place', async () => {
    copyOf(paths.killed);
    truncateSync(`${work}-wal`, 5_000);
    const storage = sqlite(work);
    await expect(open(storage)).rejects.toBeInstanceOf(StorageDamagedError);
    const aside = await storage.setAside('damaged');
    expect(aside).toBe(`${work}.damaged-1`);
    expect(existsSync(`${work}.damaged-1`)).toBe(true);
    await using log = await open(storage);
    expect(log.recovered.last.index).toBe(0);
    expect(log.incarnation).not.toBe((content as { incarnation: string }).incarnation);
  });

  it('of another format is refused by its version, another database by what it is, a file that is none too', async () => {
    const other = join(folder, 'other.db');
    new DatabaseSync(other).exec('CREATE TABLE things (id INTEGER PRIMARY KEY)');
    await expect(open(sqlite(other))).rejects.toMatchObject({ code: 'ERR_STORAGE_FORMAT' });
    const text = join(folder, 'notes.txt');
    writeFileSync(text, 'dear diary, '.repeat(1_000));
    await expect(open(sqlite(text))).rejects.toMatchObject({ code: 'ERR_STORAGE_FORMAT' });
    expect(readFileSync(text, 'utf8')).toBe('dear diary, '.repeat(1_000));
    copyOf(paths.closed);
    rmSync(`${work}-mark`);
    const database = new DatabaseSync(work);
    database.exec('PRAGMA user_version = 7');
    database.close();
    await expect(open(sqlite(work))).rejects.toThrow(/a log of format 7; this release reads format 1/);
  });

  it('in a folder that is not there, or on a disk that refuses, has failed', async () => {
    const storage = sqlite(join(folder, 'nowhere', 'log.db'));
    await expect(open(storage)).rejects.toMatchObject({ code: 'ERR_STORAGE_FAILED', reason: 'io' });
  });
});

/** Places all over the files of a disk. */
function* places(disk: Disk): Generator<[file: string, offset: number], void, void> {
  for (const file of disk.files) {
    const size = disk.read(file)?.length ?? 0;
    const step = isLong ? 1 : Math.max(1, Math.floor(size / 60));
    for (let offset = 0; offset < size; offset += step) yield [file, offset];
  }
}

describe('simulated(disk)', () => {
  it('with a bit flipped anywhere after a kill is never taken for well', { timeout: 60_000 }, async () => {
    const world = createWorld({ seed: 5 });
    const makeDisk = (name: string) => createDisk(world.host(name), { runtime: world.runtime });
    const whole = makeDisk('whole');
    const flipped = async (file: string, offset: number, content: unknown): Promise<string> => {
      const disk = makeDisk(`${file}-${offset}`);
      for (const name of whole.files) disk.mount().append(name, whole.read(name) ?? new Uint8Array());
      disk.damage({ file, offset });
      return await fate(simulated(disk), content, world.runtime);
    };
    await world.run(async () => {
      const log = await open(simulated(whole), world.runtime);
      await fill(log);
      await log.close();
      await using again = await open(simulated(whole), world.runtime);
      const content = await contentOf(again);
      const bytes = Buffer.from(whole.read('log') ?? []);
      // Nobody reads the chunks of a snapshot that was replaced.
      const unread = chunksOf('first', 3, 3_000).map((chunk) => ({ from: bytes.indexOf(chunk), chunk }));
      expect(Math.min(...unread.map(({ from }) => from))).toBeGreaterThan(0);
      const isUnread = (file: string, offset: number): boolean =>
        file === 'log' && unread.some(({ from, chunk }) => offset >= from && offset < from + chunk.length);
      const fates = new Set<string>();
      for (const [file, offset] of places(whole))
        fates.add(`${isUnread(file, offset) ? 'unread' : 'read'} ${await flipped(file, offset, content)}`);
      expect([...fates].sort()).toEqual(['read ERR_STORAGE_DAMAGED', 'unread unharmed']);
    });
  });

  it('finds what is damaged while it is open, when it is read', async () => {
    const world = createWorld({ seed: 6 });
    const disk = createDisk(world.host('a'), { runtime: world.runtime });
    await world.run(async () => {
      await using log = await open(simulated(disk), world.runtime);
      await fill(log);
      const bytes = Buffer.from(disk.read('log') ?? []);
      const offsetOf = (part: Uint8Array = new Uint8Array()): number => bytes.indexOf(part) + 5;
      await using reader = await log.openSnapshot();
      disk.damage({ file: 'log', offset: offsetOf(chunksOf('second', 4, 3_000)[2]) });
      expect(await reader?.read(1)).toEqual(chunksOf('second', 4, 3_000)[1]);
      await expect(reader?.read(2)).rejects.toBeInstanceOf(StorageDamagedError);
      const at = (index: number) => index as LogIndex;
      const [entry] = entries(31, 31, 3, 9_000);
      disk.damage({ file: 'log', offset: offsetOf(entry?.data) });
      expect(await log.read({ from: at(26), to: at(30) })).toHaveLength(5);
      await expect(log.read({ from: at(26), to: at(31) })).rejects.toBeInstanceOf(StorageDamagedError);
    });
  });

  it('that acknowledges before it has synced loses what it acknowledged: the mutant that a simulation must catch', async () => {
    const lost = async (seed: number, syncsFirst: boolean): Promise<boolean> => {
      const world = createWorld({ seed });
      return await world.run(async () => {
        const disk = createDisk(world.host('a'), { runtime: world.runtime });
        const log = await open(simulated(disk, { rules: { syncsFirst } }), world.runtime);
        for (let index = 1; index <= 20; index++) await log.append({ entries: entries(index, index) });
        disk.host.crash({ mode: 'powerLoss' });
        disk.host.restart();
        await using again = await open(simulated(disk), world.runtime);
        return again.recovered.last.index < 20;
      });
    };
    const seeds = Array.from({ length: 20 }, (_, seed) => seed);
    const count = async (syncsFirst: boolean) => {
      let losses = 0;
      for (const seed of seeds) if (await lost(seed, syncsFirst)) losses++;
      return losses;
    };
    expect(await count(true)).toBe(0);
    expect(await count(false)).toBeGreaterThan(5);
  });

  it('on a disk that is full, or fails, writes no more, and goes on after it is opened again', async () => {
    for (const [reason, refuse] of [
      ['full', 'limit'],
      ['io', 'failSyncs'],
    ] as const) {
      const world = createWorld({ seed: 1 });
      await world.run(async () => {
        const disk = createDisk(world.host('a'), { runtime: world.runtime });
        const log = await open(simulated(disk), world.runtime);
        await log.append({ entries: entries(1, 3) });
        const failing = refuse === 'limit' ? undefined : disk.failSyncs();
        if (refuse === 'limit') disk.limit(500);
        const writes = [4, 24].map((from) => log.append({ entries: entries(from, from + 19) }));
        for (const write of writes)
          await expect(write).rejects.toMatchObject({ code: 'ERR_STORAGE_FAILED', reason });
        failing?.[Symbol.dispose]();
        disk.limit(undefined);
        await expect(log.append({ entries: entries(44, 44) })).rejects.toMatchObject({ reason });
        await log.close();
        await using again = await open(simulated(disk), world.runtime);
        const { last } = again.recovered;
        expect(last.index).toBeGreaterThanOrEqual(3);
        await again.append({ entries: entries(last.index + 1, last.index + 1) });
      });
    }
  });
});
