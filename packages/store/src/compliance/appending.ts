import { BlockWriter } from '@mosaik/streams';
import { expect } from 'vitest';
import type { KeptBlock } from '../log/log-storage.ts';
import {
  blockOf,
  boundsOf,
  dataOf,
  datumAt,
  expectedData,
  fill,
  MIRRORED,
  openOwn,
  readAll,
  type Suite,
} from './kit.ts';

/** `append`. */
export function appendTests({ test }: Suite): void {
  test('a new log is empty', async ({ create }) => {
    const log = await openOwn(create());
    expect(log.extent).toEqual({ first: 0, next: 0, bytes: 0, newestMs: 0 });
    expect(await log.read(0, 1_000)).toEqual([]);
    expect(await log.offsetAt(0)).toBe(0);
    expect(await log.offsetWithin(0)).toBe(0);
  });

  test('what is appended is read back as it was, in order', async ({ create }) => {
    const log = await openOwn(create());
    const blocks = [blockOf(0, 1), blockOf(1, 30), blockOf(30, 31), blockOf(31, 200)];
    for (const block of blocks) await log.append(block);
    const read = await readAll(log);
    expect(boundsOf(read)).toEqual(boundsOf(blocks));
    expect(read.map(({ bytes }) => [...bytes])).toEqual(blocks.map(({ bytes }) => [...bytes]));
    expect(read.map(({ count }) => count)).toEqual([1, 29, 1, 169]);
    expect(dataOf(read)).toEqual(expectedData(0, 200));
    const bytes = blocks.reduce((sum, block) => sum + block.bytes.length, 0);
    expect(log.extent).toEqual({ first: 0, next: 200, bytes, newestMs: 1_031 });
  });

  test('many appends at once become durable in the order of the calls', async ({ create }) => {
    const log = await openOwn(create());
    const done: number[] = [];
    const appends = Array.from({ length: 300 }, async (_, index) => {
      await log.append(blockOf(index, index + 1));
      expect(log.extent.next).toBeGreaterThan(index);
      done.push(index);
    });
    await Promise.all(appends);
    expect(done).toEqual(Array.from({ length: 300 }, (_, index) => index));
    expect(dataOf(await readAll(log))).toEqual(expectedData(0, 300));
  });

  test('only what is durable counts and is read', async ({ create }) => {
    const log = await openOwn(create());
    const pending = log.append(blockOf(0, 10));
    const next = log.extent.next;
    expect(next).toBe(pending === undefined ? 10 : 0);
    const read = await log.read(0, 1_000);
    expect(read.length === 0 || log.extent.next === 10).toBe(true);
    await pending;
    expect(log.extent.next).toBe(10);
  });

  test('bytes that are views of a larger buffer stay what they were', async ({ create }) => {
    const log = await openOwn(create());
    const writer = new BlockWriter();
    const blocks: KeptBlock[] = [];
    for (let offset = 0; offset < 50; offset++) {
      writer.append(offset, datumAt(offset));
      blocks.push({ ...writer.seal(), timeMs: 1 });
    }
    await Promise.all(blocks.map((block) => log.append(block)));
    expect(dataOf(await readAll(log))).toEqual(expectedData(0, 50));
  });
}

/** What is read, and what cannot be appended. */
export function readTests({ test }: Suite): void {
  test('a large block is kept', async ({ create }) => {
    const log = await openOwn(create());
    const writer = new BlockWriter();
    const datum = Uint8Array.from({ length: 3_000_000 }, (_, index) => index & 0xff);
    writer.append(0, datum);
    await log.append({ ...writer.seal(), timeMs: 5 });
    await log.append(blockOf(1, 3));
    const [large] = await log.read(0, 1);
    expect(dataOf([large as KeptBlock]).get(0)).toEqual(datum);
    expect(boundsOf(await readAll(log, 1))).toEqual(boundsOf([blockOf(1, 3)]));
  });

  test('read begins with the block that covers the offset, and ends at about the bytes asked for', async ({
    create,
  }) => {
    const log = await openOwn(create());
    await fill(log, 100);
    const firstOf = async (from: number): Promise<number | undefined> => (await log.read(from, 1))[0]?.first;
    expect([await firstOf(0), await firstOf(9), await firstOf(10), await firstOf(55)]).toEqual([
      0, 0, 10, 50,
    ]);
    expect(await log.read(40, 1)).toHaveLength(1);
    const [block] = await log.read(40, 1);
    const { length } = (block as KeptBlock).bytes;
    const some = await log.read(40, 3 * length);
    expect(some.length).toBeGreaterThan(1);
    expect(some.length).toBeLessThan(6);
    expect(await log.read(0, Number.MAX_SAFE_INTEGER)).toHaveLength(10);
    expect(await log.read(100, 1_000)).toEqual([]);
    expect(await log.read(1_000, 1_000)).toEqual([]);
  });

  test('a block that does not follow is refused, and changes nothing', async ({ create }) => {
    const log = await openOwn(create());
    await fill(log, 20);
    const invalid = { code: 'ERR_LOG_INVALID_BLOCK' };
    const refused = async (block: KeptBlock): Promise<void> => {
      await expect(Promise.resolve(log.append(block))).rejects.toMatchObject(invalid);
    };
    await refused(blockOf(0, 10));
    await refused(blockOf(19, 25));
    await refused({ ...blockOf(20, 25), count: 3 });
    await refused(blockOf(20, 25, { timeMs: 3 }));
    await refused(blockOf(20, 25, { timeMs: Number.NaN }));
    expect(dataOf(await readAll(log))).toEqual(expectedData(0, 20));
  });

  test('a copy may begin anywhere, and leave places out', async ({ create }) => {
    const log = await create().openMirror(MIRRORED);
    await log.append(blockOf(100, 110));
    expect(log.extent).toMatchObject({ first: 100, next: 110 });
    await log.append(blockOf(150, 160));
    expect(log.extent).toMatchObject({ first: 100, next: 160 });
    expect(boundsOf(await readAll(log)).map(([first, next]) => [first, next])).toEqual([
      [100, 110],
      [150, 160],
    ]);
    expect(boundsOf(await log.read(120, 1))[0]?.[0]).toBe(150);
  });
}
