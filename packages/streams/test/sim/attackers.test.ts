import { createDiscovery } from '@mosaik/discovery';
import { encodeCbor, idToBytes } from '@mosaik/primitives';
import type { World } from '@mosaik/testing';
import type { Link, LinkEnd } from '@mosaik/transport';
import { describe, expect, it } from 'vitest';
import { type Producer, StreamCode, stream } from '../../src/index.ts';
import { BlockWriter } from '../../src/wire/block.ts';
import {
  type Epoch,
  encodeAccepted,
  encodeFinished,
  encodeSubscribe,
  Kind,
} from '../../src/wire/messages.ts';
import { streamProtocol } from '../../src/wire/protocol.ts';
import { inWorld, type Node, startNodes } from '../support/cluster.ts';
import {
  gapsOf,
  type Item,
  Items,
  KILOBYTE,
  numbersOf,
  range,
  readAll,
  sendItems,
} from '../support/traffic.ts';

type RawLink = Link<Uint8Array>;

function subscribe(node: Node, criteria?: unknown): Uint8Array {
  return encodeSubscribe({ stream: Items.id, criteria, entry: node.discovery.signedMe });
}

/** A producer with an honest consumer, and a node that does what it likes. */
async function withAttacker(
  seed: number,
  test: (cast: { world: World; target: Node; attacker: Node; producer: Producer<Item> }) => Promise<void>,
): Promise<void> {
  await inWorld({ seed }, async (world) => {
    const { target, honest, attacker } = await startNodes(world, 'target', 'honest', 'attacker');
    const producer = target.streams.producer(Items);
    const consumer = honest.streams.consumer(Items);
    const seen = readAll(consumer);
    await producer.when().online();
    await attacker.discovery.watch().until((catalog) => catalog.size === 2);
    await sendItems(producer, 100);
    await test({ world, target, attacker, producer });
    await sendItems(producer, 100, 100);
    await world.sleep(1_000);
    expect(numbersOf(seen).filter((n) => n < 1_000)).toEqual(range(0, 200));
    expect(gapsOf(seen)).toEqual([]);
    expect(consumer.producers[0]?.stats.lastError).toBeUndefined();
  });
}

function message(kind: number, body: unknown): Uint8Array {
  const encoded = encodeCbor(body);
  const bytes = new Uint8Array(1 + encoded.length);
  bytes[0] = kind;
  bytes.set(encoded, 1);
  return bytes;
}

function openTo(target: Node, from: Node): Promise<RawLink> {
  return from.transport.open(target.transport.local.peerId, streamProtocol);
}

function refusedBy(node: Node): Record<string, number> {
  const points = node.transport.metrics.snapshot()['mosaik.streams.refused'] ?? [];
  return Object.fromEntries(points.map(({ labels, value }) => [String(labels['code']), value]));
}

const closed = (code: number): object => ({ kind: 'closed', by: 'remote', code });

describe('a subscriber that says what it must not', () => {
  const id = idToBytes(Items.id);
  const subscription = (...body: unknown[]): Uint8Array => message(Kind.Subscribe, body);
  const cases: Record<string, Uint8Array> = {
    nothing: new Uint8Array(0),
    garbage: Uint8Array.of(0xff, 1, 2, 3),
    'a block': Uint8Array.of(Kind.Block, 0, 0, 1, 7),
    'no list': message(Kind.Subscribe, 'hello'),
    'half of a subscription': subscription(id, null, new Uint8Array(9)).slice(0, 20),
    'criteria that are none': subscription(id, 'n > 3', new Uint8Array(0)),
    'an operator that runs code': subscription(id, { $where: 'while (true) {}' }, new Uint8Array(0)),
    'criteria that cost too much': subscription(
      id,
      { $or: Array.from({ length: 500 }, (_, n) => ({ n })) },
      new Uint8Array(0),
    ),
    'a subscription that is too large': subscription(id, null, new Uint8Array(300 * 1024)),
  };
  it.each(Object.entries(cases))('%s is refused as malformed', (_, bytes) =>
    withAttacker(1, async ({ target, attacker }) => {
      const link = await openTo(target, attacker);
      await link.sendEncoded(bytes);
      expect(await link.ended).toMatchObject(closed(StreamCode.Malformed));
      expect(refusedBy(target)).toEqual({ [StreamCode.Malformed]: 1 });
    }),
  );

  it('another stream is told that there is none', () =>
    withAttacker(2, async ({ target, attacker }) => {
      const link = await openTo(target, attacker);
      const entry = attacker.discovery.signedMe;
      await link.sendEncoded(encodeSubscribe({ stream: stream('none').id, criteria: undefined, entry }));
      expect(await link.ended).toMatchObject(closed(StreamCode.StreamNotFound));
    }));

  it('nothing at all is refused after ten seconds', () =>
    withAttacker(3, async ({ world, target, attacker }) => {
      const link = await openTo(target, attacker);
      await world.sleep(9_000);
      expect(link.end).toBeUndefined();
      expect(await link.ended).toMatchObject(closed(StreamCode.Timeout));
      expect(refusedBy(target)).toEqual({ [StreamCode.Timeout]: 1 });
    }));

  it('garbage after it was accepted is not listened to', () =>
    withAttacker(4, async ({ world, target, attacker, producer }) => {
      const link = await openTo(target, attacker);
      await link.sendEncoded(subscribe(attacker));
      await producer.when().subscribed().minimumOf(2);
      for (let n = 0; n < 3_000; n++) if (!link.trySendEncoded(KILOBYTE)) break;
      await world.sleep(1_000);
      expect(producer.consumers).toHaveLength(2);
      await link.close();
    }));
});

describe('a subscriber that subscribes a thousand times', () => {
  it('has 32 subscriptions, and the rest refused', () =>
    withAttacker(5, async ({ world, target, attacker, producer }) => {
      const outcomes: Record<string, number> = {};
      const attempt = async (): Promise<string> => {
        const link = await openTo(target, attacker);
        await link.sendEncoded(subscribe(attacker));
        const answer = await link.receive();
        return answer === undefined ? 'over' : 'accepted';
      };
      const codeOf = (error: { end?: LinkEnd; name: string }): string =>
        error.end !== undefined && 'code' in error.end ? String(error.end.code) : error.name;
      await Promise.all(
        Array.from({ length: 1_000 }, async () => {
          const outcome = await attempt().catch(codeOf);
          outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        }),
      );
      await world.sleep(100);
      expect(outcomes['accepted']).toBe(32);
      expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(1_000);
      // Beyond a rate of openings the transport does not even let them in.
      expect(Object.keys(outcomes).sort()).toEqual([String(StreamCode.NoCapacity), '429', 'accepted'].sort());
      expect(
        producer.consumers.filter(({ peer }) => peer.peer === attacker.transport.local.peerId),
      ).toHaveLength(32);
    }));
});

describe('a subscriber that never reads', () => {
  it('is dropped as too slow, and costs what its queue holds', () =>
    withAttacker(6, async ({ world, target, attacker, producer }) => {
      const link = await openTo(target, attacker);
      await link.sendEncoded(subscribe(attacker));
      await producer.when().subscribed().minimumOf(2);
      let queued = 0;
      for (let n = 1_000; n < 20_000 && producer.stats.droppedTooSlow === 0; n++) {
        await producer.send({ n, weight: KILOBYTE });
        queued = Math.max(queued, ...producer.consumers.map(({ stats }) => stats.lagBytes));
      }
      await world.sleep(10);
      expect(producer.stats.droppedTooSlow).toBe(1);
      expect(queued).toBeLessThan(8.1 * 1024 * 1024);
      expect(target.streams.producers).toHaveLength(1);
    }));
});

describe('a producer that lies', () => {
  const epoch = '00000000000000aa' as Epoch;
  const other = '00000000000000bb' as Epoch;
  const block = (first: number, count: number): Uint8Array => {
    const writer = new BlockWriter();
    for (let n = first; n < first + count; n++) writer.append(n, Items.codec.encode({ n }));
    return writer.seal().bytes;
  };
  const cutOff = (): Uint8Array => block(10, 3).slice(0, -2);

  /** A node that says it produces, and says this to the first who subscribes; later ones it leaves without an answer. */
  const startLiar = async (
    world: World,
    messages: readonly Uint8Array[],
  ): Promise<{ readonly ends: LinkEnd[]; readonly peer: string }> => {
    const transport = world.host('liar').transport();
    const discovery = await createDiscovery({ transport, bootstrap: ['sim://honest'] });
    discovery.advertise({ kind: 'stream', id: Items.id, name: 'items' });
    const ends: LinkEnd[] = [];
    transport.accept(streamProtocol, async (link) => {
      await link.receive();
      if (ends.length === 0) for (const bytes of messages) await link.sendEncoded(bytes).catch(() => {});
      ends.push(await link.ended);
    });
    return { ends, peer: transport.local.peerId };
  };

  const run = async (...world: Parameters<typeof inWorld>): Promise<void> => void (await inWorld(...world));

  const lies: Record<string, { says: Uint8Array[]; seen: number[] }> = {
    'answers garbage': { says: [Uint8Array.of(99)], seen: [] },
    'answers with a block': { says: [block(0, 3)], seen: [] },
    'has an epoch that is none': { says: [message(Kind.Accepted, ['aa', 0])], seen: [] },
    'leaves out a block': {
      says: [encodeAccepted({ epoch, next: 0 }), block(0, 3), block(5, 3)],
      seen: [0, 1, 2],
    },
    'repeats a block': {
      says: [encodeAccepted({ epoch, next: 0 }), block(0, 3), block(0, 3)],
      seen: [0, 1, 2],
    },
    'cuts off a datum': { says: [encodeAccepted({ epoch, next: 10 }), cutOff()], seen: [] },
    'ends before its end': {
      says: [encodeAccepted({ epoch, next: 0 }), block(0, 3), encodeFinished({ next: 9 })],
      seen: [0, 1, 2],
    },
    'goes on after its end': {
      says: [encodeAccepted({ epoch, next: 0 }), block(0, 3), encodeFinished({ next: 3 }), block(3, 2)],
      seen: [0, 1, 2],
    },
  };
  it.each(Object.entries(lies))(
    'and %s is told that it is malformed, and others are not affected',
    (_, { says, seen }) =>
      run({ seed: 7 }, async (world) => {
        const { honest, bob } = await startNodes(world, 'honest', 'bob');
        const liar = await startLiar(world, says);
        const consumer = bob.streams.consumer(Items);
        const records = readAll(consumer);
        const producer = honest.streams.producer(Items);
        await producer.when().online();
        await world.until(() => liar.ends.length > 0);
        expect(liar.ends[0]).toMatchObject(closed(StreamCode.Malformed));
        await sendItems(producer, 100);
        await world.sleep(1_000);
        const own = honest.transport.local.peerId;
        expect(numbersOf(records.filter((record) => record.producer === own))).toEqual(range(0, 100));
        expect(numbersOf(records.filter((record) => record.producer === liar.peer))).toEqual(seen);
        expect(consumer.producers.find(({ peer }) => peer.peer === liar.peer)?.stats.lastError).toBeDefined();
      }),
  );

  it('and goes back in its epoch, or changes it, delivers nothing twice and nothing without a gap', async () => {
    await inWorld({ seed: 8 }, async (world) => {
      const { honest, bob } = await startNodes(world, 'honest', 'bob');
      const transport = world.host('liar').transport();
      const discovery = await createDiscovery({ transport, bootstrap: [`sim://${honest.host.name}`] });
      discovery.advertise({ kind: 'stream', id: Items.id, name: 'items' });
      const answers = [
        [encodeAccepted({ epoch, next: 5 }), block(5, 5)],
        [encodeAccepted({ epoch, next: 7 }), block(7, 5)],
        [encodeAccepted({ epoch: other, next: 3 }), block(3, 2)],
      ];
      transport.accept(streamProtocol, async (link) => {
        await link.receive();
        const answer = answers.shift();
        for (const bytes of answer ?? []) await link.sendEncoded(bytes).catch(() => {});
        await world.sleep(50);
        if (answer === undefined) await link.ended;
        else link.abort();
      });
      const seen = readAll(bob.streams.consumer(Items));
      await world.sleep(20_000);
      expect(numbersOf(seen)).toEqual([5, 6, 7, 8, 9, 3, 4]);
      expect(gapsOf(seen)).toMatchObject([
        { epoch, from: 10, to: undefined },
        { epoch: other, from: 0, to: 3 },
      ]);
    });
  });
});
