import { bytesCodec, type PeerId } from '@mosaik/primitives';
import type { World } from '@mosaik/testing';
import { type Link, type Protocol, protocol } from '@mosaik/transport';
import { describe, expect, it } from 'vitest';
import { degreeFor } from '../../src/overlay/overlay.ts';
import { inWorld, knowEachOther, type Node, startCluster } from './cluster.ts';

function degrees(nodes: readonly Node[]): number[] {
  return nodes.map(({ transport }) => transport.connections.value.size);
}

/** How many nodes can be reached from the first, along connections. */
function reachable(nodes: readonly Node[]): number {
  const byPeer = new Map<PeerId, Node>(nodes.map((node) => [node.transport.local.peerId, node]));
  const seen = new Set<PeerId>();
  const next = [...byPeer.keys()].slice(0, 1);
  for (let peer = next.pop(); peer !== undefined; peer = next.pop()) {
    if (seen.has(peer)) continue;
    seen.add(peer);
    for (const other of byPeer.get(peer)?.transport.connections.value.keys() ?? []) {
      if (byPeer.has(other)) next.push(other);
    }
  }
  return seen.size;
}

function expectBounded(nodes: readonly Node[]): void {
  const wanted = degreeFor(nodes.length - 1);
  expect(Math.min(...degrees(nodes))).toBeGreaterThanOrEqual(wanted);
  expect(Math.max(...degrees(nodes))).toBeLessThanOrEqual(Math.ceil(1.5 * wanted) + 2);
  expect(reachable(nodes)).toBe(nodes.length);
}

async function settled(world: World, count: number): Promise<Node[]> {
  const nodes = await startCluster(world, count);
  await world.until(() => knowEachOther(nodes), { withinMs: 10_000, everyMs: 20 });
  await world.sleep(20_000);
  return nodes;
}

describe('the overlay', { timeout: 120_000 }, () => {
  it.each([2, 8, 100])('of %i nodes has degrees within bounds, and holds together', async (count) => {
    await inWorld({ seed: count }, async (world) => {
      const nodes = await settled(world, count);
      expectBounded(nodes);
      console.log(
        `${count} nodes: ${Math.min(...degrees(nodes))} to ${Math.max(...degrees(nodes))} connections`,
      );
    });
  });

  it('is repaired after a third of the nodes have crashed at once', async () => {
    await inWorld({ seed: 'a third' }, async (world) => {
      const nodes = await settled(world, 60);
      for (const [index, { host }] of nodes.entries()) if (index % 3 === 0) host.crash();
      const left = nodes.filter((_, index) => index % 3 !== 0);
      await world.until(() => knowEachOther(left), { withinMs: 10_000, everyMs: 20 });
      await world.sleep(10_000);
      expectBounded(left);
    });
  });

  it('keeps what links are open over, of whatever protocol, and lets go of it when they have ended', async () => {
    await inWorld({ seed: 'in use' }, async (world) => {
      const nodes = await settled(world, 60);
      const [hub, ...others] = nodes as [Node, ...Node[]];
      const Held: Protocol<Uint8Array> = protocol({ name: 'test/held', codec: bytesCodec });
      const accepted: Link<Uint8Array>[] = [];
      hub.transport.accept(Held, (link) => void accepted.push(link));
      for (const { transport } of others) transport.accept(Held, () => {});
      // Of either side: it counts that a link is there, not who opened it.
      const opened = await Promise.all(
        others.map(({ transport, discovery }, index) =>
          index % 2 === 0
            ? hub.transport.open(discovery.me.peer, Held)
            : transport.open(hub.discovery.me.peer, Held),
        ),
      );
      await world.sleep(60_000);
      expect([...opened, ...accepted].filter(({ end }) => end !== undefined)).toEqual([]);
      expect(hub.transport.connections.value.size).toBe(59);
      await Promise.all(opened.map((link) => link.close()));
      await world.sleep(60_000);
      expectBounded(nodes);
    });
  });

  it('keeps what is pinned', async () => {
    await inWorld({ seed: 'pinned' }, async (world) => {
      const nodes = await settled(world, 60);
      const [hub, ...others] = nodes as [Node, ...Node[]];
      const pins = others.map(({ discovery }) => hub.discovery.pin(discovery.me.peer));
      for (const { discovery } of others) await hub.discovery.dial(discovery.me.peer);
      await world.sleep(30_000);
      expect(hub.transport.connections.value.size).toBeGreaterThan(40);
      for (const pin of pins) pin[Symbol.dispose]();
      await world.sleep(60_000);
      expect(hub.transport.connections.value.size).toBeLessThanOrEqual(Math.ceil(1.5 * degreeFor(59)) + 2);
    });
  });
});
