import type { World } from '@mosaik/testing';
import { describe, expect, it } from 'vitest';
import { peerOf } from '../../src/wire/member.ts';
import { inWorld } from '../support/world.ts';
import { isFormed, leaderOf, type Node, startCluster, startNode } from './cluster.ts';

/** Leaves a group of one at a chosen moment of having come to it; the group has to go on. */
async function comeAndGo(
  world: World,
  untilMoment: (first: Node, guest: Node) => Promise<void>,
): Promise<void> {
  const first = await startNode(world, 'n0');
  await world.until(() => isFormed([first], 1));
  await first.group.execute({ put: 'x', value: 1 });
  const guest = await startNode(world, 'guest', { bootstrap: ['sim://n0'] });
  await untilMoment(first, guest);
  await guest.close();
  await world.until(() => first.group.stats.voters.length === 1, { withinMs: 10_000 });
  const { result } = await first.group.query({ get: 'x' }, 'strong');
  expect(result.entries[0]?.value).toBe(1);
  await first.group.execute({ put: 'y', value: 2 });
}

describe('a member that comes and goes again at once', () => {
  it.each([1, 2, 3, 4, 5])(
    'leaves a group that goes on when it is just being made a voter (seed %i)',
    (seed) =>
      inWorld({ seed }, (world) =>
        // The leader counts it as a voter as soon as that is in its log; the guest has not heard of it yet.
        comeAndGo(world, (first) =>
          world.until(() => first.group.stats.voters.length === 2, { everyMs: 0.05 }),
        ),
      ).then(() => {}),
  );

  it.each([0, 100, 200, 300, 400, 500, 700, 900])('leaves a group that goes on after %i ms', (stayMs) =>
    inWorld({ seed: stayMs + 1 }, (world) =>
      comeAndGo(world, async (_, guest) => {
        await world.until(() => guest.group.stats.leader !== undefined);
        await world.sleep(stayMs);
      }),
    ).then(() => {}),
  );
});

/** Three members, the leader first, and whoever it is cut off from. */
async function cutOff(world: World): Promise<readonly [Node, ...Node[]]> {
  const nodes = await startCluster(world, 3);
  await world.until(() => isFormed(nodes, 3), { withinMs: 10_000 });
  const leader = leaderOf(nodes) as Node;
  const others = nodes.filter((node) => node !== leader);
  await leader.group.execute({ put: 'y', value: 1 });
  world.faults.isolate(leader.host);
  return [leader, ...others];
}

describe('a member that leaves', () => {
  it('tells whoever waits for what will not be any more', () =>
    inWorld({ seed: 4 }, async (world) => {
      const [first] = await startCluster(world, 1);
      const { group } = first as Node;
      await group.when().leaderElected();
      const { offline, isFollower, committed } = group.when();
      const waiting = [isFollower(), committed().reaches(1_000)].map((condition) => condition.wait());
      const told = Promise.allSettled(waiting);
      const follower = Array.fromAsync(isFollower());
      await group.close();
      const closed = { reason: { code: 'ERR_GROUP_CLOSED' } };
      expect(await told).toMatchObject([closed, closed]);
      expect(await follower).toEqual([false]);
      await expect(isFollower().wait()).rejects.toMatchObject(closed.reason);
      expect(offline().ended).toMatchObject(closed.reason);
    }).then(() => {}));

  it('waits for others that do not answer, as long as it has bonds with them', () =>
    inWorld({ seed: 1 }, async (world) => {
      const [leader] = await cutOff(world);
      const sinceMs = world.now;
      await leader.group.close();
      expect(world.now - sinceMs).toBeGreaterThan(1_000);
    }));

  it.each([
    ['the group', (node: Node, signal: AbortSignal) => node.group.close({ signal })],
    ['all groups', (node: Node, signal: AbortSignal) => node.groups.close({ signal })],
    [
      'what is being closed already',
      async (node: Node, signal: AbortSignal) => {
        await Promise.all([node.group.close(), node.group.close({ signal })]);
      },
    ],
    [
      'groups that are being closed already',
      async (node: Node, signal: AbortSignal) => {
        await Promise.all([node.groups.close(), node.groups.close({ signal })]);
      },
    ],
  ])('waits no longer than its signal lets it, closing %s', (_, close) =>
    inWorld({ seed: 2 }, async (world) => {
      const [leader] = await cutOff(world);
      const waiting = leader.group.execute({ put: 'x', value: 1 }).catch((error: unknown) => error);
      await world.sleep(10);
      const sinceMs = world.now;
      const limit = new AbortController();
      const closing = close(leader, limit.signal);
      await world.sleep(200);
      limit.abort();
      await closing;
      expect(world.now - sinceMs).toBeLessThan(250);
      expect(await waiting).toMatchObject({ code: 'ERR_GROUP_CLOSED', unknown: [{ put: 'x', value: 1 }] });
      expect(leader.group.why().code).toBe('closed');
    }),
  );

  it('at once is missed sooner than one that is silent, leader or not, and the others go on', () =>
    inWorld({ seed: 3 }, async (world) => {
      const nodes = await startCluster(world, 3);
      await world.until(() => isFormed(nodes, 3), { withinMs: 10_000 });
      const leader = leaderOf(nodes) as Node;
      const others = nodes.filter((node) => node !== leader);
      const [other] = others as [Node];
      const sinceMs = world.now;
      await leader.group.close({ signal: AbortSignal.abort() });
      expect(world.now - sinceMs).toBeLessThan(5);
      await other.group.execute({ put: 'x', value: 1 });
      // Sooner than the silence that an election takes otherwise.
      expect(world.now - sinceMs).toBeLessThan(500);
      const voters = (): readonly unknown[] => other.group.stats.voters.map(peerOf);
      await world.until(() => !voters().includes(leader.peer), { withinMs: 10_000 });
    }));

  it('at once leaves nothing in the log: a farewell that it does not wait for would be a session that nobody ends', () =>
    inWorld({ seed: 4 }, async (world) => {
      const nodes = await startCluster(world, 3);
      await world.until(() => isFormed(nodes, 3), { withinMs: 10_000 });
      const leader = leaderOf(nodes) as Node;
      const [leaving] = nodes.filter((node) => node !== leader) as [Node];
      const { lastIndex } = leader.group.stats.log;
      await leaving.group.close({ signal: AbortSignal.abort() });
      await world.until(() => leader.group.stats.bonds === 1);
      expect(leader.group.stats.log.lastIndex).toBe(lastIndex);
    }));
});
