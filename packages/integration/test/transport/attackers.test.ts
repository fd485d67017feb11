import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import type { Libp2p, Stream } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { decodeCbor } from '@mosaik/primitives';
import {
  type Link,
  ProtocolUnsupportedError,
  protocolId,
  type Transport,
  WrongPeerError,
} from '@mosaik/transport';
import { multiaddr } from '@multiformats/multiaddr';
import fc from 'fast-check';
import { createLibp2p } from 'libp2p';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressOf, LOOPBACK, startNode } from '../support/nodes.ts';
import { Echo, echo, type Item, roundTrip } from '../support/protocols.ts';
import { until, within } from '../support/wait.ts';

const HEADER_BYTES = 4;

/** libp2p by its README: what anybody can run who knows our protocol ids. */
function startBare(): Promise<Libp2p> {
  return createLibp2p({
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  });
}

function header(word: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  new DataView(bytes.buffer).setUint32(0, word);
  return bytes;
}

/** Everything the other side says on a stream until it ends. */
function heard(stream: Stream): Promise<Uint8Array> {
  const chunks: number[] = [];
  return new Promise((resolve) => {
    const done = (): void => resolve(Uint8Array.from(chunks));
    stream.addEventListener('message', ({ data }) => void chunks.push(...data.subarray()));
    stream.addEventListener('remoteCloseWrite', done);
    stream.addEventListener('close', done);
    if (stream.status !== 'open') done();
  });
}

/** The code of the close record that `bytes` are. */
function codeIn(bytes: Uint8Array): unknown {
  const record = decodeCbor(bytes.subarray(HEADER_BYTES)) as unknown[];
  expect(record[0]).toBe(1);
  return record[1];
}

let victim: Transport;
let friend: Transport;
let attacker: Libp2p;
/** Links of the friend to the victim: they must not notice anything. */
let link: Link<Item>;
const ends: string[] = [];

beforeAll(async () => {
  victim = await startNode({ secretKey: 'attacked', dialTimeoutMs: 20_000 });
  victim.accept(
    Echo,
    async (one) => {
      void one.ended.then((end) => ends.push('code' in end ? `${end.kind} ${end.code}` : end.kind));
      await echo(one);
    },
    { maxOpensPerSecond: 1_000 },
  );
  friend = await startNode({ secretKey: 'friend' });
  await friend.connect(addressOf(victim));
  link = await friend.open(victim.local.peerId, Echo);
  attacker = await startBare();
});

afterAll(async () => {
  await Promise.all([victim?.close(), friend?.close(), attacker?.stop()]);
});

function attack(): Promise<Stream> {
  return attacker.dialProtocol(multiaddr(addressOf(victim)), protocolId(victim.local.network, Echo));
}

/** How many links of the protocol have ended so. */
function counted(kind: string, code: number): number {
  const points = victim.metrics.snapshot()['mosaik.link.ended'] ?? [];
  const point = points.find(({ labels }) => labels['kind'] === kind && labels['code'] === code);
  return typeof point?.value === 'number' ? point.value : 0;
}

describe('a peer that speaks the protocol id and nothing else', () => {
  it.each([
    ['a header over the limit', 413, [header(16 * 1024 * 1024 + 1)], false],
    ['a control record over its limit', 400, [header(0x8000_0000 + 1_025)], false],
    ['a frame that is no message', 400, [header(3), Uint8Array.of(0xff, 0xff, 0xff)], false],
    ['a control record that is none', 400, [header(0x8000_0001), Uint8Array.of(0x00)], false],
    ['a frame that breaks off', 400, [header(100), new Uint8Array(10)], true],
    ['a header that breaks off', 400, [Uint8Array.of(0, 0)], true],
  ])('and sends %s, is refused with %i, told so, and counted', async (_, code, chunks, isEnding) => {
    const before = counted('violation', code);
    const stream = await attack();
    const answer = heard(stream);
    for (const chunk of chunks) stream.send(chunk);
    if (isEnding) await stream.close();
    expect(codeIn(await within('the answer', 5_000, answer))).toBe(code);
    await until('it is counted', 5_000, () => counted('violation', code) === before + 1);
    await roundTrip(link, code);
    stream.abort(new Error('done'));
  });

  it('and sends random bytes, has its link ended and nothing else', async () => {
    const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { minLength: 1, maxLength: 4 });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(chunks, async (bytes) => {
        const before = ends.length;
        const stream = await attack();
        try {
          for (const chunk of bytes) stream.send(chunk);
          await stream.close();
        } catch {
          // It was refused before it had said everything.
        }
        await until('the link has ended', 5_000, () => ends.length > before);
        expect(ends.at(-1)).toMatch(/^(violation 400|violation 413|lost)$/);
        stream.abort(new Error('done'));
        await roundTrip(link, run++);
      }),
      { numRuns: 60 },
    );
    expect(ends.filter((end) => end.startsWith('violation')).length).toBeGreaterThan(20);
    expect(link.end).toBeUndefined();
  });

  it('is not among the connections, and is dropped when it has not joined in time', async () => {
    await using strict = await startNode({ secretKey: 'strict', dialTimeoutMs: 300 });
    strict.accept(Echo, echo);
    const connection = await attacker.dial(multiaddr(addressOf(strict)));
    expect(strict.connections.value.size).toBe(0);
    await until('it is dropped', 5_000, () => connection.status !== 'open');
    expect(strict.connections.value.size).toBe(0);
  });

  it('opens a second liveness link in vain', async () => {
    const liveness = protocolId(victim.local.network, { name: 'transport/liveness', version: 1 });
    const address = multiaddr(addressOf(victim));
    const known = victim.connections.value.size;
    const first = await attacker.dialProtocol(address, liveness);
    await until('it is a member', 5_000, () => victim.connections.value.size === known + 1);
    const second = await attacker.dialProtocol(address, liveness).catch(() => undefined);
    await until('the second is refused', 5_000, () => second === undefined || second.status !== 'open');
    expect(first.status).toBe('open');
    expect(victim.connections.value.size).toBe(known + 1);
    await roundTrip(link, 2);
    // Garbage on the first is the end of the connection.
    first.send(header(0x7fff_ffff));
    await until('it is none any more', 5_000, () => victim.connections.value.size === known);
  });
});

describe('a node of another network', () => {
  it('cannot connect, in either direction, and neither side lists the other', async () => {
    await using stranger = await startNode({ secretKey: 'stranger', network: 'another' });
    await expect(stranger.connect(addressOf(victim))).rejects.toBeInstanceOf(ProtocolUnsupportedError);
    await expect(victim.connect(addressOf(stranger))).rejects.toBeInstanceOf(ProtocolUnsupportedError);
    expect(stranger.connections.value.size).toBe(0);
    expect([...victim.connections.value.keys()]).toEqual([friend.local.peerId]);
    victim.setAddresses(stranger.local.peerId, stranger.local.addresses.value);
    await expect(victim.open(stranger.local.peerId, Echo)).rejects.toBeInstanceOf(ProtocolUnsupportedError);
    await roundTrip(link, 3);
    // What it dialled itself, and what it was dialled by.
    const strangers = (direction: string): number =>
      (victim.metrics.snapshot()['mosaik.transport.strangers'] ?? [])
        .filter(({ labels }) => labels['direction'] === direction)
        .reduce((sum, point) => sum + ('value' in point ? Number(point.value) : 0), 0);
    await until('all are counted', 5_000, () => strangers('inbound') >= 1 && strangers('outbound') >= 2);
  });
});

describe('an address that another peer answers', () => {
  it('is refused, by its own name and by the name that was meant', async () => {
    await using other = await startNode({ secretKey: 'other', listen: [LOOPBACK] });
    await using misled = await startNode({ secretKey: 'misled' });
    const [base, name] = addressOf(victim).split('/p2p/') as [string, string];
    const [otherBase] = addressOf(other).split('/p2p/') as [string, string];
    await expect(misled.connect(`${otherBase}/p2p/${name}`)).rejects.toBeInstanceOf(WrongPeerError);
    // Told of a peer at the address of another one: without a name, and with the other's.
    misled.setAddresses(other.local.peerId, [base]);
    await expect(misled.open(other.local.peerId, Echo)).rejects.toBeInstanceOf(WrongPeerError);
    misled.setAddresses(other.local.peerId, [addressOf(victim)]);
    await expect(misled.open(other.local.peerId, Echo)).rejects.toBeInstanceOf(WrongPeerError);
    expect(misled.connections.value.has(other.local.peerId)).toBe(false);
  });
});
