import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import type { Libp2p } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { InvalidArgumentError } from '@mosaik/primitives';
import { type Link, PeerUnreachableError, type Transport } from '@mosaik/transport';
import type { Encryption } from '@mosaik/transport/libp2p';
import { createLibp2p } from 'libp2p';
import { describe, expect, it } from 'vitest';
import { addressOf, LOOPBACK, startNode } from '../support/nodes.ts';
import { Echo, echo, Hold, roundTrip } from '../support/protocols.ts';
import { within } from '../support/wait.ts';

/** What a node is told to speak; nothing for the default. */
type Choice = readonly Encryption[] | undefined;

async function startEcho(encryption?: Choice): Promise<Transport> {
  const node = await startNode({ secretKey: 'listener', ...(encryption ? { encryption } : {}) });
  node.accept(Echo, echo);
  return node;
}

async function reaches(dialler: Transport, listener: Transport): Promise<void> {
  const peer = await dialler.connect(addressOf(listener));
  expect(peer).toBe(listener.local.peerId);
  await using link = await dialler.open(peer, Echo);
  for (let n = 0; n < 10; n++) await roundTrip(link, n);
}

/** A bare node with Noise, and with a TLS that writes down that it was asked for, and fails. */
function startAsked(asked: string[]): Promise<Libp2p> {
  const fail = (): Promise<never> => {
    asked.push('tls');
    return Promise.reject(new Error('asked'));
  };
  return createLibp2p({
    addresses: { listen: [LOOPBACK] },
    transports: [tcp()],
    connectionEncrypters: [
      noise(),
      () => ({ protocol: '/tls/1.0.0', secureInbound: fail, secureOutbound: fail }),
    ],
    streamMuxers: [yamux()],
  });
}

describe('encryption', () => {
  const pairs: readonly (readonly [dialler: Choice, listener: Choice])[] = [
    [['tls'], ['tls']],
    [['noise'], ['noise']],
    [undefined, undefined],
    [undefined, ['noise']],
    [['noise'], undefined],
    [undefined, ['tls']],
    [['tls'], ['noise', 'tls']],
  ];

  for (const [ours, theirs] of pairs) {
    it(`of a dialler with ${ours ?? 'the default'} and a listener with ${theirs ?? 'the default'} has one in common`, async () => {
      await using listener = await startEcho(theirs);
      await using dialler = await startNode({
        secretKey: 'dialler',
        ...(ours ? { encryption: ours } : {}),
      });
      await reaches(dialler, listener);
    });
  }

  it('that two have not in common keeps them apart', async () => {
    await using listener = await startEcho(['noise']);
    await using dialler = await startNode({ secretKey: 'dialler', encryption: ['tls'] });
    await expect(dialler.connect(addressOf(listener))).rejects.toBeInstanceOf(PeerUnreachableError);
    expect(listener.connections.value.size).toBe(0);
  });

  it('is TLS where both have it, unless told otherwise', async () => {
    for (const [ours, expected] of [
      [undefined, ['tls']],
      [['noise', 'tls'], []],
    ] as const) {
      const asked: string[] = [];
      const listener = await startAsked(asked);
      const options = { secretKey: 'dialler', ...(ours ? { encryption: ours } : {}) };
      await using dialler = await startNode(options);
      // It is none of our network, and TLS comes to nothing there: what was asked for is all that counts.
      await expect(dialler.connect(listener.getMultiaddrs().join())).rejects.toThrow();
      await listener.stop();
      expect(asked).toEqual(expected);
    }
  });

  it('that is none is refused', async () => {
    for (const encryption of [[], ['none'], ['tls', 'tls'], ['constructor']]) {
      const start = startNode({ secretKey: 'x', encryption: encryption as Encryption[] });
      await expect(start).rejects.toBeInstanceOf(InvalidArgumentError);
    }
  });
});

describe('many links that send all they can, both ways,', () => {
  const LINKS = 16;
  const MESSAGE = new Uint8Array(64 * 1024);

  /** Sends without end, and reads what comes. */
  async function flood(link: Link<Uint8Array>): Promise<void> {
    const send = async (): Promise<void> => {
      while (link.end === undefined) await link.send(MESSAGE);
    };
    const read = async (): Promise<void> => {
      while ((await link.receive()) !== undefined);
    };
    // They end as their link does.
    await Promise.allSettled([send(), read()]);
  }

  for (const encryption of ['tls', 'noise'] as const) {
    it(`let others be opened, and answered, over ${encryption}`, async () => {
      await using listener = await startEcho([encryption]);
      listener.accept(Hold, flood);
      await using dialler = await startNode({ secretKey: 'dialler', encryption: [encryption] });
      const peer = await dialler.connect(addressOf(listener));
      const floods: Promise<void>[] = [];
      for (let n = 0; n < LINKS; n++) {
        const link = await within(`link ${n} is open`, 15_000, dialler.open(peer, Hold));
        floods.push(flood(link));
      }
      const link = await within('a link among them is open', 15_000, dialler.open(peer, Echo));
      for (let n = 0; n < 20; n++) await within(`answer ${n}`, 15_000, roundTrip(link, n));
      await dialler.disconnect(peer);
      await Promise.all(floods);
    });
  }
});
