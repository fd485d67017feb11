import type { World } from '@mosaik/testing';
import { describe, expect, it } from 'vitest';
import { inWorld } from '../support/world.ts';
import { describe as describeNodes, isFormed, leaderOf, type Node, startCluster } from './cluster.ts';

const ELECTION_TIMEOUT_MS = 600;
/** A second try begins up to three quarters of an election timeout after the first; the rest is for the votes. */
const TRY_WITHIN_MS = 500;
/** Longer than the times differ that the two wait before they stand: 0.15 to 0.45 of an election timeout. */
const ON_THE_WAY_MS = 185;
const SEEDS = 20;

interface Split {
  readonly term: number;
  /** When the first of the two stood. */
  readonly atMs: number;
}

/** Kills the leader of three. The others hear of each other so late that both stand, and each votes for itself. */
async function splitVote(world: World): Promise<{ split: Split; rest: Node[] }> {
  const consensus = { electionTimeoutMs: ELECTION_TIMEOUT_MS };
  const nodes = await startCluster(world, 3, { consensus });
  await world.until(() => isFormed(nodes, 3), { withinMs: 10_000 });
  const leader = leaderOf(nodes) as Node;
  const rest = nodes.filter((node) => node !== leader);
  const [a, b] = rest as [Node, Node];
  const { term: before } = leader.group.stats;
  const slow = world.faults.slow(a.host, b.host, { latencyMs: ON_THE_WAY_MS });
  leader.host.crash({ mode: 'kill' });
  const term = before + 1;
  const hasTerm = ({ group }: Node): boolean => group.stats.term === term;
  await world.until(() => rest.some(hasTerm), { withinMs: 5_000, everyMs: 1 });
  const split = { term, atMs: world.now };
  // Sooner than anybody can have heard of the other's term: it has stood, too.
  await world.until(() => rest.every(hasTerm), { withinMs: ON_THE_WAY_MS, everyMs: 1 });
  slow.heal();
  return { split, rest };
}

describe('a vote that is split', () => {
  // Without `SecondTries` it takes from 590 to 1,053 ms, half of them more than 750.
  it('is tried again soon, and somebody leads well before another election timeout', async () => {
    const tookMs: number[] = [];
    for (let seed = 1; seed <= SEEDS; seed++)
      await inWorld({ seed: `split ${seed}` }, async (world) => {
        const { split, rest } = await splitVote(world);
        await world.until(() => leaderOf(rest) !== undefined, { withinMs: 5_000, everyMs: 1 });
        const took = world.now - split.atMs;
        tookMs.push(took);
        const term = leaderOf(rest)?.group.stats.term ?? 0;
        // Second tries, too, may be split, one time in a hundred; then there is another.
        expect(took, describeNodes(rest)).toBeLessThan(TRY_WITHIN_MS * (term - split.term));
      });
    const sorted = tookMs.map(Math.round).sort((x, y) => x - y);
    console.log(`led after ${sorted.join(', ')} ms`);
    expect(sorted[SEEDS / 2]).toBeLessThan(ELECTION_TIMEOUT_MS / 2);
  });
});
