import type { World } from '@mosaik/testing';
import { describe, expect, it } from 'vitest';
import type { GroupReason } from '../../src/group.ts';
import { inWorld } from '../support/world.ts';
import { isFormed, leaderOf, type Node, type NodeOptions, startCluster, startNode } from './cluster.ts';

async function formed(world: World, count: number, options: NodeOptions = {}): Promise<[Node, ...Node[]]> {
  const nodes = await startCluster(world, count, options);
  await world.until(() => isFormed(nodes, count), { withinMs: 10_000 });
  const leader = leaderOf(nodes) as Node;
  return [leader, ...nodes.filter((node) => node !== leader)];
}

/** Waits until a member gives this reason; tells how it does. */
async function reasonOf(world: World, { group }: Node, code: GroupReason['code']): Promise<GroupReason> {
  await world.until(() => group.why().code === code, { withinMs: 20_000, everyMs: 1 });
  return group.why();
}

/** By the wall clock of the member, which is what people read. */
function nowAt({ transport }: Node): number {
  return transport.runtime.wallNow();
}

function expectSince({ sinceMs }: GroupReason, { from, to }: { from: number; to: number }): void {
  expect(sinceMs).toBeGreaterThanOrEqual(Math.floor(from));
  expect(sinceMs).toBeLessThanOrEqual(Math.ceil(to));
}

describe('why a group does not work', () => {
  it('is nothing while it does', () =>
    inWorld({ seed: 1 }, async (world) => {
      const [leader] = await formed(world, 1);
      expect(leader.group.why()).toEqual({
        code: 'ok',
        text: 'the group works',
        remedy: '',
        sinceMs: undefined,
      });
    }));

  it('is that the leader is gone, then that another is elected, each since it is so; offline is met meanwhile', () =>
    inWorld({ seed: 2 }, async (world) => {
      const [leader, follower] = (await formed(world, 3)) as [Node, Node, Node];
      await world.sleep(1_000);
      expect(follower.group.when().offline().isMet).toBe(false);
      const offline = follower.group.when().offline().wait();
      const killedAtMs = nowAt(follower);
      leader.host.crash({ mode: 'kill' });
      const unreachable = await reasonOf(world, follower, 'leaderUnreachable');
      await offline;
      expect(unreachable.text).toMatch(/ leads, and there is no bond with it \(for \d\.\d s\)$/);
      expectSince(unreachable, { from: killedAtMs, to: nowAt(follower) });
      // It stands when its patience ends; the leader is one until then.
      await world.sleep(20);
      expect(follower.group.why().sinceMs).toBe(unreachable.sinceMs);
      expect(follower.group.when().online().isMet).toBe(false);
      const stoodFromMs = nowAt(follower);
      const electing = await reasonOf(world, follower, 'electing');
      expect(electing.text).toBe('no leader is known (for 0.0 s)');
      expectSince(electing, { from: stoodFromMs, to: nowAt(follower) });
      await follower.group.when().online();
      await follower.group.when().offline().unmet();
      expect(follower.group.why().code).toBe('ok');
    }));

  it('is a lost quorum, since the voter was gone that it cannot do without', () =>
    inWorld({ seed: 3 }, async (world) => {
      const consensus = { demoteAfterMs: 60_000 };
      const [leader, first, second] = (await formed(world, 3, { consensus })) as [Node, Node, Node];
      first.host.crash({ mode: 'kill' });
      await world.sleep(2_000);
      expect(leader.group.why().code).toBe('ok');
      const crashedAtMs = nowAt(leader);
      second.host.crash({ mode: 'kill' });
      const { sinceMs } = await reasonOf(world, leader, 'noQuorum');
      expectSince({ sinceMs } as GroupReason, { from: crashedAtMs, to: crashedAtMs + 10 });
      await world.sleep(90_000);
      const later = leader.group.why();
      expect(later.sinceMs).toBe(sinceMs);
      expect(later.text).toMatch(/^2 of 3 voters unreachable: \w+, \w+ \(for 1 min\)$/);
    }));

  it('is that this member lags, since it began to pull', () =>
    inWorld({ seed: 4 }, async (world) => {
      const consensus = { retainBytes: 100, snapshotEvery: 50, retainEntries: 10, retainPulledEntries: 0 };
      const [leader] = await formed(world, 1, { consensus });
      const commands = Array.from({ length: 5_000 }, (_, value) => ({
        put: `${'k'.repeat(90)}${value}`,
        value,
      }));
      await leader.group.executeMany(commands);
      for (let value = 0; value < 50; value++) await leader.group.execute({ put: 'x', value });
      world.faults.slow(world.host('late'), leader.host, { bytesPerSecond: 200_000 });
      const late = await startNode(world, 'late', { bootstrap: [`sim://${leader.host.name}`], consensus });
      const startedAtMs = nowAt(late);
      const lagging = await reasonOf(world, late, 'catchingUp');
      expect(lagging.text).toMatch(/^catching up: applied 0, committed at least \d+ \(for 0\.\d s\)$/);
      expectSince(lagging, { from: startedAtMs, to: nowAt(late) });
      await world.sleep(500);
      expect(late.group.why()).toMatchObject({ code: 'catchingUp', sinceMs: lagging.sinceMs });
      await reasonOf(world, late, 'ok');
    }));

  it('is that it is not founded, since this member began to look', () =>
    inWorld({ seed: 5 }, async (world) => {
      const node = await startNode(world, 'n0', { consensus: { founders: 3 } });
      const startedAtMs = nowAt(node);
      await world.sleep(5_000);
      const founding = node.group.why();
      expect(founding).toMatchObject({
        code: 'founding',
        text: 'founding takes a majority of 3 members, 0 other members bonded (for 5.0 s)',
      });
      expectSince(founding, { from: startedAtMs - 10, to: startedAtMs });
    }));

  it('is that too few founders are among those that are there', () =>
    inWorld({ seed: 7 }, async (world) => {
      const consensus = { founders: 3 };
      const node = await startNode(world, 'n0', { consensus });
      for (const name of ['n1', 'n2'])
        await startNode(world, name, { bootstrap: ['sim://n0'], consensus, leadership: 'observer' });
      await world.sleep(5_000);
      expect(node.group.why()).toMatchObject({
        code: 'founding',
        text: 'founding takes a majority of 3 members, 2 other members bonded, of which 2 only observe and do not count (for 5.0 s)',
        remedy: 'start more members that may vote, or look why they are not bonded',
      });
    }));

  it('is that this member has left, since it did', () =>
    inWorld({ seed: 6 }, async (world) => {
      const [leader] = await formed(world, 1);
      await world.sleep(1_000);
      await leader.group.close();
      const closedAtMs = nowAt(leader);
      await world.sleep(2_000);
      const closed = leader.group.why();
      expect(closed).toMatchObject({ code: 'closed', text: 'this member has left the group (for 2.0 s)' });
      expectSince(closed, { from: closedAtMs - 10, to: closedAtMs });
    }));
});
