import { ClosedError, groupId } from '@mosaik/primitives';
import { expect } from 'vitest';
import { StorageGroupError, StorageLockedError } from '../errors.ts';
import { entries, GROUP, index, member, openLog, readAll, reopen, type Suite, term } from './kit.ts';

export function openingTests(suite: Suite): void {
  newLogTests(suite);
  refusalTests(suite);
  endTests(suite);
}

function newLogTests({ test }: Suite): void {
  test('a new log is empty, of term 0, and voted for nobody', async (environment) => {
    await using log = await openLog(environment, environment.create());
    expect(log.recovered).toEqual({
      hardState: { term: 0, vote: undefined },
      base: { index: 0, term: 0 },
      last: { index: 0, term: 0 },
      snapshot: undefined,
      commit: 0,
    });
    expect(log.incarnation).toMatch(/^[0-9a-f]{32}$/);
    expect(log.pendingBytes).toBe(0);
    expect(await log.openSnapshot()).toBeUndefined();
    expect(await readAll(log, 1)).toEqual([]);
  });

  test('two new logs are two incarnations', async (environment) => {
    await using one = await openLog(environment, environment.create());
    await using two = await openLog(environment, environment.create());
    expect(one.incarnation).not.toBe(two.incarnation);
  });

  test('a log that is opened again is as it was left, of the same incarnation', async (environment) => {
    const storage = environment.create();
    const log = await openLog(environment, storage);
    const { incarnation } = log;
    const written = [...entries(1, 3, 1), ...entries(4, 7, 3)];
    const hardState = { term: term(3), vote: member('bob') };
    await log.append({ hardState, entries: written, commit: index(5) });
    await using again = await reopen(environment, storage, log);
    expect(again.incarnation).toBe(incarnation);
    expect(again.durability).toBe(storage.durability);
    expect(again.recovered).toEqual({
      hardState,
      base: { index: 0, term: 0 },
      last: { index: 7, term: 3 },
      snapshot: undefined,
      commit: 5,
    });
    expect(await readAll(again, 1)).toEqual(written);
  });

  test('a vote that was taken back is none', async (environment) => {
    const storage = environment.create();
    const log = await openLog(environment, storage);
    await log.append({ hardState: { term: term(4), vote: member('bob') } });
    await log.append({ hardState: { term: term(5), vote: undefined } });
    await using again = await reopen(environment, storage, log);
    expect(again.recovered.hardState).toEqual({ term: 5, vote: undefined });
  });
}

function refusalTests({ setup, test, testIf }: Suite): void {
  test('a log that is open is not opened again', async (environment) => {
    const storage = environment.create();
    await using log = await openLog(environment, storage);
    await expect(openLog(environment, storage)).rejects.toBeInstanceOf(StorageLockedError);
    await expect(storage.setAside('reverted')).rejects.toBeInstanceOf(StorageLockedError);
    await log.append({ entries: entries(1, 1) });
  });

  testIf(setup.canShare, 'nor by another process', async (environment) => {
    const storage = environment.create();
    const log = await openLog(environment, storage);
    const other = environment.again?.(storage) ?? storage;
    await expect(openLog(environment, other)).rejects.toBeInstanceOf(StorageLockedError);
    await expect(other.setAside('reverted')).rejects.toBeInstanceOf(StorageLockedError);
    await log.close();
    await using taken = await openLog(environment, other);
    expect(taken.incarnation).toBe(log.incarnation);
  });

  test('the log of another group is refused, by both names, and stays as it is', async (environment) => {
    const storage = environment.create();
    const log = await openLog(environment, storage);
    await log.append({ entries: entries(1, 2) });
    await log.close();
    const other = groupId('another');
    const opening = storage.open({ group: other, runtime: environment.runtime });
    await expect(opening).rejects.toMatchObject({ code: 'ERR_STORAGE_GROUP', expected: other, found: GROUP });
    await expect(opening).rejects.toBeInstanceOf(StorageGroupError);
    await using again = await openLog(environment, storage);
    expect(again.recovered.last.index).toBe(2);
  });
}

function endTests({ test }: Suite): void {
  test('after a log was set aside there is a new one, of another incarnation and maybe another group', async (environment) => {
    const storage = environment.create();
    expect(await storage.setAside('reverted')).toBeUndefined();
    const log = await openLog(environment, storage);
    await log.append({ hardState: { term: term(9), vote: member('ann') }, entries: entries(1, 4) });
    await log.close();
    expect(await storage.setAside('reverted')).toBeTypeOf('string');
    await using next = await storage.open({ group: groupId('another'), runtime: environment.runtime });
    expect(next.incarnation).not.toBe(log.incarnation);
    expect(next.recovered).toMatchObject({ hardState: { term: 0 }, last: { index: 0 } });
  });

  test('a closed log does nothing any more, and can be closed again', async (environment) => {
    const log = await openLog(environment, environment.create());
    await log.close();
    await log.close();
    await expect(log.append({ entries: entries(1, 1) })).rejects.toBeInstanceOf(ClosedError);
    await expect(log.read({ from: index(1), to: index(1) })).rejects.toBeInstanceOf(ClosedError);
    await expect(log.openSnapshot()).rejects.toBeInstanceOf(ClosedError);
    await expect(log.prune(index(0))).rejects.toBeInstanceOf(ClosedError);
  });

  test('a close waits for what is under way', async (environment) => {
    const storage = environment.create();
    const log = await openLog(environment, storage);
    let written = 0;
    for (let at = 1; at <= 20; at++) void log.append({ entries: entries(at, at) }).then(() => written++);
    await log.close();
    expect(written).toBe(20);
    await using again = await openLog(environment, storage);
    expect(again.recovered.last.index).toBe(20);
  });
}
