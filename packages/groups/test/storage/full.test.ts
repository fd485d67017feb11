import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { groupId, systemRuntime } from '@mosaik/primitives';
import { expect, it } from 'vitest';
import { sqlite } from '../../src/sqlite/index.ts';
import { entry, readAll } from '../../src/storage/compliance/kit.ts';

const PROGRAM = new URL('../programs/log-filler.ts', import.meta.url).pathname;
/** Of a file, in blocks of 1024 bytes. */
const BLOCKS_MAX = 400;

it('sqlite(path) that can write no more fails from then on, and has all that it acknowledged', {
  timeout: 60_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mosaik-full-'));
  const path = join(folder, 'log.db');
  try {
    const command = `ulimit -f ${BLOCKS_MAX} && exec "$0" "$@"`;
    const { stdout, stderr, status } = spawnSync('bash', ['-c', command, process.execPath, PROGRAM, path], {
      encoding: 'utf8',
    });
    expect([stderr, status]).toEqual(['', 0]);
    const lines = stdout.trim().split('\n');
    expect(lines.slice(-3)).toEqual([
      'first ERR_STORAGE_FAILED io',
      'second ERR_STORAGE_FAILED io',
      'closed',
    ]);
    const acknowledged = lines.length - 3;
    expect(acknowledged).toBeGreaterThan(10);
    await using log = await sqlite(path).open({ group: groupId('filled'), runtime: systemRuntime });
    const { last } = log.recovered;
    expect(last.index).toBeGreaterThanOrEqual(acknowledged);
    const expected = Array.from({ length: last.index }, (_, at) => entry(at + 1, 1, 10_000));
    expect(await readAll(log, 1)).toEqual(expected);
    await log.append({ entries: [entry(last.index + 1)] });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
