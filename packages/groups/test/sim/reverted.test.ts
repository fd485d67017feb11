import type { World } from '@mosaik/testing';
import { describe, expect, it } from 'vitest';
import { CommandAbortedError } from '../../src/errors.ts';
import { inWorld } from '../support/world.ts';
import { describe as describeNodes, isFormed, type Node, startNode } from './cluster.ts';

async function untilFormed(world: World, nodes: readonly Node[]): Promise<void> {
  await world
    .until(() => isFormed(nodes, nodes.length), { withinMs: 30_000 })
    .catch((error) => {
      throw new Error(`${error.message}\n${describeNodes(nodes)}`);
    });
}

/** An old group of one, and a younger group of two that has not met it. */
async function foundTwice(world: World): Promise<{ old: Node; young: Node; third: Node }> {
  const old = await startNode(world, 'n0');
  await old.group.execute({ put: 'old', value: 1 });
  await world.sleep(100);
  const young = await startNode(world, 'n1');
  const third = await startNode(world, 'n2', { bootstrap: ['sim://n1'] });
  await untilFormed(world, [young, third]);
  return { old, young, third };
}

async function valueAt({ group }: Node, key: string): Promise<number | undefined> {
  return (await group.query({ get: key }, 'strong')).result.entries[0]?.value;
}

/** Some callers write one key after the other, until the member's history is lost; returns which. */
async function writeUntilReverted(world: World, { host, group }: Node): Promise<string[]> {
  const written: string[] = [];
  const callers = Array.from({ length: 10 }, async (_, caller) => {
    while (group.reverted().length === 0) {
      const key = `${host.name} ${caller} ${written.length}`;
      written.push(key);
      expect((await group.execute({ put: key, value: 1 })).result).toEqual({ done: true });
      await world.sleep(10 * world.runtime.random());
    }
  });
  await Promise.all(callers);
  return written;
}

/** Runs what is its own of what a member is told of; returns how many that were. */
async function bringAgain({ group }: Node): Promise<number> {
  const told = group.reverted().flatMap(({ commands }) => commands.filter(({ isOwn }) => isOwn));
  for (const { command } of told) {
    const { result } = await group.execute(command);
    expect([command, result]).toEqual([command, { done: true }]);
  }
  return told.length;
}

/** What a member is told of, in short. */
function told({ group }: Node): unknown[] {
  return group
    .reverted()
    .flatMap(({ commands }) =>
      commands.map(({ command, wasCommitted, isOwn }) => ({ command, wasCommitted, isOwn })),
    );
}

describe('commands under way when two histories meet', () => {
  it('are sent again by whoever waits for them, and not told to be brought again', () =>
    inWorld({ seed: 1 }, async (world) => {
      const { old, young, third } = await foundTwice(world);
      await young.group.execute({ put: 'a', value: 1 });
      await third.group.execute({ put: 'b', value: 1 });
      // In the log of one, and acknowledged by nobody.
      const cut = world.faults.partition([young.host], [third.host]);
      const limit = new AbortController();
      const given = young.group
        .execute({ put: 'given up', value: 1 }, { signal: limit.signal })
        .catch((error: unknown) => error);
      const lastIndex = young.group.stats.log.lastIndex;
      const waiting = young.group.execute({ put: 'c', value: 1 });
      const many = young.group.executeMany([{ put: 'd', value: 1 }, { delete: 'nothing' }]);
      await world.until(() => young.group.stats.log.lastIndex > lastIndex);
      limit.abort();
      expect(await given).toBeInstanceOf(CommandAbortedError);
      await old.discovery.dial('sim://n1');
      await young.group.when().reverted();
      expect((await waiting).result).toEqual({ done: true });
      expect((await many).map(({ result }) => result)).toEqual([{ done: true }, { done: false }]);
      expect(told(young)).toEqual([
        { command: { put: 'a', value: 1 }, wasCommitted: true, isOwn: true },
        { command: { put: 'b', value: 1 }, wasCommitted: true, isOwn: false },
        { command: { put: 'given up', value: 1 }, wasCommitted: false, isOwn: true },
      ]);
      cut.heal();
      await untilFormed(world, [old, young, third]);
      expect(await valueAt(old, 'given up')).toBeUndefined();
    }));

  it.each([1, 2, 3, 4, 5])(
    'are, with those told that are their own, all that each member has to bring: each is applied once (seed %i)',
    (seed) =>
      inWorld({ seed }, async (world) => {
        const { old, young, third } = await foundTwice(world);
        const writing = [young, third].map((node) => writeUntilReverted(world, node));
        await world.sleep(50 + 100 * world.runtime.random());
        await old.discovery.dial('sim://n1');
        const written = (await Promise.all(writing)).flat();
        await untilFormed(world, [old, young, third]);
        const told = (await bringAgain(young)) + (await bringAgain(third));
        // Some had been answered, others were under way.
        expect(told).toBeGreaterThan(0);
        expect(told).toBeLessThan(written.length);
        const { result } = await old.group.query({ from: '', limit: 100_000 }, 'strong');
        expect(result.entries.map(({ key }) => key)).toEqual(['old', ...written].sort());
      }),
  );
});

describe('a second history that is lost', () => {
  it('can be waited for, by how many reports were seen', () =>
    inWorld({ seed: 3 }, async (world) => {
      const oldest = await startNode(world, 'oldest');
      await oldest.group.execute({ put: 'oldest', value: 1 });
      await world.sleep(100);
      const { old, young, third } = await foundTwice(world);
      const first = young.group.when().reverted();
      const second = young.group.when().reverted({ after: 1 });
      expect([first.isMet, second.isMet]).toEqual([false, false]);
      await old.discovery.dial('sim://n1');
      await first;
      expect(young.group.when().reverted().isMet).toBe(true);
      expect(second.isMet).toBe(false);
      await untilFormed(world, [old, young, third]);
      await young.group.execute({ put: 'young', value: 1 });
      await oldest.discovery.dial('sim://n0');
      await second;
      const [one, two] = young.group.reverted();
      expect(two?.lost).toEqual(one?.kept);
      expect(young.group.reverted()).toHaveLength(2);
    }));
});
