import { InvalidArgumentError } from '@mosaik/primitives';
import { createDisk } from '@mosaik/testing';
import { describe, expect, it } from 'vitest';
import type { Group } from '../../src/group.ts';
import { createGroups } from '../../src/groups.ts';
import { Counter, type CounterCommand, machine } from '../../src/machine/index.ts';
import { memory } from '../../src/storage/memory.ts';
import { simulated } from '../../src/storage/simulated/index.ts';
import { inWorld, startBase } from '../support/world.ts';
import { isFormed, leaderOf, type Node, startCluster, startNode } from './cluster.ts';

describe('a member', () => {
  it('whose disk fails is out, with its commands, and the others go on', () =>
    inWorld({ seed: 1 }, async (world) => {
      const disks = ['n0', 'n1', 'n2'].map((name) =>
        createDisk(world.host(name), { runtime: world.runtime }),
      );
      const nodes: Node[] = [];
      for (const [index, disk] of disks.entries()) {
        const bootstrap = index === 0 ? [] : ['sim://n0'];
        nodes.push(await startNode(world, `n${index}`, { bootstrap, storage: simulated(disk) }));
      }
      await world.until(() => isFormed(nodes, 3), { withinMs: 10_000 });
      const leader = leaderOf(nodes) as Node;
      const index = nodes.indexOf(leader);
      await leader.group.execute({ put: 'x', value: 1 });
      const failed = nodes.map(({ group }) => group.when().failed());
      expect(failed.map(({ isMet }) => isMet)).toEqual([false, false, false]);
      disks[index]?.failSyncs();
      const command = { put: 'x', value: 2 };
      await expect(leader.group.execute(command)).rejects.toMatchObject({
        code: 'ERR_GROUP_FAILED',
        unsent: [],
        unknown: [command],
      });
      await failed[index];
      expect(leader.group.why().code).toBe('failed');
      expect(failed.map(({ isMet }) => isMet)).toEqual(nodes.map((node) => node === leader));
      await expect(leader.group.execute(command)).rejects.toMatchObject({ unsent: [command], unknown: [] });
      await expect(leader.group.query({ get: 'x' }, 'weak')).rejects.toMatchObject({
        code: 'ERR_GROUP_FAILED',
      });
      const rest = nodes.filter((node) => node !== leader);
      await world.until(() => leaderOf(rest) !== undefined, { withinMs: 5_000 });
      expect((await rest[0]?.group.execute({ put: 'y', value: 3 }))?.result.done).toBe(true);
      await leader.close();
    }));

  it('whose log is damaged puts it aside, and comes back as another', () =>
    inWorld({ seed: 2 }, async (world) => {
      const nodes = await startCluster(world, 2);
      const disk = createDisk(world.host('n2'), { runtime: world.runtime });
      const start = () => startNode(world, 'n2', { bootstrap: ['sim://n0'], storage: simulated(disk) });
      const third = await start();
      await world.until(() => isFormed([...nodes, third], 3), { withinMs: 10_000 });
      for (let value = 0; value < 50; value++) await third.group.execute({ put: 'x', value });
      const { member } = third.group.stats;
      third.host.crash({ mode: 'kill' });
      disk.damage({ file: 'log', offset: 200 });
      third.host.restart();
      const back = await start();
      expect(back.group.stats.damagedLog).toBeDefined();
      expect(back.group.stats.member).not.toBe(member);
      await world.until(() => isFormed([...nodes, back], 3), { withinMs: 10_000 });
      expect((await back.group.query({ get: 'x' }, 'strong')).result.entries[0]?.value).toBe(49);
    }));

  it('that cannot be started lets go of its log', () =>
    inWorld({ seed: 6 }, async (world) => {
      const groups = createGroups(await startBase(world.host('n0'), []));
      const storage = memory();
      const join = (create: typeof Counter.create) =>
        groups.join({ key: 'k', machine: { ...Counter, create }, storage });
      const group = await join(Counter.create);
      await group.execute({ add: 2 });
      await group.close();
      const broken = (): never => {
        throw new Error('not today');
      };
      await expect(join(broken)).rejects.toThrow('not today');
      expect(groups.joined.size).toBe(0);
      const again = await join(Counter.create);
      expect((await again.execute({ add: 3 })).result).toBe(5);
      await groups.close();
    }));

  it('whose node closes its groups while the log is opened is not started, and lets go of it', () =>
    inWorld({ seed: 7 }, async (world) => {
      const base = await startBase(world.host('n0'), []);
      const disk = createDisk(base.host, { runtime: world.runtime, syncMs: 50 });
      const storage = simulated(disk);
      const groups = createGroups(base);
      const joining = groups.join({ key: 'k', machine: Counter, storage });
      const refused = expect(joining).rejects.toMatchObject({ code: 'ERR_CLOSED' });
      await groups.close();
      await refused;
      const again = createGroups(base);
      const group = await again.join({ key: 'k', machine: Counter, storage });
      expect((await group.execute({ add: 3 })).result).toBe(3);
      await again.close();
    }));

  it('whose disk refuses its log may try again', () =>
    inWorld({ seed: 8 }, async (world) => {
      const base = await startBase(world.host('n0'), []);
      const disk = createDisk(base.host, { runtime: world.runtime });
      const groups = createGroups(base);
      const join = () => groups.join({ key: 'k', machine: Counter, storage: simulated(disk) });
      const failing = disk.failSyncs();
      await expect(join()).rejects.toMatchObject({ code: 'ERR_STORAGE_FAILED' });
      failing[Symbol.dispose]();
      const group = await join();
      expect((await group.execute({ add: 3 })).result).toBe(3);
      await groups.close();
    }));

  it('leaves when its signal fires, and can join again', () =>
    inWorld({ seed: 3 }, async (world) => {
      const base = await startBase(world.host('n0'), []);
      const groups = createGroups(base);
      const leaving = new AbortController();
      const storage = memory();
      const join = (signal?: AbortSignal) => groups.join({ key: 'k', machine: Counter, storage, signal });
      const group = await join(leaving.signal);
      await expect(join()).rejects.toThrow(InvalidArgumentError);
      expect(groups.joined.size).toBe(1);
      await group.execute({ add: 2 });
      leaving.abort();
      await world.until(() => groups.joined.size === 0, { withinMs: 5_000 });
      const again = await join();
      expect((await again.execute({ add: 3 })).result).toBe(5);
      await expect(groups.join({ key: '', machine: Counter })).rejects.toThrow(InvalidArgumentError);
      await expect(
        groups.join({ key: 'other', machine: Counter, consensus: { maxVoters: 4 } }),
      ).rejects.toThrow(/odd/);
      for (const demoteBehindEntries of [1, 2.5])
        await expect(
          groups.join({ key: 'other', machine: Counter, consensus: { demoteBehindEntries } }),
        ).rejects.toThrow(/demoteBehindEntries/);
      await groups.close();
    }));
});

describe('a machine that is not deterministic', () => {
  let made = 0;
  const Skewed = machine({
    signature: 'test.skewed/1',
    initial: () => ({ value: 0, skew: made++ }),
    apply: (state: { value: number; skew: number }, { add }: CounterCommand) => {
      state.value += add + state.skew;
      return state.value;
    },
    query: (state: { value: number }, _: null) => state.value,
  });

  it('is an alarm at the next comparison', () =>
    inWorld({ seed: 4 }, async (world) => {
      const groups: Group<CounterCommand, number, null, number>[] = [];
      for (const name of ['n0', 'n1', 'n2']) {
        const base = await startBase(world.host(name), name === 'n0' ? [] : ['sim://n0']);
        const consensus = { compareStateEvery: 10 };
        groups.push(await createGroups(base).join({ key: 'k', machine: Skewed, consensus }));
      }
      await world.until(() => groups.every(({ stats }) => stats.voters.length === 3), { withinMs: 10_000 });
      for (let add = 0; add < 20; add++) await groups[0]?.execute({ add });
      await world.until(() => groups.every((group) => group.why().code === 'diverged'), { withinMs: 5_000 });
      expect(groups[1]?.why().remedy).toMatch(/guardDeterminism/);
    }));

  it('fails under the guard, with what it used', () =>
    inWorld({ seed: 5 }, async (world) => {
      const Clocked = machine({
        signature: 'test.clocked/1',
        initial: () => ({ at: 0 }),
        apply: (state: { at: number }, _: null) => {
          state.at = performance.now();
          return state.at;
        },
      });
      const base = await startBase(world.host('n0'), []);
      const consensus = { guardDeterminism: true };
      const group = await createGroups(base).join({ key: 'k', machine: Clocked, consensus });
      await expect(group.execute(null)).rejects.toThrow(/performance\.now/);
    }));
});
