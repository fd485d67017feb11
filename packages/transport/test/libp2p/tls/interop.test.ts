import { once } from 'node:events';
import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { yamux } from '@chainsafe/libp2p-yamux';
import { generateKeyPair } from '@libp2p/crypto/keys';
import type { ConnectionEncrypter, Libp2p, StreamMessageEvent } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { tcp } from '@libp2p/tcp';
import { tls } from '@libp2p/tls';
import { systemRuntime } from '@mosaik/primitives';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { describe, expect, it } from 'vitest';
import { makeCertificate } from '../../../src/libp2p/tls/certificate.ts';
import { TLS_PROTOCOL, tlsOverSockets } from '../../../src/libp2p/tls/encrypter.ts';

const ECHO = '/echo/1';
/** How a peer of libp2p sets up TLS. */
const PEER = { rejectUnauthorized: false, minVersion: 'TLSv1.3', ALPNProtocols: ['/yamux/1.0.0'] } as const;
const RESETS = 20;
/** Turns of the loop in which what has ended is told; it takes a handful. */
const TURNS_MAX = 1_000;
/** What both sides say to agree on TLS. */
const NEGOTIATION = Buffer.from('\x13/multistream/1.0.0\n\x0b/tls/1.0.0\n');
const MIB = 1024 * 1024;

type Components = Parameters<ReturnType<typeof tls>>[0];
type Encrypter = (components: Components) => ConnectionEncrypter;

const noSocket = (): never => {
  throw new Error('it has a socket');
};
const overStreams = { protocol: TLS_PROTOCOL, secureInbound: noSocket, secureOutbound: noSocket };

const encrypters: Readonly<Record<'ours' | 'theirs', () => Encrypter>> = {
  ours: () => (components) => tlsOverSockets(components, { runtime: systemRuntime, overStreams }),
  theirs: tls,
};

async function startNode(encrypter: Encrypter): Promise<Libp2p & AsyncDisposable> {
  const node = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [encrypter],
    streamMuxers: [yamux()],
    // By default a host may connect five times a second, and it is what watches connections that here the socket has to end.
    connectionManager: { inboundConnectionThreshold: 1_000 },
    connectionMonitor: { enabled: false },
  });
  await node.handle(ECHO, (stream) => {
    stream.addEventListener('message', ({ data }) => void stream.send(data));
    stream.addEventListener('remoteCloseWrite', () => void stream.close());
  });
  return Object.assign(node, { [Symbol.asyncDispose]: async () => await node.stop() });
}

/** Sends bytes, and resolves with as many that came back. */
async function roundTrip(dialler: Libp2p, listener: Libp2p, sent: Uint8Array): Promise<Buffer> {
  const stream = await dialler.dialProtocol(listener.getMultiaddrs(), ECHO);
  const parts: Uint8Array[] = [];
  let missing = sent.length;
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.addEventListener('message', ({ data }: StreamMessageEvent) => {
    const bytes = data.subarray();
    parts.push(bytes);
    missing -= bytes.length;
    if (missing <= 0) resolve();
  });
  stream.send(sent);
  await promise;
  await stream.close();
  return Buffer.concat(parts);
}

/** Sends `prefix` and what is written first at once, and takes as much off what is answered. */
function inOnePacket(socket: Socket, prefix: Buffer): Duplex {
  let before: Buffer | undefined = prefix;
  let answered = 0;
  const duplex = new Duplex({
    write(chunk: Buffer, _encoding, callback) {
      socket.write(before === undefined ? chunk : Buffer.concat([before, chunk]), callback);
      before = undefined;
    },
    read() {},
    destroy(error, callback) {
      socket.destroy();
      callback(error);
    },
  });
  socket.on('data', (bytes: Buffer) => {
    const own = Math.min(bytes.length, prefix.length - answered);
    answered += own;
    if (own < bytes.length) duplex.push(bytes.subarray(own));
  });
  return duplex;
}

function portIn(node: Libp2p): number {
  return Number(/tcp\/(\d+)/.exec(String(node.getMultiaddrs()))?.[1]);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => systemRuntime.yieldTo(resolve));
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

describe('TLS over sockets', () => {
  for (const [dials, listens] of [
    ['ours', 'ours'],
    ['ours', 'theirs'],
    ['theirs', 'ours'],
  ] as const) {
    it(`carries bytes between ${dials} and ${listens}, and each knows who the other is`, async () => {
      await using listener = await startNode(encrypters[listens]());
      await using dialler = await startNode(encrypters[dials]());
      const sent = Buffer.alloc(MIB, 'mosaik');
      expect((await roundTrip(dialler, listener, sent)).equals(sent)).toBe(true);
      expect(dialler.getPeers()).toEqual([listener.peerId]);
      expect(listener.getPeers()).toEqual([dialler.peerId]);
      expect(dialler.getConnections()[0]).toMatchObject({
        encryption: '/tls/1.0.0',
        multiplexer: '/yamux/1.0.0',
      });
    });
  }

  it('takes another certificate for each node, and keeps it for all its connections', async () => {
    await using listener = await startNode(encrypters.ours());
    for (let n = 0; n < 3; n++) {
      await using dialler = await startNode(encrypters.ours());
      expect((await roundTrip(dialler, listener, Buffer.from([n])))[0]).toBe(n);
    }
  });

  it('refuses whoever is not who was dialled', async () => {
    await using listener = await startNode(encrypters.ours());
    await using other = await startNode(encrypters.ours());
    await using dialler = await startNode(encrypters.ours());
    const [address] = listener.getMultiaddrs();
    const wrong = multiaddr(`${address?.toString().replace(/\/p2p\/.*$/, '')}/p2p/${other.peerId}`);
    await expect(dialler.dial(wrong)).rejects.toThrow(/Unexpected Peer/);
  });

  it('tells both sides when the other closes', async () => {
    await using listener = await startNode(encrypters.ours());
    await using dialler = await startNode(encrypters.ours());
    const connection = await dialler.dial(listener.getMultiaddrs());
    const { promise, resolve } = Promise.withResolvers<void>();
    listener.addEventListener('connection:close', () => resolve(), { once: true });
    await connection.close();
    await promise;
    expect(listener.getConnections()).toEqual([]);
    expect(dialler.getConnections()).toEqual([]);
  });

  it('takes over what came before it was asked for', async () => {
    await using listener = await startNode(encrypters.ours());
    const opened = new Promise<string>((resolve) =>
      listener.addEventListener('connection:open', ({ detail }) => resolve(detail.remotePeer.toString())),
    );
    const key = await generateKeyPair('Ed25519');
    // It names the protocol, and begins the handshake in the same packet.
    const socket = connectTls({
      ...(await makeCertificate(key, systemRuntime)),
      socket: inOnePacket(connectTcp(portIn(listener), '127.0.0.1'), NEGOTIATION),
      ...PEER,
    });
    await once(socket, 'secureConnect');
    expect(socket.alpnProtocol).toBe('/yamux/1.0.0');
    expect(await opened).toBe(peerIdFromPrivateKey(key).toString());
    socket.destroy();
  });

  it('tells of each connection that a peer resets right after the handshake', async () => {
    await using listener = await startNode(encrypters.ours());
    let [opened, closed] = [0, 0];
    listener.addEventListener('connection:open', () => void opened++);
    listener.addEventListener('connection:close', () => void closed++);
    const key = await generateKeyPair('Ed25519');
    const credentials = await makeCertificate(key, systemRuntime);
    for (let n = 0; n < RESETS; n++) {
      const raw = connectTcp(portIn(listener), '127.0.0.1');
      raw.write(NEGOTIATION);
      await once(raw, 'readable');
      raw.read();
      const socket = connectTls({ ...credentials, socket: raw, ...PEER });
      // The peer has gone, on purpose.
      for (const end of [raw, socket]) end.on('error', () => {});
      await once(socket, 'secureConnect');
      await nextTurn();
      raw.resetAndDestroy();
    }
    for (let turn = 0; turn < TURNS_MAX && closed < RESETS; turn++) await nextTurn();
    expect(opened).toBeGreaterThan(0);
    expect(closed).toBe(opened);
    expect(listener.getConnections()).toEqual([]);
  });

  it('survives connections that are torn down as soon as they are there', async () => {
    await using listener = await startNode(encrypters.ours());
    await using dialler = await startNode(encrypters.ours());
    // Within the event of the handshake: what had been freed by then was read on, and the process gone.
    for (const node of [listener, dialler])
      node.addEventListener('connection:open', ({ detail }) => detail.abort(new Error('not wanted')));
    for (let n = 0; n < 50; n++) await dialler.dial(listener.getMultiaddrs()).catch(() => {});
    expect(dialler.getConnections()).toEqual([]);
  });

  it('gives up at once when the socket closes during the handshake', async () => {
    const server = createServer((socket) => {
      // It agrees to TLS, and is gone.
      socket.once('data', () => {
        socket.write(NEGOTIATION);
        socket.once('data', () => socket.destroy());
      });
    });
    const port = await portOf(server);
    await using dialler = await startNode(encrypters.ours());
    await expect(dialler.dial(multiaddr(`/ip4/127.0.0.1/tcp/${port}`))).rejects.toThrow();
    server.close();
  });

  it('closes the socket of whoever speaks something else', async () => {
    await using listener = await startNode(encrypters.ours());
    const socket = connectTcp(portIn(listener), '127.0.0.1');
    socket.write(Buffer.concat([NEGOTIATION, Buffer.from('GET / HTTP/1.1\r\n\r\n')]));
    socket.resume();
    await once(socket, 'close');
    expect(listener.getConnections()).toEqual([]);
  });
});
