import { AbortedError, bytesCodec } from '@mosaik/primitives';
import { protocol } from '@mosaik/transport';
import { expect } from 'vitest';
import { linked, type Numbered, Numbers, next, openLink, readAll, type Suite, twoPeers } from './kit.ts';

const Raw = protocol<Uint8Array>({ name: 'compliance/raw', codec: bytesCodec });

const numbered = (count: number): Numbered[] => Array.from({ length: count }, (_, n) => ({ n }));

/** Messages: typed, whole, in order, each once. */
export function messageTests(suite: Suite): void {
  deliveryTests(suite);
  readingTests(suite);
  framingTests(suite);
}

/** Whole, in order, each once. */
function deliveryTests({ test }: Suite): void {
  test('carries typed messages both ways', async (environment) => {
    const { near, far } = await linked(environment);
    await near.send({ n: 1, text: 'there' });
    expect(await next(far)).toEqual({ n: 1, text: 'there' });
    await far.send({ n: 2, text: 'and back' });
    expect(await next(near)).toEqual({ n: 2, text: 'and back' });
  });

  test('names peers, protocol and direction at both ends', async (environment) => {
    const { a, b, near, far } = await linked(environment);
    expect([near.peer, far.peer]).toEqual([b.local.peerId, a.local.peerId]);
    expect([near.direction, far.direction]).toEqual(['outbound', 'inbound']);
    expect(near.protocol).toBe(far.protocol);
  });

  test('delivers messages in the order they were sent, each once', async (environment) => {
    const { near, far } = await linked(environment);
    const messages = numbered(5_000);
    const reading = readAll(far);
    for (const message of messages) await near.send(message);
    await near.close();
    expect(await reading).toEqual(messages);
  });

  test('carries both directions at once', async (environment) => {
    const { near, far } = await linked(environment);
    const sides = [near, far].map(async (link) => {
      const received: Numbered[] = [];
      for (const message of numbered(500)) {
        await link.send(message);
        received.push(await next(link));
      }
      return received;
    });
    expect(await Promise.all(sides)).toEqual([numbered(500), numbered(500)]);
  });

  test('keeps what arrives for a reader that comes later', async (environment) => {
    const { near, far } = await linked(environment);
    await near.send({ n: 1 });
    await near.close();
    await far.ended;
    expect(await readAll(far)).toEqual([{ n: 1 }]);
  });
}

/** Of every size, read in every way. */
function readingTests({ test }: Suite): void {
  test('carries empty messages, and messages of several frames, whole', async (environment) => {
    const { near, far } = await openLink(await twoPeers(environment), Raw);
    const large = new Uint8Array(1024 * 1024).map((_, index) => index % 251);
    const reading = readAll(far);
    await near.send(new Uint8Array(0));
    await near.send(large);
    await near.send(Uint8Array.of(7));
    await near.close();
    const received = await reading;
    expect(received.map((bytes) => bytes.length)).toEqual([0, large.length, 1]);
    expect(received[1]?.every((byte, index) => byte === index % 251)).toBe(true);
  });

  test('sends what is encoded already', async (environment) => {
    const { near, far } = await linked(environment);
    const payload = Numbers.codec.encode({ n: 5 });
    await near.sendEncoded(payload);
    expect(near.trySendEncoded(payload)).toBe(true);
    expect([await next(far), await next(far)]).toEqual([{ n: 5 }, { n: 5 }]);
  });

  test('hands out runs of messages as batches, in order', async (environment) => {
    const { near, far } = await linked(environment);
    for (const message of numbered(1_000)) await near.send(message);
    await near.close();
    const runs: Numbered[][] = [];
    for await (const run of far.batches()) runs.push(run);
    expect(runs.flat()).toEqual(numbered(1_000));
    expect(runs.length).toBeLessThan(100);
  });

  test('gives up receiving when told, and loses nothing by it', async (environment) => {
    const { near, far } = await linked(environment);
    const abort = new AbortController();
    const waiting = far.receive({ signal: abort.signal });
    abort.abort();
    await expect(waiting).rejects.toBeInstanceOf(AbortedError);
    await near.send({ n: 1 });
    expect(await next(far)).toEqual({ n: 1 });
  });
}

/** Few frames for many messages, one at once for one. */
function framingTests({ test }: Suite): void {
  test('does not mix links, nor protocols', async (environment) => {
    const peers = await twoPeers(environment);
    const first = await openLink(peers, Numbers);
    const second = await openLink(peers, Numbers);
    const raw = await openLink(peers, Raw);
    await raw.near.send(Uint8Array.of(3));
    await second.near.send({ n: 2 });
    await first.near.send({ n: 1 });
    expect(await next(first.far)).toEqual({ n: 1 });
    expect(await next(second.far)).toEqual({ n: 2 });
    expect([...(await next(raw.far))]).toEqual([3]);
  });

  test('sends one message on an idle link at once, as one frame', async (environment) => {
    const { near, far } = await linked(environment);
    await near.send({ n: 1 });
    expect(await next(far)).toEqual({ n: 1 });
    expect(near.stats.sentFrames).toBe(1);
  });

  test('sends many small messages of one turn in few frames', async (environment) => {
    const { near, far } = await linked(environment);
    const text = 'x'.repeat(80);
    for (let n = 0; n < 1_000; n++) expect(near.trySend({ n, text })).toBe(true);
    await near.close();
    expect(await readAll(far)).toHaveLength(1_000);
    expect(near.stats.sentMessages).toBe(1_000);
    expect(near.stats.sentFrames).toBeLessThanOrEqual(5);
  });

  test('counts messages and bytes at both ends', async (environment) => {
    const { near, far } = await linked(environment);
    for (const message of numbered(10)) await near.send(message);
    for (let count = 0; count < 10; count++) await next(far);
    expect(near.stats).toMatchObject({ sentMessages: 10, receivedMessages: 0, unsentBytes: 0 });
    expect(far.stats).toMatchObject({ sentMessages: 0, receivedMessages: 10, unreadBytes: 0 });
    expect(far.stats.receivedBytes).toBeGreaterThanOrEqual(near.stats.sentBytes);
  });
}
