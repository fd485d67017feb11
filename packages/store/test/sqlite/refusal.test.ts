import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { createPlace } from './place.ts';
import { blockAt, findDifference, newLog, PRODUCER, STREAM } from './programs/ledger.ts';

const WRITER = new URL('./programs/writer.ts', import.meta.url).pathname;

describe('a place that cannot be used', () => {
  it('is refused while another process has it, and goes on when that is killed', {
    timeout: 60_000,
  }, async () => {
    await using place = createPlace();
    const child = spawn(process.execPath, [WRITER, place.path], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(child.stdout, 'data');
      const store = place.open();
      await expect(store.openOwn(STREAM, PRODUCER, newLog)).rejects.toMatchObject({ code: 'ERR_LOG_IN_USE' });
      child.kill('SIGKILL');
      await once(child, 'close');
      // The same store: what was in its way is gone.
      const log = await store.openOwn(STREAM, PRODUCER, newLog);
      expect(await findDifference(log)).toBeUndefined();
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('is refused while it is in use under another name', { timeout: 60_000 }, async () => {
    await using place = createPlace();
    await using second = createPlace();
    const first = place.open();
    await first.list(STREAM);
    symlinkSync(place.path, second.path);
    await expect(second.open().list(STREAM)).rejects.toMatchObject({ code: 'ERR_LOG_IN_USE' });
    await first.close();
    const log = await second.open().openOwn(STREAM, PRODUCER, newLog);
    await log.append(blockAt(0, 10));
    expect(await findDifference(log)).toBeUndefined();
  });

  it('is refused when it is of another format, and stays as it is', { timeout: 60_000 }, async () => {
    await using place = createPlace();
    const store = place.open();
    await store.list(STREAM);
    await store.close();
    rmSync(`${place.path}-mark`);
    const database = new DatabaseSync(place.path);
    database.exec('PRAGMA user_version = 2');
    database.close();
    await expect(place.open().list(STREAM)).rejects.toMatchObject({
      code: 'ERR_LOG_FORMAT',
      message: expect.stringContaining('format 2'),
    });
  });

  it('is refused when it is a database of something else', { timeout: 60_000 }, async () => {
    await using place = createPlace();
    const database = new DatabaseSync(place.path);
    database.exec('CREATE TABLE people (name TEXT); INSERT INTO people VALUES (1)');
    database.close();
    await expect(place.open().list(STREAM)).rejects.toMatchObject({ code: 'ERR_LOG_FORMAT' });
    const again = new DatabaseSync(place.path);
    expect(again.prepare('SELECT count(*) AS count FROM people').get()).toEqual({ count: 1 });
    again.close();
  });

  it('is refused when it is no database', { timeout: 60_000 }, async () => {
    await using place = createPlace();
    writeFileSync(
      place.path,
      'a letter to somebody, which is long enough to be read as the header of a database, if it were one',
    );
    await expect(place.open().list(STREAM)).rejects.toMatchObject({ code: 'ERR_LOG_FORMAT' });
  });

  it('is refused when its mark is there, but not the store', { timeout: 60_000 }, async () => {
    await using place = createPlace();
    const store = place.open();
    await store.list(STREAM);
    await store.close();
    rmSync(place.path);
    await expect(place.open().list(STREAM)).rejects.toMatchObject({ code: 'ERR_LOG_DAMAGED' });
  });

  it('is refused when its folder is not there', { timeout: 60_000 }, async () => {
    await using place = createPlace();
    const { sqlite } = await import('../../src/sqlite/index.ts');
    const store = sqlite(`${place.path}-none/store.db`);
    await expect(store.list(STREAM)).rejects.toMatchObject({ code: 'ERR_LOG_IO' });
    await store.close();
  });
});

describe('a disk that is full', () => {
  it('refuses what does not fit, and loses nothing that was acknowledged', { timeout: 60_000 }, async () => {
    await using place = createPlace();
    const store = place.open({ maxPages: 150 });
    const log = await store.openOwn(STREAM, PRODUCER, newLog);
    const results: PromiseSettledResult<void>[] = [];
    while (results.every(({ status }) => status === 'fulfilled')) {
      const start = results.length;
      const appends = [0, 1, 2, 3].map((index) =>
        log.append(blockAt(500 * (start + index), 500 * (start + index + 1))),
      );
      results.push(...(await Promise.allSettled(appends)));
    }
    const firstRefused = results.findIndex(({ status }) => status === 'rejected');
    expect(firstRefused).toBeGreaterThan(10);
    const refused = { code: 'ERR_LOG_IO', message: expect.stringContaining('no space') };
    for (const [index, result] of results.entries()) {
      if (index < firstRefused) expect(result.status).toBe('fulfilled');
      else expect(result).toMatchObject({ reason: refused });
    }
    const acknowledged = 500 * firstRefused;
    expect(log.extent.next).toBe(acknowledged);
    expect(await findDifference(log)).toBeUndefined();
    await expect(log.append(blockAt(acknowledged, acknowledged + 1))).rejects.toMatchObject({
      code: 'ERR_LOG_IO',
    });
    // With room again it goes on: opened again, after something was removed.
    await log.trim(acknowledged - 1);
    await log.close();
    const again = await store.openOwn(STREAM, PRODUCER, newLog);
    expect(again.extent).toMatchObject({ first: acknowledged - 1, next: acknowledged });
    await again.append(blockAt(acknowledged, acknowledged + 500));
    expect(await findDifference(again)).toBeUndefined();
  });

  it('keeps the snapshot that was there', { timeout: 60_000 }, async () => {
    await using place = createPlace();
    const store = place.open({ maxPages: 150 });
    await store.saveSnapshot('fold', new Uint8Array(500_000).fill(1));
    await expect(store.saveSnapshot('fold', new Uint8Array(3_000_000).fill(2))).rejects.toMatchObject({
      code: 'ERR_LOG_IO',
    });
    expect(await store.loadSnapshot('fold')).toEqual(new Uint8Array(500_000).fill(1));
    // What there was of the other one is removed: there is room again.
    await store.saveSnapshot('fold', new Uint8Array(1_000_000).fill(3));
    expect((await store.loadSnapshot('fold'))?.[0]).toBe(3);
  });
});
