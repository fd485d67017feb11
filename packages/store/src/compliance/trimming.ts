import { expect } from 'vitest';
import type { LogStorage } from '../log/log-storage.ts';
import { blockOf, boundsOf, dataOf, expectedData, fill, openOwn, readAll, type Suite } from './kit.ts';

/** `trim`. */
export function trimTests({ test }: Suite): void {
  test('trimming is exact, also within a block', async ({ create }) => {
    const log = await openOwn(create());
    await fill(log, 100);
    await log.trim(25);
    expect(log.extent).toMatchObject({ first: 25, next: 100 });
    const data = dataOf(await readAll(log, 25));
    for (let offset = 0; offset < 20; offset++) expect(data.has(offset)).toBe(false);
    for (const [offset, datum] of expectedData(25, 100)) expect(data.get(offset)).toEqual(datum);
    expect((await log.read(0, 1))[0]?.next).toBeGreaterThan(25);
  });

  test('trimming never goes back, nor beyond the end', async ({ create }) => {
    const log = await openOwn(create());
    await fill(log, 50);
    await log.trim(30);
    await log.trim(10);
    expect(log.extent.first).toBe(30);
    await log.trim(1_000);
    expect(log.extent).toMatchObject({ first: 50, next: 50, bytes: 0, newestMs: 1_040 });
    expect(await log.read(0, 1_000)).toEqual([]);
    expect(await log.offsetAt(0)).toBe(50);
  });

  test('goes on after everything was trimmed', async ({ create }) => {
    const log = await openOwn(create());
    await fill(log, 50);
    await log.trim(50);
    await log.append(blockOf(50, 60));
    expect(log.extent).toMatchObject({ first: 50, next: 60, bytes: blockOf(50, 60).bytes.length });
    expect(dataOf(await readAll(log))).toEqual(expectedData(50, 60));
  });

  test('what is trimmed counts no more', async ({ create }) => {
    const log = await openOwn(create());
    await fill(log, 100);
    const before = log.extent.bytes;
    await log.trim(50);
    const kept = Array.from({ length: 5 }, (_, index) => blockOf(50 + 10 * index, 60 + 10 * index));
    expect(log.extent.bytes).toBe(kept.reduce((sum, { bytes }) => sum + bytes.length, 0));
    expect(log.extent.bytes).toBeLessThan(before);
  });

  test('appends, reads and trims at once do not disturb each other', async ({ create }) => {
    const log = await openOwn(create());
    await fill(log, 100);
    const work = [fill(log, 600), log.trim(35), readAll(log, 50), log.trim(70), readAll(log, 70)];
    await Promise.all(work);
    expect(log.extent).toMatchObject({ first: 70, next: 600 });
    expect(dataOf(await readAll(log, 70))).toEqual(expectedData(70, 600));
  });
}

/** What tells where to trim. */
export function findTests({ test }: Suite): void {
  test('offsetAt finds the first that was kept at a time or later', async ({ create }) => {
    const log = await openOwn(create());
    const times = [100, 200, 200, 300];
    for (const [index, timeMs] of times.entries())
      await log.append(blockOf(10 * index, 10 * index + 10, { timeMs }));
    const found = async (...wanted: number[]): Promise<number[]> =>
      await Promise.all(wanted.map((timeMs) => log.offsetAt(timeMs)));
    expect(await found(0, 100, 101, 200, 201, 300, 301)).toEqual([0, 0, 10, 10, 30, 30, 40]);
    await log.trim(15);
    expect(await found(0, 200, 300)).toEqual([15, 15, 30]);
  });

  test('offsetWithin finds where to trim for a number of bytes', async ({ create }) => {
    const log = await openOwn(create());
    await fill(log, 60);
    const sizes = (await readAll(log)).map(({ bytes }) => bytes.length);
    const last = (count: number): number => sizes.slice(-count).reduce((sum, size) => sum + size, 0);
    expect(await log.offsetWithin(last(6))).toBe(0);
    expect(await log.offsetWithin(last(6) - 1)).toBe(10);
    expect(await log.offsetWithin(last(2))).toBe(40);
    expect(await log.offsetWithin(0)).toBe(60);
    await trimTo(log, 24);
    expect(await log.offsetWithin(last(4))).toBe(24);
    expect(await log.offsetWithin(last(4) - 1)).toBe(30);
  });
}

async function trimTo(log: LogStorage, below: number): Promise<void> {
  await log.trim(below);
  expect(boundsOf(await log.read(below, 1))[0]?.[1]).toBeGreaterThan(below);
}
