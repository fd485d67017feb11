import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createWorld } from '../src/index.ts';
import { type Outcome, runScenario } from './support/scenario.ts';

const program = fileURLToPath(new URL('./programs/scenario.ts', import.meta.url));

async function inAnotherProcess(seed: string): Promise<Pick<Outcome, 'hash' | 'events' | 'replies'>> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, seed]);
  return JSON.parse(stdout);
}

describe('determinism', () => {
  it('gives the same trace for the same seed, twice in one process', async () => {
    const [one, two] = [await runScenario('d1', true), await runScenario('d1', true)];
    expect(two.lines).toEqual(one.lines);
    expect(two).toEqual(one);
    expect(one.replies).toBeGreaterThan(100);
    expect(one.events).toBeGreaterThan(5_000);
  });

  it('gives the same trace for the same seed in two processes', { timeout: 30_000 }, async () => {
    const { hash, events, replies } = await runScenario('d2');
    const others = await Promise.all([inAnotherProcess('d2'), inAnotherProcess('d2')]);
    for (const other of others) expect(other).toEqual({ hash, events, replies });
  });

  it('gives another trace for another seed', async () => {
    const hashes = new Set<string>();
    for (let seed = 0; seed < 8; seed++) hashes.add((await runScenario(seed)).hash);
    expect(hashes.size).toBe(8);
  });

  it('does not depend on whether lines are recorded', async () => {
    expect((await runScenario('d3', true)).hash).toBe((await runScenario('d3')).hash);
  });
});

describe('trace', () => {
  it('records lines when asked, the newest ones', async () => {
    const world = createWorld({ seed: 1, trace: 10 });
    await world.run(async () => {
      for (let n = 0; n < 100; n++) await world.sleep(1);
    });
    expect(world.trace.lines).toHaveLength(10);
    expect(world.trace.lines.at(-1)).toBe('100.000 world timer');
    expect(createWorld().trace.lines).toEqual([]);
  });

  it('differs as soon as anything does', async () => {
    const hashOf = async (delayMs: number): Promise<string> => {
      const world = createWorld({ seed: 1 });
      await world.run(() => world.sleep(delayMs));
      return world.trace.hash();
    };
    expect(await hashOf(10)).toMatch(/^[0-9a-f]{16}$/);
    expect(await hashOf(10)).toBe(await hashOf(10));
    expect(await hashOf(10)).not.toBe(await hashOf(10.000001));
  });
});
