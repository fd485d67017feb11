import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogStorageError, type LogStore } from '../../src/index.ts';
import { createPlace, type Place } from './place.ts';
import {
  blockAt,
  FOLD,
  findDifference,
  MIRRORED,
  newLog,
  PRODUCER,
  STREAM,
  snapshotAt,
} from './programs/ledger.ts';

const FLIPS = process.env['MOSAIK_SIM'] === 'long' ? 400 : 25;
const BLOCKS = 40;
const SIZE = 100;
const END = BLOCKS * SIZE;

/** A store with a log, a copy and a snapshot; the first tenth of the log is trimmed. */
async function fill(store: LogStore): Promise<void> {
  const own = await store.openOwn(STREAM, PRODUCER, newLog);
  const mirror = await store.openMirror(MIRRORED);
  for (let first = 0; first < END; first += SIZE) {
    await Promise.all([
      own.append(blockAt(first, first + SIZE)),
      mirror.append(blockAt(first, first + 10, 1)),
    ]);
  }
  await own.trim(END / 10);
  await store.saveSnapshot(FOLD, snapshotAt(1));
}

/** The files of a store, as they are after a crash: what was written last is in the write-ahead log only. */
async function crashed(place: Place): Promise<ReadonlyMap<string, Buffer>> {
  const store = place.open();
  await fill(store);
  const files = new Map(['', '-wal', '-mark'].map((ending) => [ending, readFileSync(place.path + ending)]));
  await store.close();
  return files;
}

async function closed(place: Place): Promise<ReadonlyMap<string, Buffer>> {
  const store = place.open();
  await fill(store);
  await store.close();
  return new Map(['', '-mark'].map((ending) => [ending, readFileSync(place.path + ending)]));
}

/** Whether something was refused, clearly; anything else that goes wrong is thrown. */
async function isRefused(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return false;
  } catch (error) {
    if (error instanceof LogStorageError) return true;
    throw error;
  }
}

/** Everything that can be read of the store, compared with what was written; and again after more was appended. */
async function check(store: LogStore): Promise<void> {
  await isRefused(async () => {
    const own = await store.openOwn(STREAM, PRODUCER, newLog);
    expect([own.identity.log, own.extent.first, own.extent.next]).toEqual([newLog(), END / 10, END]);
    await isRefused(async () => expect(await findDifference(own)).toBeUndefined());
    await own.append(blockAt(END, END + 2 * SIZE));
    await isRefused(async () => expect(await findDifference(own)).toBeUndefined());
  });
  await isRefused(async () => {
    const mirror = await store.openMirror(MIRRORED);
    expect(mirror.extent).toMatchObject({ first: 0, next: END - SIZE + 10 });
    let from = 0;
    while (from < mirror.extent.next) {
      const blocks = await mirror.read(from, 10_000);
      for (const block of blocks) {
        expect(block.first).toBe(Math.ceil(from / SIZE) * SIZE);
        expect(Buffer.compare(block.bytes, blockAt(block.first, block.next, 1).bytes)).toBe(0);
        from = block.next;
      }
    }
  });
  await isRefused(async () => expect(await store.loadSnapshot(FOLD)).toEqual(snapshotAt(1)));
}

async function checkFlips(place: Place, files: ReadonlyMap<string, Buffer>): Promise<void> {
  const total = [...files.values()].reduce((sum, { length }) => sum + length, 0);
  const flip = fc.record({ at: fc.nat(total - 1), bit: fc.nat(7) });
  await fc.assert(
    fc.asyncProperty(flip, async ({ at, bit }) => {
      let offset = at;
      for (const ending of ['', '-wal', '-shm', '-mark']) {
        const bytes = Buffer.from(files.get(ending) ?? []);
        if (offset >= 0 && offset < bytes.length) bytes[offset] = (bytes[offset] ?? 0) ^ (1 << bit);
        offset -= bytes.length;
        writeFileSync(place.path + ending, bytes);
      }
      const store = place.open();
      try {
        await check(store);
      } finally {
        await store.close();
      }
    }),
    { numRuns: FLIPS },
  );
}

/** Flips a bit of a block of the own log, which is the first of the store. */
function damageBlock(path: string, first: number): void {
  const database = new DatabaseSync(path);
  const row = database.prepare('SELECT bytes FROM blocks_2 WHERE first = ?').get(first);
  const bytes = Uint8Array.from(row?.['bytes'] as Uint8Array);
  bytes[7] = (bytes[7] ?? 0) ^ 4;
  database.prepare('UPDATE blocks_2 SET bytes = ? WHERE first = ?').run(bytes, first);
  database.close();
}

describe('a damaged store', () => {
  it('is refused, or reads as it was, with any bit flipped', { timeout: 600_000 }, async () => {
    await using place = createPlace();
    await checkFlips(place, await closed(place));
  });

  it('is, too, with any bit flipped after a crash', { timeout: 600_000 }, async () => {
    await using place = createPlace();
    await checkFlips(place, await crashed(place));
  });

  it('names the offsets of a damaged block, and gives what is before and after it', {
    timeout: 60_000,
  }, async () => {
    await using place = createPlace();
    await closed(place);
    damageBlock(place.path, 2_000);
    const log = await place.open().openOwn(STREAM, PRODUCER, newLog);
    const range = { first: 2_000, next: 2_000 + SIZE };
    const before = await log.read(1_500, 1_000_000);
    expect([before[0]?.first, before.at(-1)?.next]).toEqual([1_500, 2_000]);
    for (const from of [2_000, 2_050]) {
      const damaged = { first: from, next: range.next };
      await expect(log.read(from, 1)).rejects.toMatchObject({ code: 'ERR_LOG_DAMAGED', damaged });
    }
    const after = await log.read(range.next, 1_000_000);
    expect([after[0]?.first, after.at(-1)?.next]).toEqual([range.next, END]);
    await log.append(blockAt(END, END + 1));
    expect(log.extent.next).toBe(END + 1);
    await expect(log.read(2_000, 1)).rejects.toMatchObject({ damaged: range });
    // Retention gets past it.
    await log.trim(3_000);
    expect(await findDifference(log)).toBeUndefined();
  });

  it('is refused when the last block is damaged, with its offsets', { timeout: 60_000 }, async () => {
    await using place = createPlace();
    await closed(place);
    damageBlock(place.path, END - SIZE);
    const damaged = { first: END - SIZE, next: END };
    const opened = place.open().openOwn(STREAM, PRODUCER, newLog);
    await expect(opened).rejects.toMatchObject({ code: 'ERR_LOG_DAMAGED', damaged });
  });

  it('is refused when what was acknowledged last is gone with its write-ahead log', {
    timeout: 60_000,
  }, async () => {
    await using place = createPlace();
    const store = place.open();
    await fill(store);
    const kept = `${place.path}-kept`;
    copyFileSync(place.path, kept);
    await store.close();
    copyFileSync(kept, place.path);
    expect(statSync(place.path).size).toBeGreaterThan(0);
    await expect(place.open().list(STREAM)).rejects.toMatchObject({ code: 'ERR_LOG_DAMAGED' });
  });
});
