import { bytesCodec, cborCodec, encodeCbor } from '@mosaik/primitives';
import { FrameTooLargeError, type Protocol, protocol } from '@mosaik/transport';
import { expect } from 'vitest';
import { endOf, type Numbered, Numbers, next, openLink, readToError, type Suite, twoPeers } from './kit.ts';

const MIB = 1024 * 1024;
const name = 'compliance/strict';

/** Accepts `{ n: number }` and nothing else. */
const schema = {
  '~standard': {
    version: 1,
    vendor: 'mosaik',
    validate: (value: unknown) =>
      typeof value === 'object' && value !== null && 'n' in value && typeof value.n === 'number'
        ? { value: value as Numbered }
        : { issues: [{ message: 'not a number', path: ['n'] }] },
  },
} as const;

const Strict: Protocol<Numbered> = protocol({ name, codec: cborCodec<Numbered>({ schema }) });
/** The same protocol, as a peer would define it that sends whatever it likes. */
const Anything: Protocol<Uint8Array> = protocol({ name, codec: bytesCodec, maxFrameBytes: 64 * MIB });

/** What peers send that they must not: refused with a code, at both ends, and nothing else is affected. */
export function badInputTests({ test }: Suite): void {
  test('refuses to send a message over the limit, and goes on', async (environment) => {
    const small = protocol({ name, codec: cborCodec<Numbered>(), maxFrameBytes: 1_000 });
    const { near, far } = await openLink(await twoPeers(environment), small);
    const text = 'x'.repeat(1_000);
    await expect(near.send({ n: 1, text })).rejects.toBeInstanceOf(FrameTooLargeError);
    expect(() => near.trySend({ n: 1, text })).toThrow(FrameTooLargeError);
    await near.send({ n: 2 });
    expect(await next(far)).toEqual({ n: 2 });
  });

  test('carries a message of exactly the limit', async (environment) => {
    const exact = protocol({ name, codec: bytesCodec, maxFrameBytes: 100_000 });
    const { near, far } = await openLink(await twoPeers(environment), exact);
    await near.send(new Uint8Array(100_000));
    expect(await next(far)).toHaveLength(100_000);
  });

  test('closes with 413 at both ends on a frame over 16 MiB, before it is buffered', async (environment) => {
    const { near, far } = await openLink(await twoPeers(environment), Anything, Strict);
    const sending = near.send(new Uint8Array(17 * MIB)).catch(() => undefined);
    expect(await endOf(far)).toEqual({ kind: 'violation', code: 413 });
    expect(await endOf(near)).toEqual({ kind: 'closed', by: 'remote', code: 413 });
    expect(far.stats.receivedBytes).toBeLessThan(MIB);
    await sending;
  });

  test('closes with 400 at both ends on bytes that cannot be decoded', async (environment) => {
    const { near, far } = await openLink(await twoPeers(environment), Anything, Strict);
    await near.send(Uint8Array.of(0xff, 0x00, 0x13));
    await readToError(far);
    expect(far.end).toMatchObject({ kind: 'violation', code: 400 });
    expect(await endOf(near)).toEqual({ kind: 'closed', by: 'remote', code: 400 });
  });

  test('closes with 400 at both ends on a message of the wrong shape', async (environment) => {
    const { near, far } = await openLink(await twoPeers(environment), Anything, Strict);
    await near.send(encodeCbor({ n: 'one' }));
    await readToError(far);
    expect(far.end).toMatchObject({ kind: 'violation', code: 400 });
    expect(await endOf(near)).toEqual({ kind: 'closed', by: 'remote', code: 400 });
  });

  test('delivers what came before the bad message', async (environment) => {
    const { near, far } = await openLink(await twoPeers(environment), Anything, Strict);
    await near.send(encodeCbor({ n: 1 }));
    await near.send(Uint8Array.of(0xff));
    const { messages } = await readToError(far);
    expect(messages).toEqual([{ n: 1 }]);
  });

  test('leaves other links and the connection untouched', async (environment) => {
    const peers = await twoPeers(environment);
    const good = await openLink(peers, Numbers);
    const bad = await openLink(peers, Anything, Strict);
    await bad.near.send(Uint8Array.of(0xff));
    await readToError(bad.far);
    await good.near.send({ n: 1 });
    expect(await next(good.far)).toEqual({ n: 1 });
    expect(peers.a.connections.value.size).toBe(1);
  });
}
