import { createScope, type PeerId } from '@mosaik/primitives';
import type { Transport } from '@mosaik/transport';
import { describe, expect, it } from 'vitest';
import { createWorld, type World } from '../src/index.ts';
import { Mesh } from '../src/transport/mesh.ts';
import { SeenCache } from '../src/transport/seen-cache.ts';

/** A ring with chords: each of `count` hosts connected to about eight others. */
async function overlay(world: World, count: number): Promise<Transport[]> {
  const transports = Array.from({ length: count }, (_, index) => world.host(`h${index}`).transport());
  const strides = [1, 3, 9, 27];
  await Promise.all(
    transports.flatMap((transport, index) =>
      strides.map((stride) => transport.connect(`sim://h${(index + stride) % count}`)),
    ),
  );
  return transports;
}

/** Counts how often each transport hears each message. */
function countHeard(transports: readonly Transport[]): Map<Transport, Map<number, number>> {
  const heard = new Map<Transport, Map<number, number>>();
  for (const transport of transports) {
    const own = new Map<number, number>();
    heard.set(transport, own);
    transport.topic('t').subscribe(({ data }) => {
      own.set(data[0]!, (own.get(data[0]!) ?? 0) + 1);
      return 'accept';
    });
  }
  return heard;
}

describe('gossip', () => {
  it('reaches all nodes of a large overlay once, along a mesh of bounded degree', async () => {
    const world = createWorld({ seed: 11 });
    await world.run(async () => {
      const count = 200;
      const transports = await overlay(world, count);
      const heard = countHeard(transports);
      await world.sleep(5_000);
      const before = world.stats.gossip.messages;
      const startMs = world.now;
      for (let byte = 0; byte < 10; byte++)
        await transports[byte * 19]!.topic('t').publish(Uint8Array.of(byte));
      await world.until(() => [...heard.values()].every((own) => own.size >= 9));
      expect(world.now - startMs).toBeLessThan(50);
      await world.sleep(100);
      for (const own of heard.values()) expect([...own.values()].every((times) => times === 1)).toBe(true);
      // Each message once along each edge of the mesh and a little more; degrees are between 4 and 12.
      const perNode = (world.stats.gossip.messages - before) / 10 / count;
      expect(perNode).toBeGreaterThan(2);
      expect(perNode).toBeLessThan(9);
    });
  });

  it('mends its mesh when nodes go and when connections are lost', async () => {
    const world = createWorld({ seed: 12 });
    await world.run(async () => {
      const transports = await overlay(world, 60);
      const heard = countHeard(transports);
      await world.sleep(3_000);
      for (const host of world.hosts.slice(0, 60)) {
        const index = Number(host.name.slice(1));
        if (index % 3 === 1) host.crash({ mode: index % 2 === 0 ? 'kill' : 'powerLoss' });
      }
      const alive = transports.filter((_, index) => index % 3 !== 1);
      await world.sleep(10_000);
      await alive[0]!.topic('t').publish(Uint8Array.of(42));
      await world.until(() => alive.slice(1).every((transport) => heard.get(transport)!.get(42) === 1));
    });
  });

  it('keeps to its degree at a node with many neighbours, and tells some of the others a little later', async () => {
    const world = createWorld({ seed: 5 });
    await world.run(async () => {
      const hub = world.host('hub').transport();
      const spokes = Array.from({ length: 40 }, (_, index) => world.host(`s${index}`).transport());
      for (const spoke of spokes) await spoke.connect('sim://hub');
      const heard = countHeard([hub, ...spokes]);
      await world.sleep(5_000);
      await spokes[7]!.topic('t').publish(Uint8Array.of(1));
      await world.sleep(10);
      const reached = (): number => spokes.filter((spoke) => heard.get(spoke)!.has(1)).length;
      expect(reached()).toBeGreaterThanOrEqual(4);
      expect(reached()).toBeLessThanOrEqual(12);
      await world.until(() => reached() > 20, { withinMs: 5_000 });
    });
  });

  it('grafts others when too few are left, and backs off from who pruned', async () => {
    const world = createWorld({ seed: 5 });
    await world.run(async () => {
      const runtime = world.runtime;
      const peers = Array.from({ length: 12 }, (_, index) => `p${index}` as PeerId);
      const grafted: PeerId[] = [];
      const pruned: PeerId[] = [];
      let candidates: readonly PeerId[] = peers.slice(0, 8);
      const onError = (error: Error): void => {
        throw error;
      };
      const mesh = new Mesh({
        runtime,
        scope: createScope({ runtime, name: 'mesh', onError }),
        candidates: () => candidates,
        graft: (peer) => grafted.push(peer),
        prune: (peer) => pruned.push(peer),
      });
      mesh.join();
      expect(grafted).toHaveLength(6);
      const first = [...grafted];
      const gone = first.slice(0, 3);
      candidates = candidates.filter((peer) => !gone.includes(peer));
      for (const peer of gone) mesh.gone(peer);
      expect([...mesh.peers]).toHaveLength(3);
      await world.sleep(2_000);
      expect([...mesh.peers]).toHaveLength(5);
      // Four are enough, three are not; but who pruned is asked again only after a minute.
      mesh.pruned(first[3]!);
      await world.sleep(2_000);
      expect([...mesh.peers]).toHaveLength(4);
      mesh.pruned(first[4]!);
      await world.sleep(30_000);
      expect([...mesh.peers]).toHaveLength(3);
      await world.sleep(40_000);
      expect([...mesh.peers]).toHaveLength(4);
      expect(mesh.has(first[3]!)).toBe(true);
      for (const peer of peers.slice(8)) mesh.grafted(peer);
      expect([...mesh.peers]).toHaveLength(8);
      for (let index = 0; index < 6; index++) mesh.grafted(`q${index}` as PeerId);
      expect([...mesh.peers]).toHaveLength(12);
      expect(pruned).toEqual(['q4', 'q5']);
    });
  });

  it('counts what subscribers reject', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const [a, b] = [world.host('a').transport(), world.host('b').transport()];
      await a.connect('sim://b');
      b.topic('t').subscribe(() => 'reject');
      await world.until(() => a.topic('t').peers.length === 1);
      await a.topic('t').publish(Uint8Array.of(1));
      await world.until(() => world.stats.gossip.rejected === 1);
    });
  });

  it('costs nothing while nothing changes', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      countHeard(await overlay(world, 30));
      await world.sleep(120_000);
      const before = world.stats.events;
      await world.sleep(600_000);
      expect(world.stats.events - before).toBeLessThan(5);
    });
  });

  it('remembers messages for two minutes', () => {
    let nowMs = 0;
    const seen = new SeenCache({ ...createWorld().runtime, now: () => nowMs });
    expect([seen.add(1), seen.add(1), seen.add(2)]).toEqual([true, false, true]);
    nowMs = 119_999;
    expect(seen.add(1)).toBe(false);
    nowMs = 120_000;
    expect([seen.add(1), seen.add(2), seen.add(1)]).toEqual([true, true, false]);
  });
});
