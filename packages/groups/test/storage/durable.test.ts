import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { groupId, systemRuntime } from '@mosaik/primitives';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sqlite } from '../../src/sqlite/index.ts';
import { requireDurable } from '../../src/sqlite/opening.ts';
import { readMark } from '../../src/sqlite-kit/index.ts';
import { entries } from '../../src/storage/compliance/kit.ts';
import type { LogStorage } from '../../src/storage/storage.ts';
import { Gate } from '../support/gate.ts';

let folder: string;
let path: string;
let gate: Gate;
let log: LogStorage;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mosaik-durable-'));
  path = join(folder, 'log.db');
  gate = new Gate('committed');
  log = await sqlite(path, { holdAt: gate }).open({ group: groupId('durable'), runtime: systemRuntime });
});

afterEach(async () => {
  gate.open();
  await log.close();
  rmSync(folder, { recursive: true });
});

/** Each is one COMMIT, and a commit is one fsync: see `requireDurable`. */
const commits = (): number => readMark(path)?.sequence ?? 0;

const append = (index: number): Promise<void> => log.append({ entries: entries(index, index) });

describe('sqlite(path)', () => {
  it('commits what is appended in one turn at once', async () => {
    const before = commits();
    await Promise.all(Array.from({ length: 200 }, (_, at) => append(at + 1)));
    expect(commits() - before).toBe(1);
    for (let index = 201; index <= 205; index++) await append(index);
    expect(commits() - before).toBe(6);
  });

  it('commits what is appended while the disk is busy at once, and lets the process go on meanwhile', async () => {
    const before = commits();
    gate.close();
    let acknowledged = 0;
    const appended = [append(1)];
    await gate.reached(1);
    for (let index = 2; index <= 50; index++) {
      appended.push(append(index));
      await setImmediate();
    }
    for (const each of appended) void each.then(() => acknowledged++);
    // Had the disk stalled this thread, it would stand at the gate that only it can open.
    await setImmediate();
    expect(acknowledged).toBe(0);
    expect(log.pendingBytes).toBeGreaterThan(0);
    gate.open();
    await Promise.all(appended);
    expect(commits() - before).toBe(2);
  });

  it.each([
    ['journal_mode = WAL; PRAGMA synchronous = FULL', undefined],
    ['journal_mode = WAL; PRAGMA synchronous = NORMAL', /journal_mode wal and synchronous 1/],
    ['journal_mode = WAL; PRAGMA synchronous = OFF', /journal_mode wal and synchronous 0/],
    ['journal_mode = DELETE; PRAGMA synchronous = FULL', /journal_mode delete and synchronous 2/],
  ])('refuses to write with %s unless each commit is synced', (pragmas, refused) => {
    const database = new DatabaseSync(join(folder, 'other.db'));
    try {
      database.exec(`PRAGMA ${pragmas}`);
      const check = (): void => requireDurable(database);
      if (refused === undefined) expect(check).not.toThrow();
      else
        expect(check).toThrow(
          expect.objectContaining({ failure: { kind: 'io', detail: expect.stringMatching(refused) } }),
        );
    } finally {
      database.close();
    }
  });
});
