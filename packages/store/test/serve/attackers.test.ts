import { createDiscovery } from '@mosaik/discovery';
import { randomId, uniqueId } from '@mosaik/primitives';
import { type Epoch, stream } from '@mosaik/streams';
import type { World } from '@mosaik/testing';
import type { Link, Transport } from '@mosaik/transport';
import { describe, expect, it } from 'vitest';
import { memory, type Retained, StoreCode } from '../../src/index.ts';
import { encodeList, encodeRead } from '../../src/wire/messages.ts';
import { logProtocol } from '../../src/wire/protocol.ts';
import { encodeAskSnapshot } from '../../src/wire/snapshots.ts';
import { addressOf, inWorld, type Node, range, startNodes, takeToMark } from '../support/cluster.ts';

const Numbers = stream<number>('numbers');

interface Scene {
  readonly ann: Node;
  readonly retained: Retained;
  readonly eve: Transport;
  readonly entry: Uint8Array;
  readonly open: () => Promise<Link<Uint8Array>>;
}

/** A producer, and somebody who speaks to its store by hand. */
async function inScene(test: (scene: Scene, world: World) => Promise<void>): Promise<void> {
  await inWorld({ seed: 1 }, async (world) => {
    const { ann } = await startNodes(world, 'ann');
    const retained = await ann.store.retain(Numbers, { storage: memory() });
    const producer = ann.streams.producer(Numbers);
    for (const n of range(0, 100)) await producer.send(n);
    const eve = world.host('eve').transport();
    const discovery = await createDiscovery({ transport: eve, bootstrap: [addressOf(ann.host)] });
    await world.until(() => discovery.catalog.size === 1);
    const open = (): Promise<Link<Uint8Array>> => eve.open(ann.transport.local.peerId, logProtocol);
    await test({ ann, retained, eve, entry: discovery.signedMe, open }, world);
    // Whatever happened, others are served.
    const replay = ann.store.replay(Numbers);
    expect((await takeToMark(replay)).length).toBe(producer.position.next + 1);
  });
}

/** What a request is answered with: the code that the link is closed with, or the kind of the answer. */
async function answerTo(link: Link<Uint8Array>, ...messages: readonly Uint8Array[]): Promise<unknown> {
  for (const message of messages) await link.sendEncoded(message).catch(() => {});
  const answer = await link.receive().catch(() => undefined);
  if (answer !== undefined) return { kind: answer[0] };
  const end = await link.ended;
  return 'code' in end ? end.code : end.kind;
}

const log = '00000000000000ff' as Epoch;

describe('somebody who asks by hand', () => {
  it('is closed with a code for what cannot be read', async () => {
    await inScene(async ({ open }) => {
      const malformed = [
        [],
        [1],
        [1, 0x80],
        [2, 0x81, 0x00],
        [4, 0xff],
        [5, 0x80],
        [99, 1, 2],
        [3, 1, 0, 1, 7],
      ];
      for (const bytes of malformed) {
        expect(await answerTo(await open(), Uint8Array.from(bytes))).toBe(StoreCode.Malformed);
      }
    });
  });

  it('is told what is not here', async () => {
    await inScene(async ({ open, entry, retained }) => {
      const own = retained.own as NonNullable<Retained['own']>;
      const list = encodeList({ stream: uniqueId('unknown'), entry, sinceMs: undefined });
      expect(await answerTo(await open(), list)).toBe(StoreCode.NotFound);
      const read = { kind: 'read', entry, from: 0, to: 10 } as const;
      const elsewhere = { ...own, producer: randomId(testRandom) as typeof own.producer };
      expect(await answerTo(await open(), encodeRead({ ...read, identity: elsewhere }))).toBe(
        StoreCode.NotFound,
      );
      const other = encodeRead({ ...read, identity: { ...own, log } });
      expect(await answerTo(await open(), other)).toBe(StoreCode.OtherLog);
      const ahead = encodeRead({ ...read, identity: own, from: 101 });
      expect(await answerTo(await open(), ahead)).toBe(StoreCode.Ahead);
      const fold = { fold: uniqueId('no fold'), entry, hash: undefined, from: 0, to: 0 } as const;
      expect(await answerTo(await open(), encodeAskSnapshot(fold as never))).toBe(StoreCode.NotFound);
    });
  });

  it('is let go when it asks nothing, and does not hold up others by not reading', async () => {
    await inScene(async ({ open, entry, retained, ann }, world) => {
      const silent = await open();
      const greedy = await open();
      const identity = retained.own as NonNullable<Retained['own']>;
      await greedy.sendEncoded(encodeRead({ kind: 'follow', identity, entry, from: 0, to: 0 }));
      const producer = ann.streams.producer(Numbers);
      const before = world.now;
      for (const n of range(100, 200_000)) await producer.send(n);
      expect(world.now - before).toBeLessThan(1_000);
      await world.sleep(20_000);
      expect(await silent.ended).toMatchObject({ code: StoreCode.Timeout });
      expect(greedy.end).toBeUndefined();
      greedy.abort();
      await world.until(() => ann.store.stats.readers === 0);
      const replay = ann.store.replay(Numbers, { from: { offset: 199_900 } });
      expect((await takeToMark(replay)).length).toBe(101);
    });
  });

  it('has a bound on how much it reads at once', async () => {
    await inScene(async ({ open, entry }) => {
      const list = encodeList({ stream: Numbers.id, entry, sinceMs: undefined });
      const links = await Promise.all(Array.from({ length: 520 }, () => open()));
      const answers = await Promise.all(links.map((link) => answerTo(link, list)));
      expect(answers.filter((answer) => answer === StoreCode.TooMany)).toHaveLength(8);
      expect(answers.filter((answer) => typeof answer === 'object')).toHaveLength(512);
      for (const link of links) link.abort();
    });
  });

  it('of whom nothing is known is not let in', async () => {
    await inWorld({ seed: 3 }, async (world) => {
      const { ann } = await startNodes(world, 'ann');
      await ann.store.retain(Numbers, { storage: memory() });
      const eve = world.host('eve').transport();
      const peer = await eve.connect(addressOf(ann.host));
      const link = await eve.open(peer, logProtocol);
      const list = encodeList({ stream: Numbers.id, entry: new Uint8Array(0), sinceMs: undefined });
      expect(await answerTo(link, list)).toBe(StoreCode.NotAllowed);
    });
  });
});

const testRandom = { randomBytes: (count: number): Uint8Array => new Uint8Array(count).fill(7) };
