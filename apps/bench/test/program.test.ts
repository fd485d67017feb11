import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFolder } from '../src/peers/folder.ts';
import { adviceFor } from '../src/peers/peers.ts';
import { findProgram, startServer, untilReady } from '../src/peers/program.ts';

const node = { path: process.execPath, version: process.version };
const SERVE = `console.log('up'); setInterval(() => {}, 1000);`;

describe('a server', () => {
  it('is gone when it was disposed of, or killed', async () => {
    for (const end of [Symbol.asyncDispose, 'kill'] as const) {
      const server = startServer(node, ['-e', SERVE]);
      await untilReady(server, 'it', async () => server.output() || undefined);
      await server[end]();
      expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
    }
  });

  it('that ends before it is ready is reported with its last words', async () => {
    const server = startServer(node, ['-e', `console.error('no such flag'); process.exit(1)`]);
    await expect(untilReady(server, 'it', async () => undefined)).rejects.toThrow(/it ended:\nno such flag/);
  });

  it('that the machine lacks is no error, and told how to get', () => {
    expect(findProgram('no-such-server', /x/)).toBeUndefined();
    expect(adviceFor({ nats: undefined, etcd: node })).toEqual([
      expect.stringContaining('apt-get install nats-server'),
    ]);
  });
});

describe('a folder', () => {
  it('goes with all that is in it', async () => {
    const folder = await createFolder();
    await writeFile(join(folder.path, 'file'), 'text');
    await folder[Symbol.asyncDispose]();
    expect(existsSync(folder.path)).toBe(false);
  });
});
