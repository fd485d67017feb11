import type { World } from '@mosaik/testing';
import type { Transport } from '@mosaik/transport';
import { describe, expect, it, vi } from 'vitest';
import { inWorld } from '../support/world.ts';
import { isFullMesh, type Member, type Node, type NodeOptions, startNode } from './members.ts';

/** A transport whose gossip reaches nobody. */
function withoutGossip(transport: Transport): Transport {
  return new Proxy(transport, {
    get(target, name) {
      if (name === 'topic')
        return () => ({ publish: async () => {}, subscribe: () => ({ [Symbol.dispose]: () => {} }) });
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Nodes without gossip, whose catalogs are compared when two of them meet, and not again. */
const MUTE: NodeOptions = {
  discovery: (host) => ({ transport: withoutGossip(host.transport()), syncIntervalMs: 3_600_000 }),
};

/** Lets a node know of the group of another. */
async function introduce(world: World, to: Node, { discovery }: Node): Promise<void> {
  await world.until(() => discovery.me.groups.length === 1);
  await to.discovery.feed(discovery.signedMe);
}

describe('what a member says of itself in discovery', () => {
  it('reaches those that it is bonded to at once, also where gossip does not', () =>
    inWorld({ seed: 1 }, async (world) => {
      const nodes: Node[] = [];
      for (const name of ['n0', 'n1', 'n2'])
        nodes.push(await startNode(world, name, name === 'n0' ? [] : ['sim://n0'], MUTE));
      const [a, b] = nodes as [Node, Node];
      const members = nodes.slice(0, 2).map((node) => node.join('g'));
      await introduce(world, a, b);
      await world.until(() => isFullMesh(nodes.slice(0, 2), members), { withinMs: 5_000 });
      // All have met by then.
      await world.sleep(5_000);
      b.discovery.addTags('late');
      const knows = ({ discovery }: Node): boolean => discovery.catalog.get(b.peer)?.hasTag('late') === true;
      await world.until(() => knows(a), { withinMs: 200 });
      // In no group with it: it has to wait for the next comparison.
      expect(knows(nodes[2] as Node)).toBe(false);
    }));

  it('ends its bond at once when it is not accepted any more, also where gossip does not reach', () =>
    inWorld({ seed: 2 }, async (world) => {
      const a = await startNode(world, 'n0', [], MUTE);
      const b = await startNode(world, 'n1', ['sim://n0'], MUTE);
      b.discovery.addTags('good');
      const members: Member[] = [a.join('g', { acceptIf: (peer) => peer.hasTag('good') }), b.join('g')];
      await introduce(world, a, b);
      await world.until(() => isFullMesh([a, b], members), { withinMs: 5_000 });
      b.discovery.removeTags('good');
      await world.until(() => members.every(({ handle }) => handle.bonds.size === 0), { withinMs: 300 });
    }));

  it('is said once to each, whatever they share, and again only when it is new', () =>
    inWorld({ seed: 3 }, async (world) => {
      const nodes = [await startNode(world, 'n0'), await startNode(world, 'n1', ['sim://n0'])];
      const feed = vi.spyOn((nodes[0] as Node).discovery, 'feed');
      const groups = ['a', 'b', 'c'].map((text) => nodes.map((node) => node.join(text)));
      await world.until(() => groups.every((members) => isFullMesh(nodes, members)));
      await world.sleep(1_000);
      expect(feed.mock.calls.length).toBeLessThan(5);
      feed.mockClear();
      await world.sleep(120_000);
      // Discovery renews the entry every 15 s.
      expect(feed.mock.calls.length).toBeGreaterThan(5);
      expect(feed.mock.calls.length).toBeLessThan(12);
    }));
});
