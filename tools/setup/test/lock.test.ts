import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withLock } from '../lock.mjs';

let folder = '';
let file = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mosaik-lock-'));
  file = join(folder, 'setup.lock');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('one holder at a time', async () => {
  let inside = 0;
  let most = 0;
  const work = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await Promise.resolve();
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 3 }, () => withLock(file, work)));
  expect(most).toBe(1);
  expect(existsSync(file)).toBe(false);
});

test('a failure releases it and reaches the caller', async () => {
  await expect(withLock(file, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(existsSync(file)).toBe(false);
});

test('the lock of a dead process is taken over', async () => {
  // No process has this number: it is above the highest that Linux and macOS give out.
  writeFileSync(file, `99999999 ${hostname()}\n`);
  await expect(withLock(file, async () => 'done')).resolves.toBe('done');
});

test('a lock that nobody touches any more is taken over, wherever its holder ran', async () => {
  writeFileSync(file, '1 another-machine\n');
  const longAgo = new Date(Date.now() - 120_000);
  utimesSync(file, longAgo, longAgo);
  await expect(withLock(file, async () => 'done')).resolves.toBe('done');
});
