import { createWorld, type Host } from '@mosaik/testing';
import { describe, expect, it } from 'vitest';
import { Counter, memoryStore, Network, stream } from '../src/index.ts';

const Greetings = stream<string>('greetings');

describe('a network', () => {
  it('brings streams and groups together on simulated hosts', async () => {
    const world = createWorld({ seed: 1, networkName: 'demo' });
    await world.run(async () => {
      const ann = await Network.create('demo', {
        transport: world.host('ann').transport(),
        tags: ['greeter'],
      });
      const bob = await Network.create('demo', {
        transport: world.host('bob').transport(),
        bootstrap: ['sim://ann'],
      });
      const consumer = bob.streams.consumer(Greetings, { subscribeIf: (peer) => peer.hasTag('greeter') });
      await ann.streams.producer(Greetings).send('hello');
      expect(await consumer.recv()).toBe('hello');
      const groups = await Promise.all(
        [ann, bob].map((node) => node.groups.join({ key: 'a demo', machine: Counter })),
      );
      await groups[1]?.when().leaderElected();
      await groups[1]?.execute({ add: 5 });
      const answer = await groups[0]?.query(null, 'strong');
      expect(answer?.result).toBe(5);
      await bob.close();
      await world.until(() => ann.discovery.catalog.size === 0);
      await ann.close();
    });
    expect(world.errors).toEqual([]);
  });

  it('replays what was sent before anybody listened, and keeps what is sent while it closes', async () => {
    const world = createWorld({ seed: 3, networkName: 'demo' });
    await world.run(async () => {
      const [ann, bob] = await Promise.all(
        ['ann', 'bob'].map((name) =>
          Network.create('demo', { transport: world.host(name).transport(), bootstrap: ['sim://ann'] }),
        ),
      );
      await ann?.store.retain(Greetings, { storage: memoryStore() });
      const producer = ann?.streams.producer(Greetings);
      await producer?.send('early');
      const view = bob?.store.fold(Greetings, {
        name: 'all',
        version: 1,
        initial: () => '',
        apply: (said: string, greeting) => `${said}${greeting} `,
      });
      await producer?.send('late');
      await view?.when().reaches(2);
      expect(view?.state).toBe('early late ');
      await Promise.all([ann?.close(), bob?.close()]);
    });
    expect(world.errors).toEqual([]);
  });

  it('leaves when its signal fires, and joins nothing when that has fired already', async () => {
    const world = createWorld({ seed: 2 });
    await world.run(async () => {
      const leave = new AbortController();
      const transport = world.host('ann').transport();
      const node = await Network.create('demo', { transport, signal: leave.signal });
      leave.abort();
      await node.close();
      expect(() => node.streams.producer(Greetings)).toThrow('closed');
      await expect(Network.create('demo', { transport, signal: leave.signal })).rejects.toThrow('aborted');
    });
  });

  it.each([false, true])('leaves at once when told to, also while it leaves (%s)', async (isLeaving) => {
    const world = createWorld({ seed: 4, networkName: 'demo' });
    await world.run(async () => {
      const hosts = ['ann', 'bob', 'cleo'].map((name) => world.host(name));
      const nodes = await Promise.all(
        hosts.map((host) =>
          Network.create('demo', { transport: host.transport(), bootstrap: ['sim://ann'] }),
        ),
      );
      const joined = nodes.map((node) =>
        node.groups.join({ key: 'a demo', machine: Counter, consensus: { founders: 3 } }),
      );
      const groups = await Promise.all(joined);
      await world.until(() => groups.every(({ stats }) => stats.voters.length === 3));
      const leader = groups.findIndex(({ stats }) => stats.role === 'leader');
      world.faults.isolate(hosts[leader] as Host);
      const sinceMs = world.now;
      const limit = new AbortController();
      const closings = isLeaving
        ? [nodes[leader]?.close(), nodes[leader]?.close({ signal: limit.signal })]
        : [nodes[leader]?.close({ signal: limit.signal })];
      await world.sleep(200);
      limit.abort();
      await Promise.all(closings);
      expect(world.now - sinceMs).toBeGreaterThanOrEqual(200);
      expect(world.now - sinceMs).toBeLessThan(1_000);
      world.faults.clear();
      await Promise.all(nodes.map((node) => node.close()));
    });
    expect(world.errors).toEqual([]);
  });

  it('says what is wrong with its options', async () => {
    await expect(Network.create('')).rejects.toThrow('name');
    await expect(Network.create('demo', { preset: 'moon' as never })).rejects.toThrow('local, lan, wan');
  });

  it('runs over sockets', async () => {
    await using ann = await Network.create('mosaik test', {
      listen: ['/ip4/127.0.0.1/tcp/0'],
      secretKey: 'ann',
    });
    await using bob = await Network.create('mosaik test', {
      listen: ['/ip4/127.0.0.1/tcp/0'],
      bootstrap: ann.local.addresses.value,
    });
    const consumer = bob.streams.consumer(Greetings);
    await ann.streams.producer(Greetings).send('hello');
    expect(await consumer.recv()).toBe('hello');
  });
});
