import { createWorld } from '@mosaik/testing';
import { expect, it } from 'vitest';
import { Holds } from '../../src/catch-up/holds.ts';
import type { LogIndex } from '../../src/raft/types.ts';

it('entries are kept after the lowest index that was asked for in the last minute', async () => {
  const world = createWorld({ seed: 1 });
  await world.run(async () => {
    const holds = new Holds(world.runtime);
    const seen: (number | undefined)[] = [];
    const ask = (after: number): void => {
      holds.asked(after as LogIndex);
      seen.push(holds.after);
    };
    ask(500);
    await world.sleep(20_000);
    ask(900);
    await world.sleep(20_000);
    ask(700);
    await world.sleep(21_000);
    // The first is forgotten by now; the second was while it was not the lowest.
    ask(2_000);
    await world.sleep(59_000);
    seen.push(holds.after);
    await world.sleep(2_000);
    seen.push(holds.after);
    expect(seen).toEqual([500, 500, 500, 700, 2_000, undefined]);
  });
});

/** A dumb second implementation: all that was asked for, with when. */
it('is what remembering all questions would say, give or take a second', async () => {
  const world = createWorld({ seed: 2 });
  await world.run(async () => {
    const holds = new Holds(world.runtime);
    const asked: { after: number; atMs: number }[] = [];
    const lowest = (sinceMs: number): number =>
      Math.min(...asked.filter(({ atMs }) => atMs >= sinceMs).map(({ after }) => after));
    for (let turn = 0; turn < 2_000; turn++) {
      await world.sleep(world.runtime.random() * 200);
      const after = Math.floor(300 + turn * 10 - 300 * world.runtime.random());
      holds.asked(after as LogIndex);
      asked.push({ after, atMs: world.now });
      expect(holds.after).toBeGreaterThanOrEqual(lowest(world.now - 60_000));
      expect(holds.after).toBeLessThanOrEqual(lowest(world.now - 59_000));
    }
  });
});
