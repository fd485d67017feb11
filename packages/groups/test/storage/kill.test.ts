import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { groupId, randomInt, systemRuntime } from '@mosaik/primitives';
import { createWorld } from '@mosaik/testing';
import { eachSeed } from '@mosaik/testing/seeds';
import { describe, expect, it } from 'vitest';
import type { Entry, LogIndex } from '../../src/raft/types.ts';
import { sqlite } from '../../src/sqlite/index.ts';
import { DEEDS, type KillPoint, MAKE_POINTS, OPEN_POINTS, WRITE_POINTS } from '../../src/sqlite/points.ts';
import { StorageDamagedError } from '../../src/storage/errors.ts';
import type { LogStorage } from '../../src/storage/storage.ts';
import { chunksAt, entryAt } from '../programs/ledger.ts';

const PROGRAM = new URL('../programs/log-writer.ts', import.meta.url).pathname;
const ASIDER = new URL('../programs/log-asider.ts', import.meta.url).pathname;
const isLong = process.env['MOSAIK_SIM'] === 'long';
const ITERATIONS = isLong ? 20 : 8;

/** What a writer has said before it was killed. */
interface Said {
  readonly term: number;
  readonly lastEntry: number;
  readonly snapshot: number;
  readonly pruned: number;
  readonly opened: number | undefined;
  readonly truncated: number | undefined;
}

/** Runs a writer until it is killed: at a point of a write, or by us after some lines. */
async function runWriter(
  path: string,
  life: number,
  kill: KillPoint | { readonly afterLines: number },
): Promise<Said> {
  const point = 'point' in kill ? [kill.point, String(kill.visit)] : [];
  if ('point' in kill && kill.deed !== undefined) point.push(kill.deed);
  const child = spawn(process.execPath, [PROGRAM, path, String(life), ...point], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
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
  const lines = text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(' ') as [string, string]);
  const last = (what: string): number | undefined => {
    const found = lines.findLast(([kind]) => kind === what)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  return {
    term: last('term') ?? 0,
    lastEntry: last('entry') ?? 0,
    snapshot: last('snapshot') ?? 0,
    pruned: last('pruned') ?? 0,
    opened: last('opened'),
    truncated: last('truncating'),
  };
}

/** What must be there, by all that was said so far. */
class Expected {
  #life = -1;
  #term = 0;
  #snapshot = 0;
  #pruned = 0;
  #last = 0;
  /** The life that wrote each entry that was acknowledged. */
  readonly #lives = new Map<number, number>();

  /** Takes in what a life has said, which found the log up to `foundLast`. */
  hear(life: number, said: Said, foundLast: number): void {
    this.#life = life;
    this.#term = Math.max(this.#term, said.term);
    this.#snapshot = Math.max(this.#snapshot, said.snapshot);
    this.#pruned = Math.max(this.#pruned, said.pruned);
    if (said.lastEntry === 0) return;
    for (let index = said.truncated ?? foundLast + 1; index <= said.lastEntry; index++)
      this.#lives.set(index, life);
    this.#last = said.lastEntry;
  }

  async check(log: LogStorage, truncating: number | undefined): Promise<void> {
    const { hardState, last, snapshot, base } = log.recovered;
    expect(hardState.term).toBeGreaterThanOrEqual(this.#term);
    expect(hardState.term).toBeLessThanOrEqual(this.#life + 1);
    expect(hardState.vote).toBe(hardState.term === 0 ? undefined : `voter-${hardState.term - 1}`);
    expect(base.index).toBeGreaterThanOrEqual(this.#pruned);
    expect(snapshot?.index ?? 0).toBeGreaterThanOrEqual(this.#snapshot);
    // A truncation that was not acknowledged may have happened: it takes back what was acknowledged before it.
    expect(last.index).toBeGreaterThanOrEqual(Math.min(this.#last, truncating ?? this.#last));
    await this.#checkEntries(log);
    await checkSnapshot(log);
  }

  async #checkEntries(log: LogStorage): Promise<void> {
    const { base, last } = log.recovered;
    let next = base.index + 1;
    while (next <= last.index) {
      const entries = await log.read({ from: next as LogIndex, to: last.index });
      for (const entry of entries) this.#checkEntry(entry, next++);
    }
  }

  #checkEntry(entry: Entry, index: number): void {
    const life = entry.term - 1;
    expect(entry).toEqual(entryAt(index, life));
    expect(life).toBeGreaterThanOrEqual(this.#lives.get(index) ?? 0);
  }
}

async function checkSnapshot(log: LogStorage): Promise<void> {
  await using reader = await log.openSnapshot();
  if (reader === undefined) return;
  expect(await Array.fromAsync(reader.chunks())).toEqual(chunksAt(reader.meta.index));
}

async function killAgainAndAgain(
  kills: readonly (KillPoint | { readonly afterLines: number })[],
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mosaik-kill-'));
  const path = join(folder, 'log.db');
  const expected = new Expected();
  let foundLast = 0;
  let incarnation: string | undefined;
  try {
    for (const [life, kill] of kills.entries()) {
      const said = await runWriter(path, life, kill);
      if (said.opened !== undefined) expect(said.opened).toBe(foundLast);
      expected.hear(life, said, foundLast);
      await using log = await sqlite(path).open({ group: groupId('killed'), runtime: systemRuntime });
      if (said.opened !== undefined || life > 0) incarnation ??= log.incarnation;
      if (incarnation !== undefined) expect(log.incarnation).toBe(incarnation);
      await expected.check(log, said.truncated);
      foundLast = log.recovered.last.index;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('kill -9 of a process that writes', () => {
  it('at any moment leaves a log with all that was acknowledged', { timeout: 300_000 }, () =>
    eachSeed({ count: 1, long: 10 }, async (seed) => {
      const { runtime } = createWorld({ seed: `kill ${seed}` });
      await killAgainAndAgain(
        Array.from({ length: ITERATIONS }, () => ({ afterLines: 1 + randomInt(runtime, 150) })),
      );
    }),
  );

  it.each(WRITE_POINTS)('right when it is %s leaves one, too', { timeout: 300_000 }, async (point) => {
    const visits = isLong ? [1, 2, 3, 5, 7, 11, 19, 30, 44, 61] : [1, 4, 30];
    await killAgainAndAgain(visits.map((visit) => ({ point, visit })));
  });

  // There has to be something to truncate, and to replace.
  it.each(DEEDS)('in a transaction that is to %s leaves one, too', { timeout: 300_000 }, async (deed) => {
    const points = isLong ? WRITE_POINTS : (['written', 'committed'] as const);
    const visits = deed === 'truncate' || !isLong ? [1] : [1, 2, 7];
    const kills = points.flatMap((point) => visits.map((visit) => ({ point, visit, deed })));
    await killAgainAndAgain([{ afterLines: 70 }, ...kills]);
  });

  it.each(MAKE_POINTS)('that makes a log, right when it is %s, leaves none', { timeout: 60_000 }, (point) =>
    killAgainAndAgain([{ point, visit: 1 }, { afterLines: 20 }]),
  );

  it.each(OPEN_POINTS)(
    'that opens a log, right when it is %s, changes nothing',
    { timeout: 60_000 },
    (point) =>
      // The second time there is something to clean up.
      killAgainAndAgain([
        { point, visit: 1 },
        { point: 'written', visit: 3, deed: 'commit' },
        { point, visit: 1 },
        { afterLines: 20 },
      ]),
  );
});

describe('kill -9 of a process that puts a log aside', () => {
  it.each([1, 2, 3])(
    'after %d of its files leaves it, or room for another',
    { timeout: 60_000 },
    async (visit) => {
      const folder = mkdtempSync(join(tmpdir(), 'mosaik-kill-'));
      const path = join(folder, 'log.db');
      try {
        await runWriter(path, 0, { afterLines: 60 });
        const before = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
        const child = spawn(process.execPath, [ASIDER, path, String(visit)], { stdio: 'inherit' });
        expect(await new Promise((resolve) => child.on('close', (_code, by) => resolve(by)))).toBe('SIGKILL');
        const open = () => sqlite(path).open({ group: groupId('killed'), runtime: systemRuntime });
        // What is left of it is never taken for a log, and nothing is lost of what was put aside.
        if (visit < 3) await expect(open()).rejects.toBeInstanceOf(StorageDamagedError);
        await sqlite(path).setAside('damaged');
        await using log = await open();
        expect(log.recovered).toMatchObject({ hardState: { term: 0 }, last: { index: 0 } });
        const after = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
        for (const file of before) expect(after.some((kept) => kept.equals(file))).toBe(true);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});
