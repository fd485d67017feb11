import type { World } from '@mosaik/testing';
import { describe, expect, it } from 'vitest';
import { createGroupsWith } from '../../src/groups.ts';
import { Counter } from '../../src/machine/index.ts';
import { inWorld, startBase } from '../support/world.ts';
import {
  describe as describeNodes,
  isFormed,
  leaderOf,
  type Node,
  type NodeOptions,
  startCluster,
  startNode,
} from './cluster.ts';

/** Nothing but events ends a rest here. */
const RULES = { quiescence: { restMs: Number.POSITIVE_INFINITY } };
const ELECTION_TIMEOUT_MS = 600;
/** Until a group that has nothing to do rests: a second, and what it takes to notice. */
const TO_REST_MS = 3_000;

interface Resting {
  readonly nodes: readonly Node[];
  readonly leader: Node;
  readonly followers: readonly [Node, ...Node[]];
}

function isResting(nodes: readonly Node[]): boolean {
  return nodes.every(({ group }) => group.stats.isResting);
}

async function untilTrue(
  world: World,
  nodes: readonly Node[],
  check: () => boolean,
  withinMs = 10_000,
): Promise<void> {
  await world.until(check, { withinMs }).catch((error) => {
    throw new Error(`${error.message}\n${describeNodes(nodes)}`);
  });
}

/** A group that rests. */
async function resting(world: World, count: number, options: NodeOptions = {}): Promise<Resting> {
  const nodes = await startCluster(world, count, { rules: RULES, ...options });
  const voters = count > 2 && count % 2 === 0 ? count - 1 : Math.min(count, 5);
  await untilTrue(world, nodes, () => isFormed(nodes, voters));
  await (nodes[0] as Node).group.execute({ put: 'x', value: 1 });
  await untilTrue(world, nodes, () => isResting(nodes), TO_REST_MS);
  const leader = leaderOf(nodes) as Node;
  return { nodes, leader, followers: nodes.filter((node) => node !== leader) as [Node, ...Node[]] };
}

describe('a group that has nothing to do', () => {
  it.each([1, 2, 3, 4, 5, 7])('rests, with %d members, and goes on when asked', (count) =>
    inWorld({ seed: count }, async (world) => {
      const { nodes } = await resting(world, count);
      await world.sleep(60_000);
      expect(isResting(nodes)).toBe(true);
      for (const [value, { group }] of nodes.entries()) {
        const startedAtMs = world.now;
        await group.execute({ put: 'y', value });
        // Nothing has to wake up first: what is asked travels at once.
        expect(world.now - startedAtMs).toBeLessThan(50);
        expect((await group.query({ get: 'y' }, 'strong')).result.entries[0]?.value).toBe(value);
        await untilTrue(world, nodes, () => isResting(nodes), TO_REST_MS);
      }
    }),
  );

  it('costs no packet, however many there are', async () => {
    const packetsWith = async (groupCount: number): Promise<number> => {
      let packets = 0;
      await inWorld({ seed: 10 }, async (world) => {
        const stats = await joinMany(world, groupCount);
        await world.until(() => stats().every(({ isResting }) => isResting), { withinMs: 10_000 });
        const before = world.stats.packets;
        await world.sleep(60_000);
        packets = world.stats.packets - before;
        expect(stats().every(({ isResting }) => isResting)).toBe(true);
      });
      return packets;
    };
    const [one, many] = [await packetsWith(1), await packetsWith(30)];
    expect(Math.abs(many - one)).toBeLessThan(one * 0.05);
  });

  it('is looked after from time to time, also without an event', () =>
    inWorld({ seed: 11 }, async (world) => {
      const { nodes } = await resting(world, 3, { rules: { quiescence: { restMs: 2_000 } } });
      const wokeAtMs: number[] = [];
      for (let ms = 0; ms < 30_000; ms += 50) {
        await world.sleep(50);
        if (!isResting(nodes)) wokeAtMs.push(world.now);
      }
      // A look takes less than a second: a heartbeat, its answers, and rest.
      expect(wokeAtMs.length).toBeGreaterThan(10);
      expect(wokeAtMs.length).toBeLessThan(300);
      expect(Math.max(...nodes.map(({ group }) => group.stats.leaderChanges))).toBe(1);
    }));

  it('does not rest with an election timeout that is shorter than silence takes to show', () =>
    inWorld({ seed: 12 }, async (world) => {
      const consensus = { heartbeatMs: 100, electionTimeoutMs: 300 };
      const nodes = await startCluster(world, 3, { rules: RULES, consensus });
      await untilTrue(world, nodes, () => isFormed(nodes, 3));
      await world.sleep(10_000);
      expect(nodes.some(({ group }) => group.stats.isResting)).toBe(false);
    }));

  it('wakes for a member that comes, and rests with it', () =>
    inWorld({ seed: 13 }, async (world) => {
      const { nodes } = await resting(world, 3);
      const fourth = await startNode(world, 'n3', { bootstrap: ['sim://n0'], rules: RULES });
      const all = [...nodes, fourth];
      await untilTrue(world, all, () => isFormed(all, 3));
      await untilTrue(world, all, () => isResting(all), TO_REST_MS);
    }));

  it('wakes for a member that leaves, and rests without it', () =>
    inWorld({ seed: 14 }, async (world) => {
      const { nodes, leader } = await resting(world, 3);
      await leader.close();
      const rest = nodes.filter((node) => node !== leader);
      await untilTrue(world, rest, () => isFormed(rest, 2));
      await untilTrue(world, rest, () => isResting(rest), TO_REST_MS);
    }));
});

describe('a group that rests', () => {
  const within = 2 * ELECTION_TIMEOUT_MS;

  it.each(['kill', 'powerLoss'] as const)(
    'misses a leader that is gone by %s',
    async (mode) => {
      const recoveredAfterMs: number[] = [];
      for (let seed = 1; seed <= 20; seed++) {
        await inWorld({ seed: `resting ${mode} ${seed}` }, async (world) => {
          const { leader, followers } = await resting(world, 3);
          await world.sleep(world.runtime.random() * 1_000);
          leader.host.crash({ mode });
          const crashedAtMs = world.now;
          await untilTrue(world, followers, () => leaderOf(followers) !== undefined);
          await followers[0].group.execute({ put: 'x', value: 2 });
          recoveredAfterMs.push(world.now - crashedAtMs);
        });
      }
      const sorted = recoveredAfterMs.toSorted((a, b) => a - b);
      console.log(`by ${mode}, served again after ${sorted.map((ms) => ms.toFixed(0)).join(', ')} ms`);
      // Split votes take another round: most do not.
      expect(sorted[Math.floor(sorted.length * 0.7)]).toBeLessThan(within);
      expect(sorted.at(-1)).toBeLessThan(3 * within);
    },
    60_000,
  );

  it('misses a leader that stands still, and takes it back as a follower', () =>
    inWorld({ seed: 21 }, async (world) => {
      const { nodes, leader, followers } = await resting(world, 5);
      leader.host.stall(4_000);
      await untilTrue(world, followers, () => leaderOf(followers) !== undefined, 3 * within);
      await followers[0].group.execute({ put: 'x', value: 2 });
      await untilTrue(world, nodes, () => leaderOf(nodes) !== undefined && isFormed(nodes, 5));
      expect((await leader.group.query({ get: 'x' }, 'strong')).result.entries[0]?.value).toBe(2);
      await untilTrue(world, nodes, () => isResting(nodes), TO_REST_MS);
    }));

  it('is no leader any more when it is cut off, and answers no strong query', () =>
    inWorld({ seed: 22 }, async (world) => {
      const { nodes, leader, followers } = await resting(world, 3);
      const cut = world.faults.isolate(leader.host);
      const limit = new AbortController();
      const query = leader.group.query({ get: 'x' }, 'strong', { signal: limit.signal });
      let answer: unknown;
      query.then(
        ({ result }) => {
          answer = result.entries[0]?.value;
        },
        () => {},
      );
      await untilTrue(world, followers, () => leaderOf(followers) !== undefined, 3 * within);
      await followers[0].group.execute({ put: 'x', value: 2 });
      await untilTrue(world, nodes, () => leader.group.stats.role !== 'leader', 3 * within);
      expect(answer).toBeUndefined();
      cut.heal();
      await query;
      expect(answer).toBe(2);
    }));

  it('steps down in time when it is cut off while nobody asks for anything', () =>
    inWorld({ seed: 23 }, async (world) => {
      const { leader, followers, nodes } = await resting(world, 3);
      world.faults.isolate(leader.host);
      await untilTrue(world, nodes, () => leader.group.stats.role !== 'leader', within + 300);
      await untilTrue(world, followers, () => leaderOf(followers) !== undefined, 3 * within);
    }));

  it('gets a leader again when the leader is only heard, or only hears', async () => {
    for (const [name, isHeard] of [
      ['heard', true],
      ['hears', false],
    ] as const) {
      await inWorld({ seed: `only ${name}` }, async (world) => {
        const { leader, followers } = await resting(world, 3);
        const others = followers.map(({ host }) => host);
        if (isHeard) world.faults.oneWay(others, leader.host);
        else world.faults.oneWay(leader.host, others);
        await untilTrue(world, followers, () => {
          const now = leaderOf(followers);
          return now !== undefined && now !== leader;
        });
        await followers[0].group.execute({ put: 'x', value: 2 });
      });
    }
  });

  it('does not change its leader when two followers lose each other', () =>
    inWorld({ seed: 24 }, async (world) => {
      const { nodes, leader, followers } = await resting(world, 3);
      const [a, b] = followers as readonly [Node, Node];
      world.faults.partition([leader.host, a.host], [leader.host, b.host]);
      await world.sleep(10_000);
      expect(leaderOf(nodes)).toBe(leader);
      expect(Math.max(...nodes.map(({ group }) => group.stats.leaderChanges))).toBe(1);
      await b.group.execute({ put: 'x', value: 2 });
    }));

  it('goes on when a follower asks for an election that it cannot win', () =>
    inWorld({ seed: 25 }, async (world) => {
      const { nodes, leader, followers } = await resting(world, 3);
      const [a] = followers;
      const cut = world.faults.isolate(a.host);
      await world.sleep(1_500);
      await leader.group.execute({ put: 'x', value: 2 });
      cut.heal();
      await untilTrue(world, nodes, () => isFormed(nodes, 3) && isResting(nodes));
      expect((await a.group.query({ get: 'x' }, 'weak')).result.entries[0]?.value).toBe(2);
    }));

  it('hands leadership over when asked to', () =>
    inWorld({ seed: 26 }, async (world) => {
      const { nodes, leader } = await resting(world, 3);
      await leader.group.transferLeadership();
      await untilTrue(world, nodes, () => {
        const now = leaderOf(nodes);
        return now !== undefined && now !== leader;
      });
      await untilTrue(world, nodes, () => isResting(nodes), TO_REST_MS);
    }));

  it.each([true, false])('tells who it rests with that it wakes: %s', (saysAwake) =>
    inWorld({ seed: 28 }, async (world) => {
      const rules = { quiescence: { ...RULES.quiescence, saysAwake } };
      const { nodes, leader, followers } = await resting(world, 3, { rules });
      const [a, b] = followers as readonly [Node, Node];
      // Whom the leader hands over to does not reach the other follower, which only the old leader can tell.
      world.faults.partition([leader.host, a.host], [leader.host, b.host]);
      await world.until(() => b.group.stats.bonds === 1, { withinMs: 5_000 });
      await untilTrue(world, nodes, () => isResting([leader, b]));
      await leader.group.transferLeadership(a.peer);
      await world.sleep(5_000);
      const isMistaken = b.group.stats.leader === leader.peer;
      expect(isMistaken).toBe(!saysAwake);
    }),
  );

  it('gets another leader when its members do not accept the leader any more, though its node lives', () =>
    inWorld({ seed: 27 }, async (world) => {
      let banned = '';
      const { nodes, leader, followers } = await resting(world, 3, {
        join: { acceptIf: ({ peer }) => peer !== banned },
      });
      banned = leader.peer;
      await untilTrue(world, followers, () => {
        const now = leaderOf(followers);
        return now !== undefined && now !== leader;
      });
      await followers[0].group.execute({ put: 'x', value: 2 });
      expect(leaderOf(nodes)).not.toBe(leader);
    }));
});

/** Three nodes in as many groups as said; what they tell of them. */
async function joinMany(world: World, groupCount: number) {
  const joined: { readonly stats: { readonly isResting: boolean } }[] = [];
  for (const name of ['n0', 'n1', 'n2']) {
    const base = await startBase(world.host(name), name === 'n0' ? [] : ['sim://n0']);
    const groups = createGroupsWith({ ...base, rules: RULES });
    for (let index = 0; index < groupCount; index++)
      joined.push(await groups.join({ key: `many ${index}`, machine: Counter, consensus: { founders: 3 } }));
  }
  return () => joined.map(({ stats }) => stats);
}
