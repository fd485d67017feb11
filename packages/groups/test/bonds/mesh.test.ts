import type { World } from '@mosaik/testing';
import { eachSeed } from '@mosaik/testing/seeds';
import { describe, expect, it } from 'vitest';
import { GroupCode } from '../../src/codes.ts';
import { inWorld, startBase } from '../support/world.ts';
import { isFullMesh, type Member, type Node, startNode, startNodes } from './members.ts';

/** At full length they take minutes. */
const LONG_MS = 600_000;

const joinAll = (nodes: readonly Node[], text = 'g'): Member[] => nodes.map((node) => node.join(text));

describe('members that find each other through the catalog', () => {
  it(
    'are bonded within 2 s, each pair once',
    () =>
      eachSeed({ count: 20, long: 200 }, async (seed) => {
        await inWorld({ seed }, async (world) => {
          const nodes = await startNodes(world, 5);
          const members = joinAll(nodes);
          await world.until(() => isFullMesh(nodes, members), { withinMs: 2_000 });
          const made = members.map((member) => member.made);
          await world.sleep(10_000);
          expect(isFullMesh(nodes, members)).toBe(true);
          expect(members.map((member) => member.made)).toEqual(made);
          // A pair whose sides dialled at once may have made two, one of which went.
          for (const count of made) expect(count).toBeLessThanOrEqual(8);
        });
      }),
    LONG_MS,
  );

  it('exchange messages, in order on each way, and what they say of themselves', async () => {
    await inWorld({ seed: 1 }, async (world) => {
      const nodes = await startNodes(world, 2);
      const [a, b] = joinAll(nodes) as [Member, Member];
      b.tell('first');
      await world.until(() => isFullMesh(nodes, [a, b]));
      const { peer } = nodes[1] as Node;
      await world.until(() => a.heard.get(peer) === 'first');
      b.tell('second');
      await world.until(() => a.heard.get(peer) === 'second');
      for (let index = 0; index < 100; index++) {
        expect(a.say(peer, `${index}`)).toBe(true);
        expect(a.say(peer, `bulk ${index}`, { bulk: true })).toBe(true);
      }
      await world.until(() => b.received.length === 200);
      const texts = b.received.map(({ text }) => text);
      const numbers = Array.from({ length: 100 }, (_, index) => `${index}`);
      expect(texts.filter((text) => !text.startsWith('bulk'))).toEqual(numbers);
      expect(texts.filter((text) => text.startsWith('bulk'))).toEqual(numbers.map((text) => `bulk ${text}`));
    });
  });

  it('share one link for all groups, and one beat', async () => {
    await inWorld({ seed: 2 }, async (world) => {
      const nodes = await startNodes(world, 2);
      const groups = Array.from({ length: 50 }, (_, index) => joinAll(nodes, `g${index}`));
      await world.until(() => groups.every((members) => isFullMesh(nodes, members)));
      const links = world.hosts.length;
      expect(links).toBe(2);
      const packets = world.stats.packets;
      await world.sleep(10_000);
      // Two beats a node and 250 ms, probes of discovery and liveness; 50 beats would be 4,000.
      expect(world.stats.packets - packets).toBeLessThan(400);
    });
  });

  it(
    'bond when both dial at the same moment',
    async () => {
      await eachSeed({ count: 30, long: 300 }, async (seed) => {
        await inWorld({ seed: `both ${seed}`, network: { latencyMs: 40, jitterMs: 30 } }, async (world) => {
          const nodes = await startNodes(world, 2);
          const [first, second] = nodes as [Node, Node];
          await world.until(() => first.discovery.catalog.size === 1 && second.discovery.catalog.size === 1);
          const cut = world.faults.partition([first.host], [second.host]);
          const members = joinAll(nodes);
          await world.sleep(world.runtime.random() * 3_000);
          cut.heal();
          await world.until(() => isFullMesh(nodes, members), { withinMs: 20_000 });
          await world.sleep(5_000);
          expect(isFullMesh(nodes, members)).toBe(true);
        });
      });
    },
    LONG_MS,
  );
});

describe('a node that is in no group', () => {
  /** Two nodes, which take more than a thousand events a minute by themselves. */
  const eventsOfAMinute = async (world: World): Promise<number> => {
    const { events } = world.stats;
    await world.sleep(60_000);
    return world.stats.events - events;
  };

  it('does nothing for bonds, before it has joined one and after it has left all', async () => {
    let without = 0;
    await inWorld({ seed: 3 }, async (world) => {
      const first = await startBase(world.host('a'), []);
      await startBase(world.host('b'), first.transport.local.addresses.value);
      await world.sleep(5_000);
      without = await eventsOfAMinute(world);
    });
    await inWorld({ seed: 3 }, async (world) => {
      const nodes = await startNodes(world, 2);
      await world.sleep(5_000);
      expect(Math.abs((await eventsOfAMinute(world)) - without)).toBeLessThan(100);
      const members = joinAll(nodes);
      await world.until(() => isFullMesh(nodes, members));
      // Each ticks every 125 ms, and beats every 250.
      expect((await eventsOfAMinute(world)) - without).toBeGreaterThan(900);
      for (const member of members) member.leave();
      await world.sleep(30_000);
      expect(Math.abs((await eventsOfAMinute(world)) - without)).toBeLessThan(100);
    });
  });
});

describe('a bond that is lost', () => {
  it(
    'by partitions is made again after the heal',
    () =>
      eachSeed({ count: 10, long: 100 }, async (seed) => {
        await inWorld({ seed: `partition ${seed}` }, async (world) => {
          const nodes = await startNodes(world, 4);
          const members = joinAll(nodes);
          await world.until(() => isFullMesh(nodes, members));
          for (let round = 0; round < 3; round++) {
            const side = nodes.filter(() => world.runtime.random() < 0.5).map(({ host }) => host);
            const rest = nodes.map(({ host }) => host).filter((host) => !side.includes(host));
            const [from, to] = world.runtime.random() < 0.5 ? [side, rest] : [rest, side];
            const cut =
              world.runtime.random() < 0.5 ? world.faults.partition(from, to) : world.faults.oneWay(from, to);
            await world.sleep(world.runtime.random() * 20_000);
            cut.heal();
            await world.until(() => isFullMesh(nodes, members), { withinMs: 30_000 });
          }
        });
      }),
    LONG_MS,
  );

  it('to a silent peer is noticed after the beat timeout, on both sides', async () => {
    await inWorld({ seed: 3 }, async (world) => {
      const nodes = await startNodes(world, 2);
      const members = joinAll(nodes);
      await world.until(() => isFullMesh(nodes, members));
      world.faults.partition(...nodes.map(({ host }) => [host]));
      await world.sleep(1_500);
      expect(isFullMesh(nodes, members)).toBe(true);
      await world.sleep(1_200);
      for (const { handle, ends } of members) {
        expect(handle.bonds.size).toBe(0);
        expect(ends).toMatchObject([{ kind: 'refused', code: GroupCode.Timeout }]);
      }
    });
  });

  it('is not noticed by a process that stood still itself', async () => {
    await inWorld({ seed: 4 }, async (world) => {
      const nodes = await startNodes(world, 3, { beatTimeoutMs: 6_000 });
      const members = joinAll(nodes);
      await world.until(() => isFullMesh(nodes, members));
      const made = members.map((member) => member.made);
      nodes[0]?.host.stall(4_000);
      await world.sleep(10_000);
      expect(members.map((member) => member.made)).toEqual(made);
    });
  });

  it.each(['kill', 'powerLoss'] as const)(
    'by %s is made with the next life of the node',
    async (mode) => {
      await eachSeed({ count: 10, long: 100 }, async (seed) => {
        await inWorld({ seed: `${mode} ${seed}` }, async (world) => {
          const nodes = await startNodes(world, 3);
          const members = joinAll(nodes);
          await world.until(() => isFullMesh(nodes, members));
          const victim = 1 + (seed % 2);
          const { host } = nodes[victim] as Node;
          host.crash({ mode });
          await world.sleep(world.runtime.random() * 4_000);
          host.restart();
          nodes[victim] = await startNode(world, host.name, ['sim://n0']);
          members[victim] = (nodes[victim] as Node).join('g');
          await world.until(() => isFullMesh(nodes, members), { withinMs: 12_000 });
        });
      });
    },
    LONG_MS,
  );
});

describe('who leaves', () => {
  it('says so, and the others are not bonded to it any more', async () => {
    await inWorld({ seed: 5 }, async (world) => {
      const nodes = await startNodes(world, 3);
      const members = joinAll(nodes);
      await world.until(() => isFullMesh(nodes, members));
      members[2]?.leave();
      const left = (): boolean => isFullMesh(nodes.slice(0, 2), members.slice(0, 2));
      await world.until(left, { withinMs: 100 });
      expect(members[0]?.ends).toMatchObject([{ kind: 'left' }]);
      await world.sleep(10_000);
      expect(left()).toBe(true);
      members[2] = (nodes[2] as Node).join('g');
      await world.until(() => isFullMesh(nodes, members), { withinMs: 5_000 });
    });
  });

  it('by closing ends its bonds, all groups at once', async () => {
    await inWorld({ seed: 6 }, async (world) => {
      const nodes = await startNodes(world, 3);
      const groups = [joinAll(nodes, 'a'), joinAll(nodes, 'b')];
      await world.until(() => groups.every((members) => isFullMesh(nodes, members)));
      await nodes[2]?.close();
      await world.until(() => groups.every((members) => isFullMesh(nodes.slice(0, 2), members.slice(0, 2))), {
        withinMs: 100,
      });
    });
  });
});

describe('acceptIf', () => {
  it('keeps out whom it refuses, now and when it changes', async () => {
    await inWorld({ seed: 7 }, async (world) => {
      const nodes = await startNodes(world, 3);
      nodes[1]?.discovery.addTags('good');
      const [a, b, c] = [
        (nodes[0] as Node).join('g', { acceptIf: (peer) => peer.hasTag('good') }),
        (nodes[1] as Node).join('g'),
        (nodes[2] as Node).join('g'),
      ];
      const [pa, pb, pc] = nodes.map(({ peer }) => peer) as [Node['peer'], Node['peer'], Node['peer']];
      await world.until(() => a.handle.bonds.has(pb) && b.handle.bonds.has(pc) && c.handle.bonds.has(pb));
      await world.sleep(5_000);
      expect(a.handle.bonds.has(pc)).toBe(false);
      expect(c.refusals.map(({ peer, code }) => `${peer} ${code}`)).toContain(
        `${pa} ${GroupCode.NotAllowed}`,
      );
      nodes[2]?.discovery.addTags('good');
      await world.until(() => a.handle.bonds.has(pc) && c.handle.bonds.has(pa), { withinMs: 10_000 });
      nodes[1]?.discovery.removeTags('good');
      await world.until(() => !a.handle.bonds.has(pb) && !b.handle.bonds.has(pa), { withinMs: 10_000 });
    });
  });
});
