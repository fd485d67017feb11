import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sqlite } from '@mosaik/groups/sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type LocalNode, startLocalNode } from '../support/in-process.ts';

/** Small, so that there are some. */
const SNAPSHOTS = { snapshotEvery: 10 };

let folder: string;
const nodes: LocalNode[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mosaik-damage-'));
});

afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.close()));
  await rm(folder, { recursive: true });
});

async function start(name: string): Promise<LocalNode> {
  const node = await startLocalNode(name, nodes);
  nodes.push(node);
  return node;
}

/** As a disk does it: neither SQLite nor the log's own marks can tell. */
function damageLastChunk(path: string): number {
  const database = new DatabaseSync(path);
  const { key, bytes } = database
    .prepare('SELECT key, bytes FROM chunks ORDER BY key DESC LIMIT 1')
    .get() as {
    key: number;
    bytes: Uint8Array;
  };
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 4;
  database.prepare('UPDATE chunks SET bytes = ? WHERE key = ?').run(bytes, key);
  const { count } = database.prepare('SELECT count(*) AS count FROM chunks').get() as { count: number };
  database.close();
  return count;
}

it('a log in a file with a damaged chunk is put aside when its group is joined, and the others give what it held', {
  timeout: 60_000,
}, async () => {
  const path = join(folder, 'log.db');
  const others = [await (await start('first')).join(undefined, SNAPSHOTS)];
  others.push(await (await start('second')).join(undefined, SNAPSHOTS));
  const third = await start('third');
  const group = await third.join(sqlite(path), SNAPSHOTS);
  await group.when().online();
  for (let put = 0; put < 30; put++) await group.execute({ put: `${put}`, value: 'v'.repeat(50_000) });
  const { member } = group.stats;
  await group.close();
  // The history is in the first; damage there has always been found.
  expect(damageLastChunk(path)).toBeGreaterThan(2);
  const back = await third.join(sqlite(path), SNAPSHOTS);
  expect(back.stats.damagedLog).toBe(`${path}.damaged-1`);
  expect(back.stats.member).not.toBe(member);
  await back.when().online();
  expect(await back.query({ get: '29' }, 'strong')).toMatchObject({
    result: { entries: [{ key: '29', value: 'v'.repeat(50_000) }] },
  });
  expect(others.map(({ stats }) => stats.damagedLog)).toEqual([undefined, undefined]);
});
