import type { Runtime } from '@mosaik/primitives';
import type { Host, World } from '@mosaik/testing';
import { describe, expect, it } from 'vitest';
import type { Group } from '../../src/group.ts';
import { createGroups } from '../../src/groups.ts';
import { type MachineDefinition, machine } from '../../src/machine/define.ts';
import { inWorld, startBase } from '../support/world.ts';

interface Sum {
  value: number;
}
type Adds = MachineDefinition<Sum, number, number, null, number>;

/** Adds, and what a member adds of its own makes it differ. */
function adding({ skew = 0, ...rest }: { skew?: number } & Partial<Adds> = {}) {
  return machine<Sum, number, number, null, number>({
    signature: 'test.adding/1',
    initial: () => ({ value: 0 }),
    apply: (state, command) => {
      state.value += command + skew;
      return state.value;
    },
    query: (state) => state.value,
    ...rest,
  });
}

type Member = Group<number, number, null, number>;

interface Plan {
  readonly every: number;
  readonly machine?: ReturnType<typeof adding>;
}

/** Members of one group, with a node each, told of the first. */
async function join(world: World, plans: readonly Plan[], bootstrap = ['sim://n0']): Promise<Member[]> {
  const members: Member[] = [];
  for (const [index, { every, machine = adding() }] of plans.entries()) {
    const base = await startBase(hostOf(world, `n${index}`), index === 0 ? [] : bootstrap);
    const consensus = { compareStateEvery: every };
    members.push(await createGroups(base).join({ key: 'k', machine, consensus }));
  }
  return members;
}

function hostOf(world: World, name: string): Host {
  return world.hosts.find((known) => known.name === name) ?? world.host(name);
}

const areFormed = (members: readonly Member[]) => (): boolean =>
  members.every(({ stats }) => stats.voters.length === members.length);

async function addUpTo(member: Member | undefined, index: number): Promise<void> {
  while ((member?.stats.log.applied ?? index) < index) await member?.execute(1);
}

describe('members that compare their states', () => {
  it('at other intervals meet where both have a hash', () =>
    inWorld({ seed: 1 }, async (world) => {
      const skewed = adding({ skew: 1 });
      const members = await join(world, [
        { every: 40 },
        { every: 60, machine: skewed },
        { every: 0, machine: skewed },
      ]);
      await world.until(areFormed(members), { withinMs: 10_000 });
      await addUpTo(members[0], 119);
      await world.sleep(1_000);
      expect(members.map(({ stats }) => stats.divergence?.index)).toEqual([undefined, undefined, undefined]);
      await addUpTo(members[0], 130);
      await world.until(() => members.slice(0, 2).every((member) => member.why().code === 'diverged'), {
        withinMs: 1_000,
      });
      expect(members.map(({ stats }) => stats.divergence?.index)).toEqual([120, 120, undefined]);
    }));

  it('let others run while a large state is hashed', () =>
    inWorld({ seed: 2 }, async (world) => {
      let runtime: Runtime | undefined;
      const turns: number[] = [];
      const large = adding({
        *snapshot() {
          let turn = 0;
          const count = (): void => {
            turn++;
            if (turns.length < 8) runtime?.yieldTo(count);
          };
          count();
          for (let chunk = 0; chunk < 8; chunk++) {
            turns.push(turn);
            yield new Uint8Array(256 * 1_024);
          }
        },
        restore: () => Promise.resolve({ value: 0 }),
      });
      const base = await startBase(world.host('n0'), []);
      runtime = base.transport.runtime;
      const consensus = { compareStateEvery: 10 };
      const group = await createGroups(base).join({ key: 'k', machine: large, consensus });
      await addUpTo(group, 10);
      await world.until(() => turns.length === 8, { withinMs: 1_000 });
      // A piece of the state, then the others.
      expect(new Set(turns).size).toBe(8);
    }));

  it('do not take a hash of a history that was left for one of the next', () =>
    inWorld({ seed: 3 }, async (world) => {
      let release = (): void => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      let taken = 0;
      const slow = adding({
        async *snapshot({ value }) {
          const bytes = Uint8Array.of(value);
          if (taken++ === 0) await released;
          yield bytes;
        },
        restore: async (chunks) => ({ value: (await Array.fromAsync(chunks))[0]?.[0] ?? 0 }),
      });
      const quick = adding({
        snapshot: ({ value }) => [Uint8Array.of(value)],
        restore: async (chunks) => ({ value: (await Array.fromAsync(chunks))[0]?.[0] ?? 0 }),
      });
      const cut = world.faults.partition([world.host('n0')], [world.host('n1')]);
      const [older] = (await join(world, [{ every: 10, machine: quick }])) as [Member];
      await older.when().isLeader();
      const base = await startBase(hostOf(world, 'n1'), ['sim://n0']);
      const consensus = { compareStateEvery: 10 };
      const younger = await createGroups(base).join({ key: 'k', machine: slow, consensus });
      await younger.when().isLeader();
      while (older.stats.log.applied < 15) await older.execute(2);
      while (younger.stats.log.applied < 15) await younger.execute(1);
      expect(taken).toBe(1);
      cut.heal();
      await world.until(areFormed([older, younger]), { withinMs: 60_000 });
      expect(younger.when().reverted().isMet).toBe(true);
      await world.until(() => taken > 1, { withinMs: 10_000 });
      release();
      await world.sleep(5_000);
      expect([older, younger].map(({ stats }) => stats.divergence)).toEqual([undefined, undefined]);
    }));
});
