import { AbortedError, TimeoutError, withTimeout } from '@mosaik/primitives';
import { type Link, PeerUnreachableError } from '@mosaik/transport';
import { describe, expect, it } from 'vitest';
import { createWorld, type PathOptions, type World } from '../src/index.ts';
import { WINDOW_BYTES } from '../src/network/channel.ts';
import { Bytes, linkBetween, type Numbered, Numbers, transportsOf, Urgent } from './support/protocols.ts';

const exact = (path: PathOptions): World => createWorld({ seed: 1, network: { jitterMs: 0, ...path } });

describe('paths', () => {
  it('take their latency: 1.5 round trips to connect, one to open, half of one for a message', async () => {
    const world = exact({ latencyMs: 10, bytesPerSecond: Number.POSITIVE_INFINITY });
    await world.run(async () => {
      const [a, b] = transportsOf(world, 'a', 'b');
      const peer = await a!.connect('sim://b');
      expect(world.now).toBe(30);
      let arrivedAt = 0;
      b!.accept(Numbers, async (link) => {
        await link.receive();
        arrivedAt = world.now;
      });
      const link = await a!.open(peer, Numbers);
      expect(world.now).toBe(50);
      await link.send({ n: 1 });
      await world.sleep(100);
      expect(arrivedAt).toBe(60);
      expect(a!.rtt(peer)).toBe(20);
    });
  });

  it('differ by pair and direction when the network is a function', async () => {
    const far = new Set(['a', 'c']);
    const world = createWorld({
      seed: 1,
      network: (from, to) => ({ jitterMs: 0, latencyMs: far.has(from.name) && far.has(to.name) ? 50 : 1 }),
    });
    await world.run(async () => {
      const [a, b, c] = transportsOf(world, 'a', 'b', 'c');
      await Promise.all([a!.connect('sim://b'), a!.connect('sim://c')]);
      await world.sleep(200);
      expect(a!.rtt(b!.local.peerId)).toBe(2);
      expect(a!.rtt(c!.local.peerId)).toBe(100);
    });
  });

  it('jitter by up to as much as they say, never out of order', async () => {
    const world = createWorld({ seed: 4, network: { latencyMs: 5, jitterMs: 20 } });
    await world.run(async () => {
      const [a, b] = transportsOf(world, 'a', 'b');
      const { near, far } = await linkBetween(a!, b!, Numbers);
      const delays: number[] = [];
      for (let n = 0; n < 300; n++) {
        const sentAt = world.now;
        await near.send({ n });
        expect(await far.receive()).toEqual({ n });
        delays.push(world.now - sentAt);
      }
      expect(Math.min(...delays)).toBeGreaterThanOrEqual(5);
      expect(Math.max(...delays)).toBeLessThan(25.1);
      expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(15);
    });
  });

  it('carry as many bytes a second as they say, shared by all links of a pair', async () => {
    const world = exact({ latencyMs: 1, bytesPerSecond: 1_000_000 });
    await world.run(async () => {
      const [a, b] = transportsOf(world, 'a', 'b');
      const links = [await linkBetween(a!, b!, Bytes), await linkBetween(a!, b!, Bytes)];
      const startMs = world.now;
      const half = 500_000;
      await Promise.all(
        links.map(async ({ near, far }) => {
          const reading = (async () => {
            for await (const _ of far);
          })();
          for (let sent = 0; sent < half; sent += 10_000) await near.send(new Uint8Array(10_000));
          await near.close();
          await reading;
        }),
      );
      expect(world.now - startMs).toBeGreaterThan(1_000);
      expect(world.now - startMs).toBeLessThan(1_100);
    });
  });

  it('let control pass bulk that waits for the line', async () => {
    const world = exact({ latencyMs: 1, bytesPerSecond: 100_000 });
    await world.run(async () => {
      const [a, b] = transportsOf(world, 'a', 'b');
      const bulk = await linkBetween(a!, b!, Bytes);
      const control = await linkBetween(a!, b!, Urgent);
      await bulk.near.send(new Uint8Array(200_000));
      await world.sleep(10);
      const sentAt = world.now;
      await control.near.send({ n: 1 });
      await control.far.receive();
      expect(world.now - sentAt).toBeLessThan(5);
    });
  });

  it('hold control to their rate as well', async () => {
    const world = exact({ latencyMs: 1, bytesPerSecond: 10_000 });
    await world.run(async () => {
      const [a, b] = transportsOf(world, 'a', 'b');
      const { near, far } = await linkBetween(a!, b!, Urgent);
      const startMs = world.now;
      for (let n = 0; n < 20; n++) {
        await near.send({ n });
        await near.flushed();
        await world.sleep(1);
      }
      for (let n = 0; n < 20; n++) await far.receive();
      expect(world.now - startMs).toBeGreaterThan(150);
    });
  });

  it('of a host to itself do not leave the machine', async () => {
    const world = exact({ latencyMs: 100 });
    await world.run(async () => {
      const host = world.host('a');
      const [one, two] = [host.transport(), host.transport()];
      expect(two.local.addresses.value[0]).toBe(`sim://a:2/${two.local.peerId}`);
      await one.connect('sim://a:2');
      expect(world.now).toBeLessThan(1);
    });
  });
});

describe('channels', () => {
  it('hold what fits the window while the reader does not read, at its side, and the rest at the sender', async () => {
    const world = exact({});
    await world.run(async () => {
      const [a, b] = transportsOf(world, 'a', 'b');
      const { near, far } = await linkBetween(a!, b!, Bytes);
      while (near.trySend(new Uint8Array(10_000)) || near.stats.unsentBytes < Bytes.sendBufferBytes) {
        await world.sleep(1);
      }
      await world.sleep(100);
      expect(far.stats.unreadBytes).toBeGreaterThan(Bytes.receiveBufferBytes);
      expect(near.stats.sentBytes).toBeGreaterThan(WINDOW_BYTES + Bytes.receiveBufferBytes);
      expect(near.stats.sentBytes).toBeLessThan(
        WINDOW_BYTES + Bytes.receiveBufferBytes + Bytes.sendBufferBytes + 200_000,
      );
    });
  });

  it('give each side memory of its own', async () => {
    const world = exact({});
    await world.run(async () => {
      const [a, b] = transportsOf(world, 'a', 'b');
      const { near, far } = await linkBetween(a!, b!, Bytes);
      const sent = new Uint8Array(20_000);
      await near.send(sent);
      const received = await far.receive();
      received?.fill(7);
      expect(sent.every((byte) => byte === 0)).toBe(true);
    });
  });
});

describe('opening', () => {
  it('that is given up leaves nothing behind at the other side', async () => {
    const world = exact({ latencyMs: 10 });
    await world.run(async () => {
      const [a, b] = transportsOf(world, 'a', 'b');
      const accepted: Link<Numbered>[] = [];
      b!.accept(Numbers, (link) => void accepted.push(link));
      const peer = await a!.connect('sim://b');
      const abort = new AbortController();
      const opening = a!.open(peer, Numbers, { signal: abort.signal });
      await world.sleep(5);
      abort.abort();
      await expect(opening).rejects.toBeInstanceOf(AbortedError);
      await world.sleep(100);
      expect(accepted.map((link) => link.end?.kind)).toEqual(['reset']);
    });
  });

  it('fails with the connection, and reaches nobody who has left it', async () => {
    const world = exact({ latencyMs: 10 });
    await world.run(async () => {
      const [a, b] = transportsOf(world, 'a', 'b');
      let accepted = 0;
      b!.accept(Numbers, () => void accepted++);
      const peer = await a!.connect('sim://b');
      await world.sleep(100);
      const opening = a!.open(peer, Numbers);
      await world.sleep(5);
      await b!.disconnect(a!.local.peerId);
      await expect(opening).rejects.toThrow(/connection was lost/);
      expect(accepted).toBe(0);
    });
  });
});

describe('dialling', () => {
  it('each other at once makes one connection, which stays', async () => {
    const world = exact({});
    await world.run(async () => {
      const [a, b] = transportsOf(world, 'a', 'b');
      const events: string[] = [];
      for (const transport of [a!, b!]) {
        void (async () => {
          for await (const event of transport.events) events.push(event.type);
        })();
      }
      await Promise.all([a!.connect('sim://b'), b!.connect('sim://a'), a!.connect('sim://b')]);
      await world.sleep(100);
      expect(events).toEqual(['connected', 'connected']);
      expect(world.stats.connections).toBe(1);
    });
  });

  it('fails at once for a name that is none, and after a round trip where nobody listens', async () => {
    const world = exact({ latencyMs: 10, bytesPerSecond: Number.POSITIVE_INFINITY });
    await world.run(async () => {
      const [a] = transportsOf(world, 'a');
      world.host('empty');
      await expect(a!.connect('sim://nowhere')).rejects.toThrow(/no host has this name/);
      expect(world.now).toBe(0);
      await expect(a!.connect('sim://empty')).rejects.toThrow(/connection refused/);
      expect(world.now).toBe(20);
      await expect(a!.connect('tcp://other')).rejects.toThrow('sim://host');
      await expect(a!.connect('sim://a')).rejects.toThrow(/this node itself/);
    });
  });

  it('takes the whole timeout when there is no answer', async () => {
    const world = exact({});
    await world.run(async () => {
      const a = world.host('a').transport({ dialTimeoutMs: 3_000 });
      const b = world.host('b');
      b.transport();
      b.crash({ mode: 'powerLoss' });
      await expect(a.connect('sim://b')).rejects.toBeInstanceOf(PeerUnreachableError);
      expect(world.now).toBe(3_000);
    });
  });

  it('waits behind a partition, and goes on when that heals in time', async () => {
    const world = exact({});
    await world.run(async () => {
      const [a, b] = transportsOf(world, 'a', 'b');
      const cut = world.faults.partition([world.hosts[0]!], [world.hosts[1]!]);
      const dialling = a!.connect('sim://b');
      await world.sleep(4_000);
      cut.heal();
      expect(await dialling).toBe(b!.local.peerId);
      expect(world.now).toBeLessThan(4_010);
    });
  });

  it('can be given up', async () => {
    const world = exact({});
    await world.run(async () => {
      const [a] = transportsOf(world, 'a', 'b');
      world.faults.isolate(world.hosts[0]!);
      const options = { what: 'dialling', timeoutMs: 100 };
      const dialling = withTimeout(a!.runtime, options, (signal) => a!.connect('sim://b', { signal }));
      await expect(dialling).rejects.toBeInstanceOf(TimeoutError);
      world.faults.clear();
      await world.sleep(1_000);
      expect(a!.connections.value.size).toBe(0);
    });
  });
});
