import { describe, expect, it } from 'vitest';
import { inWorld } from '../support/world.ts';
import { isFormed, leaderOf, startCluster } from './cluster.ts';

const LANES = 1_024;
const ROUNDS = 8;
/** So that a command has about 90 bytes. */
const KEY_LENGTH = 70;

describe('commands that follow one another', () => {
  it('stay many entries, so that one is applied while others are on their way', () =>
    inWorld({ seed: 'lanes' }, async (world) => {
      const nodes = await startCluster(world, 3);
      await world.until(() => isFormed(nodes, 3), { withinMs: 10_000 });
      const group = leaderOf(nodes)?.group;
      if (group === undefined) throw new Error('a group that has formed has a leader');
      const before = group.stats.log.lastIndex;
      const lane = async (key: string): Promise<void> => {
        for (let round = 0; round < ROUNDS; round++) await group.execute({ put: key, value: round });
      };
      await Promise.all(Array.from({ length: LANES }, (_, at) => lane(`${at}`.padEnd(KEY_LENGTH, '.'))));
      const entries = group.stats.log.lastIndex - before;
      // An entry of 16 KiB holds about 180 of them, or up to twice as many where runs of several sizes meet: far fewer
      // would cost too much each, and a thousand in one would make members take turns.
      const commandsEach = (LANES * ROUNDS) / entries;
      expect(commandsEach).toBeGreaterThan(90);
      expect(commandsEach).toBeLessThan(400);
    }));
});
