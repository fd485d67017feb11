import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { groupId, systemRuntime } from '@mosaik/primitives';
import { expect, it } from 'vitest';
import { sqlite } from '../../src/sqlite/index.ts';
import { entries, metaAt, readAll, readSnapshot, writeSnapshot } from '../../src/storage/compliance/kit.ts';

it('many logs of one process keep apart, whichever worker they share', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mosaik-many-'));
  const names = Array.from({ length: 20 }, (_, at) => `log-${at}`);
  const open = (name: string) =>
    sqlite(join(folder, name)).open({ group: groupId(name), runtime: systemRuntime });
  try {
    const logs = await Promise.all(names.map(open));
    await Promise.all(
      logs.map(async (log, at) => {
        for (let index = 1; index <= 5; index++) await log.append({ entries: entries(index, index, at + 1) });
      }),
    );
    await Promise.all(logs.map((log) => log.close()));
    for (const [at, name] of names.entries()) {
      await using log = await open(name);
      const found = await readAll(log, 1);
      expect(found.map(({ term }) => term)).toEqual(Array.from({ length: 5 }, () => at + 1));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('a snapshot that was replaced leaves its room to the next ones', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mosaik-many-'));
  const path = join(folder, 'log.db');
  try {
    const log = await sqlite(path).open({ group: groupId('rounds'), runtime: systemRuntime });
    for (let round = 1; round <= 8; round++) {
      const chunks = Array.from({ length: 20 }, () => new Uint8Array(50_000).fill(round));
      await writeSnapshot(log, metaAt(round), chunks);
      expect(await readSnapshot(log)).toEqual(chunks);
    }
    await log.close();
    // A megabyte each: the one that is, those that were being removed, and not all eight.
    expect(statSync(path).size).toBeLessThan(5 * 1_000_000);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('a log that another process holds is refused there, and by it', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mosaik-many-'));
  const path = join(folder, 'log.db');
  const program = new URL('../programs/log-writer.ts', import.meta.url).pathname;
  const startWriter = () =>
    spawnSync(process.execPath, [program, path, '0', 'written', '3'], { encoding: 'utf8' });
  try {
    const log = await sqlite(path).open({ group: groupId('killed'), runtime: systemRuntime });
    const refused = startWriter();
    expect([refused.status, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain('ERR_STORAGE_LOCKED');
    await log.append({ entries: entries(1, 1) });
    await log.close();
    expect(startWriter()).toMatchObject({ signal: 'SIGKILL', stdout: expect.stringContaining('opened 1') });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
