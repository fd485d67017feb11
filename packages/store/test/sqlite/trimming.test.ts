import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { LogStorage } from '../../src/index.ts';
import { createPlace } from './place.ts';
import { blockAt, findDifference, MIRRORED, newLog, PRODUCER, STREAM } from './programs/ledger.ts';

/** Blocks of 1,000 data, many under way at once; returns when all are durable. */
async function grow(log: LogStorage, blocks: number): Promise<void> {
  const start = log.extent.next;
  const all = Array.from({ length: blocks }, (_, index) => start + 1_000 * index);
  await Promise.all(all.map((first) => log.append(blockAt(first, first + 1_000))));
}

it('the write-ahead log stays small while somebody reads all the time', { timeout: 60_000 }, async () => {
  await using place = createPlace();
  const log = await place.open({ checkpointBytes: 1_000_000 }).openOwn(STREAM, PRODUCER, newLog);
  await grow(log, 20);
  let isGrowing = true;
  const readOn = async (): Promise<void> => {
    while (isGrowing) await log.read(0, 1_000_000);
  };
  const reading = Promise.all([readOn(), readOn(), readOn()]);
  for (let round = 0; round < 25; round++) await grow(log, 20);
  isGrowing = false;
  await reading;
  expect(log.extent.bytes).toBeGreaterThan(20_000_000);
  expect(statSync(`${place.path}-wal`).size).toBeLessThan(10_000_000);
});

describe('a log that is trimmed', () => {
  it('uses the space again', { timeout: 60_000 }, async () => {
    await using place = createPlace();
    const log = await place.open({ checkpointBytes: 500_000 }).openOwn(STREAM, PRODUCER, newLog);
    await grow(log, 40);
    const { bytes } = log.extent;
    for (let round = 0; round < 25; round++) {
      await grow(log, 40);
      await log.trim(log.extent.next - 40_000);
    }
    expect(log.extent.bytes).toBeLessThan(1.1 * bytes);
    expect(statSync(place.path).size).toBeLessThan(5 * bytes);
    expect(await findDifference(log)).toBeUndefined();
  });

  it('is the same when it is opened again, at each of its ends', { timeout: 60_000 }, async () => {
    await using place = createPlace();
    const reopened = async (change: (log: LogStorage) => Promise<unknown>): Promise<void> => {
      const store = place.open();
      const log = await store.openMirror(MIRRORED);
      await change(log);
      const { extent } = log;
      await store.close();
      const again = place.open();
      expect((await again.openMirror(MIRRORED)).extent).toEqual(extent);
      await again.close();
    };
    const kept = (first: number, next: number) => (log: LogStorage) =>
      log.append(blockAt(first, next)) ?? Promise.resolve();
    await reopened(kept(100, 200));
    await reopened(kept(300, 400));
    await reopened((log) => log.trim(150));
    await reopened((log) => log.trim(250));
    await reopened((log) => log.trim(300));
    await reopened((log) => log.trim(400));
    await reopened(kept(500, 600));
    await reopened(async (log) => {
      await Promise.all([log.trim(600), log.append(blockAt(700, 800)), log.trim(1_000)]);
      expect(log.extent).toMatchObject({ first: 700, next: 800 });
      expect((await log.read(0, 1))[0]?.first).toBe(700);
    });
  });
});
