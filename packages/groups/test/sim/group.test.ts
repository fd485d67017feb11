import type { World } from '@mosaik/testing';
import { describe, expect, it } from 'vitest';
import {
  CommandAbortedError,
  GroupClosedError,
  GroupOverloadedError,
  LeadershipError,
} from '../../src/errors.ts';
import { keyValue } from '../../src/machine/index.ts';
import { memory } from '../../src/storage/memory.ts';
import { peerOf } from '../../src/wire/member.ts';
import { inWorld } from '../support/world.ts';
import {
  describe as describeNodes,
  isFormed,
  leaderOf,
  type Node,
  type NodeOptions,
  startCluster,
  startNode,
} from './cluster.ts';

async function formed(world: World, count: number, options: NodeOptions = {}): Promise<Node[]> {
  const nodes = await startCluster(world, count, options);
  const voters = count > 2 && count % 2 === 0 ? count - 1 : Math.min(count, 5);
  await untilTrue(world, nodes, () => isFormed(nodes, voters));
  return nodes;
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

function split(nodes: readonly Node[]): { leader: Node; followers: Node[] } {
  const leader = leaderOf(nodes) as Node;
  return { leader, followers: nodes.filter((node) => node !== leader) };
}

async function valueAt({ group }: Node, key: string): Promise<number | undefined> {
  return (await group.query({ get: key }, 'strong')).result.entries[0]?.value;
}

/** A machine that takes a while to put a snapshot in the place of its state. */
function slowToRestore(world: World, onRestore: () => void): ReturnType<typeof keyValue<number>> {
  const counts = keyValue<number>();
  const create = (): ReturnType<typeof counts.create> => {
    const machine = counts.create();
    const restore = machine.restore.bind(machine);
    machine.restore = async (chunks) => {
      onRestore();
      // Longer than a history of which it knows nothing yet is kept.
      await world.sleep(15_000);
      await restore(chunks);
    };
    return machine;
  };
  return { ...counts, create };
}

/** Logs that are soon only in snapshots. */
const SHORT = { retainBytes: 100, snapshotEvery: 20, retainEntries: 0, retainPulledEntries: 0 };

/** Two founders of the same group that have not met, the younger one with the longer history. */
async function foundTwice(world: World) {
  const old = await startNode(world, 'n0', { consensus: SHORT });
  await old.group.execute({ put: 'old', value: 1 });
  const young = await startNode(world, 'n1', { consensus: SHORT });
  for (let value = 0; value < 50; value++) await young.group.execute({ put: 'young', value });
  return { old, young };
}

describe('commands', () => {
  it('of one member are applied in call order, from whichever member', () =>
    inWorld({ seed: 1 }, async (world) => {
      const nodes = await formed(world, 3);
      for (const { group } of nodes) {
        const calls = Array.from({ length: 500 }, (_, value) => group.execute({ put: 'x', value }));
        const results = await Promise.all(calls);
        expect(results.slice(1).map(({ result }) => result.before)).toEqual(
          Array.from({ length: 499 }, (_, value) => value),
        );
      }
    }));

  it('that are given together go in few entries, and come back in order', () =>
    inWorld({ seed: 2 }, async (world) => {
      const nodes = await formed(world, 3);
      const { followers } = split(nodes);
      const [follower] = followers as [Node];
      const before = follower.group.stats.log.lastIndex;
      const results = await follower.group.executeMany(
        Array.from({ length: 3_000 }, (_, value) => ({ put: 'x', value })),
      );
      expect(results.map(({ result }) => result.before).slice(1)).toEqual(
        Array.from({ length: 2_999 }, (_, value) => value),
      );
      expect(follower.group.stats.log.lastIndex - before).toBeLessThan(30);
      const range = await follower.group.feedMany([
        { put: 'y', value: 1 },
        { put: 'y', value: 2 },
      ]);
      expect(range.to).toBeGreaterThanOrEqual(range.from);
      await Promise.all(nodes.map(({ group }) => group.when().committed().reaches(range)));
      for (const { group } of nodes)
        expect((await group.query({ get: 'y' }, 'weak')).result.entries[0]?.value).toBe(2);
      expect(await follower.group.executeMany([])).toEqual([]);
    }));

  it('are applied once though the leader is killed with them under way', async () => {
    const recoveredAfterMs: number[] = [];
    for (let seed = 1; seed <= 20; seed++) {
      await inWorld({ seed: `kill ${seed}` }, async (world) => {
        const nodes = await formed(world, 3);
        const { leader, followers } = split(nodes);
        const [a] = followers as [Node];
        const calls = Array.from({ length: 200 }, (_, value) => a.group.execute({ put: 'x', value }));
        await world.sleep(world.runtime.random() * 3);
        leader.host.crash({ mode: seed % 2 === 0 ? 'kill' : 'powerLoss' });
        const crashedAtMs = world.now;
        const results = await Promise.all(calls);
        expect(results.map(({ result }) => result.before)).toEqual([
          undefined,
          ...Array.from({ length: 199 }, (_, value) => value),
        ]);
        // Twice the election timeout of 600 ms; a split vote takes another round, and silence has to be noticed.
        expect(world.now - crashedAtMs).toBeLessThan(seed % 2 === 0 ? 1_200 : 3_000);
        recoveredAfterMs.push(world.now - crashedAtMs);
        expect(await valueAt(a, 'x')).toBe(199);
      });
    }
    console.log(
      `killed and dark in turns, served again after ${recoveredAfterMs.map((ms) => ms.toFixed(0))} ms`,
    );
  }, 60_000);

  it('that were not sent, or may have been, are told apart when the wait is given up', () =>
    inWorld({ seed: 3 }, async (world) => {
      const nodes = await formed(world, 3);
      const { leader, followers } = split(nodes);
      await leader.group.execute({ put: 'x', value: 0 });
      world.faults.isolate(leader.host);
      const limit = new AbortController();
      const sent = leader.group.execute({ put: 'x', value: 1 }, { signal: limit.signal });
      await world.sleep(10);
      limit.abort();
      await expect(sent).rejects.toMatchObject({ unsent: [], unknown: [{ put: 'x', value: 1 }] });
      await untilTrue(world, nodes, () => leader.group.why().code === 'noQuorum');
      expect(leader.group.stats.leader).toBeUndefined();
      expect(leader.group.why().text).toMatch(/2 of 3 voters unreachable/);
      const aborted = AbortSignal.abort();
      await expect(leader.group.execute({ put: 'x', value: 2 }, { signal: aborted })).rejects.toThrow(
        /aborted/,
      );
      const [a] = followers as [Node];
      await a.group.when().leaderElected();
      await a.group.execute({ put: 'y', value: 1 });
      world.faults.clear();
      await untilTrue(world, nodes, () => leaderOf(nodes) !== undefined);
      expect(await valueAt(leader, 'y')).toBe(1);
    }));

  it('of unknown outcome, as the leader has died, turn out to be applied, once', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      await inWorld({ seed: `unknown ${seed}` }, async (world) => {
        const nodes = await formed(world, 3);
        const { leader, followers } = split(nodes);
        const [a] = followers as [Node];
        await a.group.execute({ put: 'x', value: 0 });
        const limit = new AbortController();
        const { signal } = limit;
        const call = a.group
          .executeMany([{ put: 'x', value: 1 }, { delete: 'y' }], { signal })
          .catch((error: unknown) => error);
        await world.sleep(world.runtime.random());
        leader.host.crash({ mode: 'powerLoss' });
        limit.abort();
        const error = (await call) as CommandAbortedError;
        expect(error).toBeInstanceOf(CommandAbortedError);
        expect(error.effect).toBe('unknown');
        expect(await error.resolved()).toMatchObject([
          { effect: 'applied', result: { done: true, before: 0 } },
          { effect: 'applied', result: { done: false } },
        ]);
        expect(await valueAt(a, 'x')).toBe(1);
      });
    }
  });

  it('are refused with what was not sent when too many wait, and when the group is closed', () =>
    inWorld({ seed: 4 }, async (world) => {
      const nodes = await formed(world, 3, { consensus: { maxPendingCommands: 10, leaveTimeoutMs: 50 } });
      const { leader, followers } = split(nodes);
      for (const { host } of followers) host.crash({ mode: 'kill' });
      const commands = Array.from({ length: 11 }, (_, value) => ({ put: 'x', value }));
      const refused = await leader.group.executeMany(commands).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(GroupOverloadedError);
      expect((refused as GroupOverloadedError).unsent).toEqual(commands);
      const waiting = leader.group.execute({ put: 'x', value: 1 }).catch((error: unknown) => error);
      await world.sleep(100);
      await leader.group.close();
      expect(await waiting).toBeInstanceOf(GroupClosedError);
      await expect(leader.group.execute({ put: 'x', value: 2 })).rejects.toMatchObject({
        unsent: [{ put: 'x', value: 2 }],
        unknown: [],
      });
      expect(CommandAbortedError.name).toBe('CommandAbortedError');
    }));

  it('that the machine rejects throw what it threw, and the next ones go on', () =>
    inWorld({ seed: 5 }, async (world) => {
      const nodes = await formed(world, 3);
      for (const { group } of nodes) {
        await expect(group.execute({ put: 'x'.repeat(5_000), value: 1 })).rejects.toMatchObject({
          reason: 'bad-key',
        });
        expect((await group.execute({ put: 'x', value: 1 })).result.done).toBe(true);
      }
    }));
});

describe('queries', () => {
  it('that are strong are refused service where there is no quorum, weak ones are answered', () =>
    inWorld({ seed: 6 }, async (world) => {
      const nodes = await formed(world, 3);
      const { leader, followers } = split(nodes);
      await leader.group.execute({ put: 'x', value: 1 });
      world.faults.isolate(leader.host);
      const [a] = followers as [Node];
      await untilTrue(world, followers, () => leaderOf(followers) !== undefined);
      await a.group.execute({ put: 'x', value: 2 });
      const stale = await leader.group.query({ get: 'x' }, 'weak');
      expect(stale.result.entries[0]?.value).toBe(1);
      const limit = new AbortController();
      const strong = leader.group.query({ get: 'x' }, 'strong', { signal: limit.signal });
      await world.sleep(3_000);
      limit.abort();
      await expect(strong).rejects.toThrow(/aborted/);
      const waiting = valueAt(leader, 'x');
      world.faults.clear();
      expect(await waiting).toBe(2);
    }));
});

describe('leadership', () => {
  it('is handed over when asked, to whom is asked for', () =>
    inWorld({ seed: 7 }, async (world) => {
      const nodes = await formed(world, 3);
      const { leader, followers } = split(nodes);
      const [heir, other] = followers as [Node, Node];
      const changed = other.group.when().leaderChanged();
      await leader.group.transferLeadership(heir.peer);
      await heir.group.when().isLeader();
      await changed;
      await other.group.when().leaderIs(heir.peer);
      await leader.group.when().isFollower();
      expect((await leader.group.execute({ put: 'x', value: 1 })).result.done).toBe(true);
      await expect(leader.group.transferLeadership()).rejects.toThrow(LeadershipError);
      await expect(heir.group.transferLeadership('00'.repeat(32) as never)).rejects.toThrow(/no voter/);
    }));

  it('stays where it is when the heir does not take over', () =>
    inWorld({ seed: 7 }, async (world) => {
      const nodes = await formed(world, 3);
      const { leader, followers } = split(nodes);
      const [heir] = followers as [Node, Node];
      heir.host.crash();
      await expect(leader.group.transferLeadership(heir.peer)).rejects.toThrow(/did not take over/);
      expect(leader.group.when().isLeader().isMet).toBe(true);
      expect((await leader.group.execute({ put: 'x', value: 1 })).result.done).toBe(true);
    }));

  it('is handed over by who leaves, without an election timeout, and it is taken out', () =>
    inWorld({ seed: 8 }, async (world) => {
      const nodes = await formed(world, 3);
      const { leader, followers } = split(nodes);
      await leader.group.execute({ put: 'x', value: 1 });
      const startedAtMs = world.now;
      await leader.close();
      expect(world.now - startedAtMs).toBeLessThan(1_000);
      await untilTrue(world, followers, () => isFormed(followers, 2), 1_000);
      expect(followers[0]?.group.stats.voters.map(peerOf)).not.toContain(leader.peer);
      expect(await valueAt(followers[0] as Node, 'x')).toBe(1);
    }));

  // Found by the swarm: one voter was gone for good, another left, and the third was no quorum with the first.
  it('stays possible when a voter leaves while another is gone: it goes once the others can do without it', () =>
    inWorld({ seed: 18 }, async (world) => {
      const nodes = await formed(world, 3);
      const { leader, followers } = split(nodes);
      const [gone, leaving] = followers as [Node, Node];
      gone.host.crash({ mode: 'powerLoss' });
      await leaving.close();
      expect((await leader.group.execute({ put: 'x', value: 1 })).result.done).toBe(true);
      expect(leader.group.stats.voters.map(peerOf)).toEqual([leader.peer]);
    }));

  it('is not wanted by observers: they never vote, and follow all the same', () =>
    inWorld({ seed: 9 }, async (world) => {
      const first = await startNode(world, 'n0');
      const observers: Node[] = [];
      for (const name of ['n1', 'n2', 'n3'])
        observers.push(await startNode(world, name, { bootstrap: ['sim://n0'], leadership: 'observer' }));
      const nodes = [first, ...observers];
      await untilTrue(world, nodes, () => isFormed(nodes, 1));
      await observers[0]?.group.execute({ put: 'x', value: 1 });
      expect(await valueAt(observers[2] as Node, 'x')).toBe(1);
      await world.sleep(10_000);
      expect(first.group.stats.voters).toHaveLength(1);
      first.host.crash();
      await world.sleep(10_000);
      expect(leaderOf(observers)).toBeUndefined();
    }));
});

describe('voters', () => {
  it('that are gone are demoted, forgotten, and replaced', () =>
    inWorld({ seed: 10 }, async (world) => {
      const nodes = await formed(world, 4, { consensus: { forgetAfterMs: 10_000 } });
      const { leader } = split(nodes);
      const { voters } = leader.group.stats;
      const gone = nodes.find(
        ({ peer }) => peer !== leader.peer && voters.map(peerOf).includes(peer),
      ) as Node;
      gone.host.crash();
      const rest = nodes.filter((node) => node !== gone);
      await untilTrue(
        world,
        rest,
        () => {
          const now = leader.group.stats.voters.map(peerOf);
          return now.length === 3 && !now.includes(gone.peer);
        },
        5_000,
      );
      await untilTrue(world, rest, () => isFormed(rest, 3), 20_000);
    }));

  it('go one after the other down to two, and what was acknowledged stays', () =>
    inWorld({ seed: 11 }, async (world) => {
      let nodes = await formed(world, 5);
      for (let value = 0; nodes.length > 2; value++) {
        await nodes[0]?.group.execute({ put: 'x', value });
        const { leader } = split(nodes);
        leader.host.crash({ mode: 'powerLoss' });
        nodes = nodes.filter((node) => node !== leader);
        const alive = nodes.map(({ peer }) => peer);
        // The next one may go when those that are gone do not vote any more, and as many as can vote instead.
        await untilTrue(world, nodes, () => {
          const voters = leaderOf(nodes)?.group.stats.voters.map(peerOf) ?? [];
          const target = nodes.length === 4 ? 3 : nodes.length;
          return voters.length === target && voters.every((peer) => alive.includes(peer));
        });
        expect(await valueAt(nodes[0] as Node, 'x')).toBe(value);
      }
    }));

  it('are no more than maxVoters', () =>
    inWorld({ seed: 12 }, async (world) => {
      const nodes = await startCluster(world, 7, { consensus: { maxVoters: 3 } });
      await untilTrue(world, nodes, () => isFormed(nodes, 3));
      await world.sleep(5_000);
      expect(isFormed(nodes, 3)).toBe(true);
    }));
});

describe('founding', () => {
  it('takes a majority of the founders', () =>
    inWorld({ seed: 13 }, async (world) => {
      const consensus = { founders: 3 };
      const first = await startNode(world, 'n0', { consensus });
      await world.sleep(20_000);
      expect(first.group.why()).toMatchObject({
        code: 'founding',
        text: expect.stringMatching(/majority of 3/),
      });
      const second = await startNode(world, 'n1', { consensus, bootstrap: ['sim://n0'] });
      await untilTrue(world, [first, second], () => isFormed([first, second], 2), 5_000);
    }));

  it('twice, apart, ends in one history: the older one stays, the other is told of', () =>
    inWorld({ seed: 14 }, async (world) => {
      const old = await startNode(world, 'n0');
      await old.group.execute({ put: 'old', value: 1 });
      await world.sleep(100);
      const young = await startNode(world, 'n1');
      const third = await startNode(world, 'n2', { bootstrap: ['sim://n1'] });
      await untilTrue(world, [young, third], () => isFormed([young, third], 2));
      await young.group.execute({ put: 'young', value: 1 });
      await third.group.execute({ put: 'young', value: 2 });
      const reverted = [young, third].map(({ group }) => group.when().reverted().wait());
      await old.discovery.dial('sim://n1');
      await Promise.all(reverted);
      const nodes = [old, young, third];
      await untilTrue(world, nodes, () => isFormed(nodes, 3));
      for (const { group } of [young, third]) {
        const [lost] = group.reverted();
        expect(lost?.commands.map(({ command, wasCommitted }) => ({ command, wasCommitted }))).toEqual([
          { command: { put: 'young', value: 1 }, wasCommitted: true },
          { command: { put: 'young', value: 2 }, wasCommitted: true },
        ]);
      }
      expect(old.group.reverted()).toEqual([]);
      expect(await valueAt(third, 'young')).toBeUndefined();
      expect(await valueAt(young, 'old')).toBe(1);
      expect((await third.group.execute({ put: 'new', value: 1 })).result.done).toBe(true);
    }));

  it('twice, apart, is set aside also by a member that has pulled a snapshot of the history that lost', () =>
    inWorld({ seed: 19 }, async (world) => {
      const { old, young } = await foundTwice(world);
      const third = await startNode(world, 'n2', { bootstrap: ['sim://n1'], consensus: SHORT });
      await untilTrue(world, [young, third], () => isFormed([young, third], 2));
      expect(third.group.stats.snapshotsPulled).toBe(1);
      await old.discovery.dial('sim://n1');
      const nodes = [old, young, third];
      await untilTrue(world, nodes, () => isFormed(nodes, 3));
      expect(third.group.reverted()).toHaveLength(1);
      expect(await valueAt(third, 'young')).toBeUndefined();
    }));

  it('twice, apart, is set aside also by a member that puts a snapshot of the history that lost in force just then', () =>
    inWorld({ seed: 19 }, async (world) => {
      const { old, young } = await foundTwice(world);
      let isRestoring = false;
      const machine = slowToRestore(world, () => {
        isRestoring = true;
      });
      const third = await startNode(world, 'n2', {
        bootstrap: ['sim://n1'],
        consensus: SHORT,
        join: { machine },
      });
      await world.until(() => isRestoring);
      await old.discovery.dial('sim://n1');
      await old.discovery.dial('sim://n2');
      const nodes = [old, young, third];
      await untilTrue(world, nodes, () => isFormed(nodes, 3), 30_000);
      expect(third.group.reverted()).toMatchObject([{ commands: [], upTo: 40 }]);
      expect(await valueAt(third, 'young')).toBeUndefined();
    }));
});

describe('a member that was away', () => {
  it('goes on with its log, and catches up from all others', () =>
    inWorld({ seed: 15 }, async (world) => {
      const storage = memory();
      const consensus = { retainBytes: 100 };
      const nodes = await formed(world, 4, { consensus });
      const away = await startNode(world, 'away', { bootstrap: ['sim://n0'], storage, consensus });
      await untilTrue(world, [...nodes, away], () => isFormed([...nodes, away], 5));
      const { member } = away.group.stats;
      await away.group.execute({ put: 'x', value: 0 });
      const calls = (from: number) =>
        Promise.all(
          Array.from({ length: 200 }, async (_, index) => {
            await world.sleep(index * 2);
            await nodes[0]?.group.execute({ put: `k${index}`, value: from + index });
          }),
        );
      await away.close();
      await calls(0);
      away.host.crash();
      away.host.restart();
      const back = await startNode(world, 'away', { bootstrap: ['sim://n0'], storage, consensus });
      expect(back.group.stats.member).toBe(member);
      const all = [...nodes, back];
      await untilTrue(world, all, () => isFormed(all, 5));
      expect(back.group.stats.entriesPulled).toBeGreaterThan(100);
      expect(await valueAt(back, 'k199')).toBe(199);
    }));

  it('takes a snapshot, in chunks from several, where the log is pruned', () =>
    inWorld({ seed: 16 }, async (world) => {
      // Those of the start pull entries from each other, which would be kept.
      const consensus = { retainBytes: 100, snapshotEvery: 50, retainEntries: 10, retainPulledEntries: 0 };
      const nodes = await formed(world, 3, { consensus });
      // Some megabytes of keys: many chunks.
      for (let round = 0; round < 60; round++)
        await nodes[0]?.group.executeMany(
          Array.from({ length: 250 }, (_, index) => ({
            put: `${'k'.repeat(100)}${round}-${index}`,
            value: index,
          })),
        );
      const late = await startNode(world, 'late', { bootstrap: ['sim://n0'], consensus });
      const all = [...nodes, late];
      await untilTrue(world, all, () => isFormed(all, 3));
      await untilTrue(
        world,
        all,
        () => late.group.stats.log.applied >= (nodes[0] as Node).group.stats.log.applied,
      );
      expect(late.group.stats.snapshotsPulled).toBeGreaterThan(0);
      const answer = await late.group.query({ from: '', limit: 1_000 }, 'weak');
      expect(answer.result.entries).toHaveLength(1_000);
      expect(late.group.why().code).toBe('ok');
    }));

  it('for less than anybody notices keeps its bonds and its place', () =>
    inWorld({ seed: 17 }, async (world) => {
      const nodes = await formed(world, 3);
      const changes = nodes.map(({ group }) => group.stats.leaderChanges);
      nodes[1]?.host.stall(400);
      await world.sleep(5_000);
      expect(nodes.map(({ group }) => group.stats.leaderChanges)).toEqual(changes);
    }));
});
