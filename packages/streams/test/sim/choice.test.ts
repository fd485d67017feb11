import type { PeerInfo } from '@mosaik/discovery';
import { describe, expect, it } from 'vitest';
import { inWorld, startNode, startNodes } from '../support/cluster.ts';
import { Items, readAll, trickle } from '../support/traffic.ts';

const nearest = (a: PeerInfo, b: PeerInfo): number => (a.rttMs ?? 1e9) - (b.rttMs ?? 1e9);
const rank = ({ tags }: PeerInfo): number => tags.length;
const mostTags = (a: PeerInfo, b: PeerInfo): number => rank(b) - rank(a);

describe('a consumer that takes one producer', () => {
  it('takes the nearest', async () => {
    const network = (a: { name: string }, b: { name: string }): { latencyMs: number } => ({
      latencyMs: [a, b].some(({ name }) => name === 'far') ? 40 : 1,
    });
    await inWorld({ seed: 1, network }, async (world) => {
      const { near, far, me } = await startNodes(world, 'near', 'far', 'me');
      for (const { streams } of [near, far]) streams.producer(Items);
      await world.sleep(10_000);
      const consumer = me.streams.consumer(Items, { maxProducers: 1, prefer: nearest });
      await consumer.when().subscribed();
      expect(consumer.producers.map(({ peer }) => peer.peer)).toEqual([near.transport.local.peerId]);
    });
  });

  it('falls to the next best when the best fails, and goes back when that has been better for a while', async () => {
    await inWorld({ seed: 2 }, async (world) => {
      const { me, good, better } = await startNodes(world, 'me', 'good', 'better');
      better.discovery.addTags('one', 'two');
      good.discovery.addTags('one');
      for (const { streams } of [good, better]) streams.producer(Items);
      const consumer = me.streams.consumer(Items, { maxProducers: 1, prefer: mostTags });
      const current = (): string | undefined =>
        consumer.producers.find(({ state }) => state === 'live')?.peer.peer;
      const [goodId, betterId] = [good.transport.local.peerId, better.transport.local.peerId];
      await world.until(() => current() === betterId);

      better.host.crash();
      const crashMs = world.now;
      await world.until(() => current() === goodId);
      expect(world.now - crashMs).toBeLessThan(2_000);

      // Better again, by what the catalog says: not at once.
      const sinceMs = world.now;
      good.discovery.removeTags('one');
      const tmp = await startNode(world.host('tmp'), { bootstrap: ['sim://me'] });
      tmp.discovery.addTags('one', 'two', 'three');
      tmp.streams.producer(Items);
      await world.until(() => current() === tmp.transport.local.peerId, { withinMs: 30_000 });
      expect(world.now - sinceMs).toBeGreaterThan(5_000);
      expect(consumer.producers).toHaveLength(1);
    });
  });

  it('changes without a lie: what it did not get of the one it came back to is a gap', async () => {
    await inWorld({ seed: 3 }, async (world) => {
      const { me, a, b } = await startNodes(world, 'me', 'a', 'b');
      a.discovery.addTags('x');
      const options = { onlineWhen: (all: { minimumOf(n: number): never }) => all.minimumOf(0) };
      const flows = [a, b].map(({ streams }) => trickle(world, streams.producer(Items, options as never)));
      const consumer = me.streams.consumer(Items, { maxProducers: 1, prefer: mostTags });
      const seen = readAll(consumer);
      await world.sleep(1_000);
      b.discovery.addTags('x', 'y');
      await world.sleep(8_000);
      a.discovery.addTags('y', 'z');
      await world.sleep(8_000);
      await Promise.all(flows.map((flow) => flow.stop()));
      const ofA = seen.filter(({ producer }) => producer === a.transport.local.peerId);
      expect(ofA.filter(({ type }) => type === 'gap')).toHaveLength(1);
      let next: number | undefined;
      for (const record of ofA) {
        const first = record.type === 'gap' ? record.from : record.sequence;
        expect(first).toBe(next ?? first);
        next = record.type === 'gap' ? record.to : first + 1;
      }
    });
  });
});
