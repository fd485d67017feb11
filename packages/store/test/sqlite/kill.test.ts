import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { POINTS, type Point } from '../../src/sqlite/points.ts';
import { createPlace } from './place.ts';
import { FOLD, findDifference, MIRRORED, newLog, PRODUCER, STREAM, snapshotAt } from './programs/ledger.ts';

const PROGRAM = new URL('./programs/writer.ts', import.meta.url).pathname;
const ITERATIONS = process.env['MOSAIK_SIM'] === 'long' ? 200 : 6;

type Kill = { readonly point: Point; readonly visit: number } | { readonly afterLines: number };

/** Runs a writer until it is killed: at a point of a write, or by us after some lines. Returns what it has said. */
async function runWriter(path: string, kill: Kill): Promise<readonly string[]> {
  const point = 'point' in kill ? [kill.point, String(kill.visit)] : [];
  const child = spawn(process.execPath, [PROGRAM, path, ...point], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  let errors = '';
  child.stderr.on('data', (data: Buffer) => {
    errors += data;
  });
  child.stdout.on('data', (data: Buffer) => {
    text += data;
    if ('afterLines' in kill && text.split('\n').length > kill.afterLines) child.kill('SIGKILL');
  });
  const signal = await new Promise((resolve) => child.on('close', (_code, by) => resolve(by)));
  expect([errors, signal]).toEqual(['', 'SIGKILL']);
  return text.split('\n').slice(0, -1);
}

/** The last number that was said of something. */
function lastOf(lines: readonly string[], what: string): number | undefined {
  const line = lines.findLast((candidate) => candidate.startsWith(`${what} `));
  return line === undefined ? undefined : Number(line.split(' ')[1]);
}

async function killAgainAndAgain(kills: readonly Kill[]): Promise<void> {
  await using place = createPlace();
  const said: string[] = [];
  let found = 0;
  for (const kill of kills) {
    const lines = await runWriter(place.path, kill);
    const opened = lastOf(lines, 'opened');
    if (opened !== undefined) expect(opened).toBe(found);
    said.push(...lines);
    const store = place.open();
    const own = await store.openOwn(STREAM, PRODUCER, newLog);
    expect(own.identity.log).toBe(newLog());
    expect(own.extent.next).toBeGreaterThanOrEqual(lastOf(said, 'own') ?? 0);
    expect(own.extent.first).toBeGreaterThanOrEqual(lastOf(said, 'trimmed') ?? 0);
    expect(own.extent.first).toBeLessThanOrEqual(lastOf(said, 'trimming') ?? 0);
    expect(await findDifference(own)).toBeUndefined();
    const mirror = await store.openMirror(MIRRORED);
    expect(mirror.extent.next).toBeGreaterThanOrEqual(lastOf(said, 'mirror') ?? 0);
    expect(await findDifference(mirror, 1)).toBeUndefined();
    const snapshot = await store.loadSnapshot(FOLD);
    const [saved, saving] = [lastOf(said, 'saved'), lastOf(said, 'saving')];
    expect([saved, saving]).toContain(snapshot?.[0]);
    if (snapshot !== undefined) expect(Buffer.compare(snapshot, snapshotAt(snapshot[0] ?? 0))).toBe(0);
    found = own.extent.next;
    await store.close();
  }
}

describe('kill -9 of a process that writes', () => {
  it('at any moment leaves logs with all that was acknowledged, and no hole', {
    timeout: 600_000,
  }, async () => {
    await killAgainAndAgain(
      Array.from({ length: ITERATIONS }, () => ({ afterLines: 1 + Math.floor(Math.random() * 120) })),
    );
  });

  it.each(POINTS)('right when it is %s leaves them, too', { timeout: 300_000 }, async (point) => {
    const visits = { created: [1, 1], checkpointed: [1, 2, 5], swept: [1, 3, 10] };
    const all = point in visits ? visits[point as keyof typeof visits] : [1, 2, 7, 30];
    await killAgainAndAgain(all.map((visit) => ({ point, visit })));
  });
});
