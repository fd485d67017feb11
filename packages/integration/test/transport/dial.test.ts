import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { AbortedError, ClosedError } from '@mosaik/primitives';
import { PeerUnreachableError } from '@mosaik/transport';
import { describe, expect, it } from 'vitest';
import { addressOf, startNode } from '../support/nodes.ts';
import { Echo, echo, roundTrip } from '../support/protocols.ts';
import { until, within } from '../support/wait.ts';

/** Accepts connections and says nothing, as a host behind a firewall that swallows packets. */
async function startSilent() {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    // Reads on, so that it sees the end.
    socket.resume();
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('a dial', () => {
  it('that nobody answers, is given up after its time', async () => {
    await using silent = await startSilent();
    await using node = await startNode({ secretKey: 'dial', dialTimeoutMs: 300 });
    const connecting = within('the dial fails', 3_000, node.connect(silent.address));
    await expect(connecting).rejects.toBeInstanceOf(PeerUnreachableError);
    expect(node.connections.value.size).toBe(0);
    await until('the socket is closed', 3_000, () => silent.sockets.size === 0);
  });

  it('is given up when told, and leaves nothing behind', async () => {
    await using silent = await startSilent();
    await using node = await startNode({ secretKey: 'dial' });
    const abort = new AbortController();
    const connecting = node.connect(silent.address, { signal: abort.signal });
    await until('it is under way', 3_000, () => silent.sockets.size === 1);
    abort.abort();
    await expect(within('the dial fails', 1_000, connecting)).rejects.toBeInstanceOf(AbortedError);
    await until('the socket is closed', 3_000, () => silent.sockets.size === 0);
    await expect(node.connect(silent.address, { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(
      AbortedError,
    );
    expect(silent.sockets.size).toBe(0);
  });

  it('tries the next address when one swallows what is sent to it', async () => {
    await using silent = await startSilent();
    await using node = await startNode({ secretKey: 'dial', dialTimeoutMs: 1_500 });
    await using other = await startNode({ secretKey: 'dialled' });
    other.accept(Echo, echo);
    node.setAddresses(other.local.peerId, [silent.address, addressOf(other)]);
    await roundTrip(await node.open(other.local.peerId, Echo), 1);
  });

  it('that is under way when the node closes, fails, and does not hold it up', async () => {
    await using silent = await startSilent();
    const node = await startNode({ secretKey: 'dial' });
    const connecting = expect(node.connect(silent.address)).rejects.toThrow();
    await until('it is under way', 3_000, () => silent.sockets.size === 1);
    await within('the close', 3_000, node.close());
    await within('the dial fails', 3_000, connecting);
    await expect(node.connect(silent.address)).rejects.toBeInstanceOf(ClosedError);
  });

  it('shared by two, is not given up for both when one gives up', async () => {
    await using node = await startNode({ secretKey: 'dial' });
    await using other = await startNode({ secretKey: 'dialled' });
    const abort = new AbortController();
    const impatient = node.connect(addressOf(other), { signal: abort.signal });
    const patient = node.connect(addressOf(other));
    abort.abort();
    await expect(impatient).rejects.toBeInstanceOf(AbortedError);
    expect(await patient).toBe(other.local.peerId);
  });
});

describe('a node', () => {
  it('that cannot listen, does not start, and says so', async () => {
    await using node = await startNode({ secretKey: 'first' });
    const [, port] = /\/tcp\/(\d+)/.exec(addressOf(node)) ?? [];
    const second = startNode({ secretKey: 'second', listen: [`/ip4/127.0.0.1/tcp/${port}`] });
    await expect(second).rejects.toThrow(/listen|EADDRINUSE/i);
  });

  it('starts again with the same key and port when it has closed', async () => {
    const first = await startNode({ secretKey: 'again' });
    const [, port] = /\/tcp\/(\d+)/.exec(addressOf(first)) ?? [];
    await first.close();
    await using second = await startNode({ secretKey: 'again', listen: [`/ip4/127.0.0.1/tcp/${port}`] });
    expect(addressOf(second)).toBe(`/ip4/127.0.0.1/tcp/${port}/p2p/${addressOf(second).split('/p2p/')[1]}`);
  });
});
