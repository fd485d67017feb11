import { createDiscovery } from '@mosaik/discovery';
import { stream } from '@mosaik/streams';
import type { World } from '@mosaik/testing';
import type { Link } from '@mosaik/transport';
import { describe, expect, it } from 'vitest';
import { blockOf } from '../../src/compliance/kit.ts';
import { memory } from '../../src/index.ts';
import { encodeReached, encodeSkipped, encodeTime, type LogOffer } from '../../src/wire/messages.ts';
import { addressOf, dataIn, inWorld, type Node, range, startNodes, takeToMark } from '../support/cluster.ts';
import { begin, lie } from '../support/liar.ts';

const Blobs = stream<Uint8Array>('blobs');
const COUNT = 3_000;
const BYTES = 1_000;

const contents = (data: readonly Uint8Array[]): number[] =>
  data.map((blob) => (blob[0] ?? 0) * 256 + (blob[1] ?? 0));

/** A producer with some history, and a node beside it that poses as a mirror, which replays prefer. */
async function withLiar(
  world: World,
  read: (link: Link<Uint8Array>) => Promise<void>,
): Promise<{ ann: Node; bob: Node; stats: { asked: number } }> {
  const { ann, bob } = await startNodes(world, 'ann', 'bob');
  const own = await ann.store.retain(Blobs, { storage: memory() });
  const producer = ann.streams.producer(Blobs);
  for (const n of range(0, COUNT)) {
    const blob = new Uint8Array(BYTES);
    blob.set([n >> 8, n & 255]);
    await producer.send(blob);
  }
  const transport = world.host('eve').transport();
  const discovery = await createDiscovery({ transport, bootstrap: [addressOf(ann.host)] });
  const offer = (): LogOffer => ({
    producer: ann.transport.local.peerId,
    log: own.own?.log as LogOffer['log'],
    first: 0,
    next: COUNT,
    bytes: COUNT * BYTES,
    newestMs: 1,
    isOwn: false,
    since: undefined,
  });
  const stats = lie({ transport, discovery }, Blobs.id, { offers: () => [offer()], read });
  await world.until(() => bob.discovery.catalog.size === 2);
  return { ann, bob, stats };
}

const lies: [string, (link: Link<Uint8Array>) => Promise<void>][] = [
  ['blocks that are out of their place', (link) => send(link, blockOf(500, 600).bytes)],
  ['blocks that go back', (link) => send(link, blockOf(0, 100).bytes, blockOf(50, 100).bytes)],
  ['blocks before what was asked for', (link) => send(link, blockOf(0, 100).bytes, blockOf(0, 100).bytes)],
  ['a skip that goes back', (link) => send(link, blockOf(0, 100).bytes, encodeSkipped(50))],
  ['an end that it has not come to', (link) => send(link, encodeReached(70))],
  ['times that go back', (link) => send(link, encodeTime(5))],
  ['blocks that are none', (link) => send(link, Uint8Array.of(3, 200, 200))],
  ['nothing that is a message', (link) => link.sendEncoded(Uint8Array.of(17, 0xff, 0xff))],
  ['silence', () => Promise.resolve()],
  ['an end at once', (link) => link.close()],
];

async function send(link: Link<Uint8Array>, ...messages: readonly Uint8Array[]): Promise<void> {
  await begin(link, 0, COUNT);
  for (const message of messages) await link.sendEncoded(message);
}

describe('a mirror that lies', () => {
  it.each(lies)('with %s is left, and what it holds is had from elsewhere', async (_name, read) => {
    await inWorld({ seed: 1 }, async (world) => {
      const { bob, stats } = await withLiar(world, read);
      const replay = bob.store.replay(Blobs, { minHolders: 2 });
      const past = dataIn(await takeToMark(replay));
      // What is well-formed and in its place cannot be told from the truth.
      const honest = past.filter((blob) => blob.length === BYTES);
      expect(contents(honest)).toEqual(range(COUNT - honest.length, COUNT));
      expect(honest.length).toBeGreaterThanOrEqual(COUNT - 100);
      expect(stats.asked).toBeGreaterThan(0);
      expect(replay.stats.gaps).toBe(0);
    });
  });

  /** An hour of churn of the whole stack, seed 43: a store that closed had just been asked, and was said to misbehave. */
  it('that says goodbye before it has answered has not lied', async () => {
    await inWorld({ seed: 43 }, async (world) => {
      const { bob, stats } = await withLiar(world, (link) => link.close());
      const replay = bob.store.replay(Blobs, { minHolders: 2 });
      expect(contents(dataIn(await takeToMark(replay)))).toEqual(range(0, COUNT));
      expect(stats.asked).toBeGreaterThan(0);
      expect(replay.stats.misbehaved).toBe(0);
    });
  });

  it('that says it writes the log of another is not listened to at all', async () => {
    await inWorld({ seed: 2 }, async (world) => {
      const { ann, bob } = await startNodes(world, 'ann', 'bob');
      const own = await ann.store.retain(Blobs, { storage: memory() });
      await ann.streams.producer(Blobs).send(Uint8Array.of(1));
      const transport = world.host('eve').transport();
      const discovery = await createDiscovery({ transport, bootstrap: [addressOf(ann.host)] });
      const identity = own.own as NonNullable<typeof own.own>;
      const stats = lie({ transport, discovery }, Blobs.id, {
        offers: () => [
          { ...identity, first: 0, next: 900, bytes: 9_000_000, newestMs: 1, isOwn: true, since: undefined },
        ],
        read: (link) => begin(link, 0, 900),
      });
      await world.until(() => bob.discovery.catalog.size === 2);
      const replay = bob.store.replay(Blobs);
      const [datum] = (await Array.fromAsync(takeOne(replay))) as Uint8Array[];
      expect(datum).toEqual(Uint8Array.of(1));
      await world.sleep(20_000);
      expect(stats.asked).toBe(0);
    });
  });
});

async function* takeOne<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const item of source) {
    yield item;
    return;
  }
}
