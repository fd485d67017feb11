import { streamId, uniqueId } from '@mosaik/primitives';
import type { Epoch } from '@mosaik/streams';
import { expect } from 'vitest';
import {
  blockOf,
  dataOf,
  expectedData,
  fill,
  MIRRORED,
  newLog,
  openOwn,
  PRODUCER,
  readAll,
  STREAM,
  type Suite,
} from './kit.ts';

/** Opening, closing, listing and removing logs. */
export function openingTests({ test }: Suite): void {
  test('a log that is opened again is the same', async ({ create }) => {
    const store = create();
    const log = await openOwn(store);
    const { identity } = log;
    expect(identity).toMatchObject({ stream: STREAM, producer: PRODUCER });
    expect(identity.log).toMatch(/^[0-9a-f]{16}$/);
    await fill(log, 100);
    await log.trim(33);
    const { extent } = log;
    await log.close();
    await log.close();
    const again = await openOwn(store);
    expect(again.identity).toEqual(identity);
    expect(again.extent).toEqual(extent);
    await again.append(blockOf(100, 120));
    expect(dataOf(await readAll(again, 40))).toEqual(expectedData(40, 120));
  });

  test('closing waits for what was appended, and nothing goes on after it', async ({ create }) => {
    const store = create();
    const log = await openOwn(store);
    const appended = log.append(blockOf(0, 10));
    await log.close();
    await appended;
    const closed = { code: 'ERR_LOG_CLOSED' };
    await expect(Promise.resolve(log.append(blockOf(10, 20)))).rejects.toMatchObject(closed);
    await expect(log.read(0, 1_000)).rejects.toMatchObject(closed);
    expect((await openOwn(store)).extent.next).toBe(10);
  });

  test('a log has one owner at a time', async ({ create }) => {
    const store = create();
    await using _log = await openOwn(store);
    await expect(openOwn(store)).rejects.toMatchObject({ code: 'ERR_LOG_IN_USE' });
    await using _copy = await store.openMirror(MIRRORED);
    await expect(store.openMirror(MIRRORED)).rejects.toMatchObject({ code: 'ERR_LOG_IN_USE' });
  });

  test('the own log of another producer is refused', async ({ create }) => {
    const store = create();
    await (await openOwn(store)).close();
    const other = store.openOwn(STREAM, uniqueId('somebody else'), newLog);
    await expect(other).rejects.toMatchObject({ code: 'ERR_LOG_OTHER' });
  });
}

/** Which logs there are. */
export function listingTests({ test }: Suite): void {
  test('logs of streams, producers and beginnings are kept apart, and listed', async ({ create }) => {
    const store = create();
    const logs = [
      await openOwn(store),
      await store.openMirror(MIRRORED),
      await store.openMirror({ ...MIRRORED, log: '00000000000000ab' as Epoch }),
      await store.openMirror({ ...MIRRORED, producer: PRODUCER, log: '00000000000000ac' as Epoch }),
    ];
    const elsewhere = await openOwn(store, streamId('another'));
    await elsewhere.append(blockOf(0, 1, { salt: 9 }));
    for (const [salt, log] of logs.entries()) await log.append(blockOf(0, 10, { salt }));
    for (const [salt, log] of logs.entries()) {
      expect(dataOf(await readAll(log))).toEqual(expectedData(0, 10, salt));
    }
    const expected = logs.map(({ identity }, index) => ({ ...identity, isOwn: index === 0 }));
    expect(await store.list(STREAM)).toEqual(expected);
    expect(await store.list(streamId('nothing'))).toEqual([]);
  });

  test('a log that is removed is gone', async ({ create }) => {
    const store = create();
    const log = await store.openMirror(MIRRORED);
    await fill(log, 30);
    await expect(store.remove(MIRRORED)).rejects.toMatchObject({ code: 'ERR_LOG_IN_USE' });
    await log.close();
    await store.remove(MIRRORED);
    await store.remove(MIRRORED);
    expect(await store.list(STREAM)).toEqual([]);
    expect((await store.openMirror(MIRRORED)).extent).toEqual({ first: 0, next: 0, bytes: 0, newestMs: 0 });
  });
}

/** Snapshots, and the end of a store. */
export function keepingTests({ test }: Suite): void {
  test('snapshots are kept by name, the newest of each', async ({ create }) => {
    const store = create();
    expect(await store.loadSnapshot('a')).toBeUndefined();
    const large = Uint8Array.from({ length: 1_000_000 }, (_, index) => index & 0xff);
    await store.saveSnapshot('a', Uint8Array.of(1, 2, 3));
    await store.saveSnapshot('b', large);
    await store.saveSnapshot('a', Uint8Array.of(4));
    expect(await store.loadSnapshot('a')).toEqual(Uint8Array.of(4));
    expect(await store.loadSnapshot('b')).toEqual(large);
  });

  test('closing the store closes its logs', async ({ create }) => {
    const store = create();
    const log = await openOwn(store);
    await log.append(blockOf(0, 10));
    await store.close();
    await store.close();
    await expect(log.read(0, 1)).rejects.toMatchObject({ code: 'ERR_LOG_CLOSED' });
    await expect(openOwn(store)).rejects.toMatchObject({ code: 'ERR_LOG_CLOSED' });
  });
}

/** What stays for another process. */
export function processTests({ testIf, setup }: Suite): void {
  testIf(
    setup.canShare,
    'another store of the same place goes on with what is there',
    async (environment) => {
      const store = environment.create();
      const log = await openOwn(store);
      await fill(log, 100);
      await log.trim(15);
      await store.saveSnapshot('fold', Uint8Array.of(7));
      const copy = await store.openMirror(MIRRORED);
      await copy.append(blockOf(50, 60));
      const [own, mirrored] = [log.extent, copy.extent];
      await store.close();
      const next = environment.again?.(store) ?? store;
      const again = await openOwn(next);
      expect([again.identity, again.extent]).toEqual([log.identity, own]);
      expect((await next.openMirror(MIRRORED)).extent).toEqual(mirrored);
      expect(await next.loadSnapshot('fold')).toEqual(Uint8Array.of(7));
      expect(await next.list(STREAM)).toHaveLength(2);
      expect(dataOf(await readAll(again, 20))).toEqual(expectedData(20, 100));
    },
  );

  testIf(setup.canShare, 'a place has one store at a time', async (environment) => {
    const store = environment.create();
    await openOwn(store);
    const second = environment.again?.(store) ?? store;
    await expect(openOwn(second)).rejects.toMatchObject({ code: 'ERR_LOG_IN_USE' });
  });

  testIf(
    setup.canCrash,
    'after a crash there is a prefix, with all that was durable',
    async (environment) => {
      let store = environment.create();
      const identity = (await openOwn(store)).identity;
      let durable = 0;
      for (let round = 0; round < 4; round++) {
        store = (await environment.crash?.(store)) ?? store;
        const log = await openOwn(store);
        expect(log.identity).toEqual(identity);
        expect(log.extent.next).toBeGreaterThanOrEqual(durable);
        expect(dataOf(await readAll(log))).toEqual(expectedData(0, log.extent.next));
        await fill(log, log.extent.next + 40);
        durable = log.extent.next;
        for (let index = 0; index < 20; index++) {
          Promise.resolve(log.append(blockOf(durable + 5 * index, durable + 5 * index + 5))).catch(() => {});
        }
      }
    },
  );
}
