import type { LinkEnd, Transport } from '@mosaik/transport';
import { describe, expect, it } from 'vitest';
import { createWorld, type Host, type Rule, type Stage, type World } from '../src/index.ts';
import { linkBetween, Numbers } from './support/protocols.ts';

interface Node {
  readonly host: Host;
  readonly transport: Transport;
}

const nodesOf = (world: World, ...names: string[]): Node[] =>
  names.map((name) => {
    const host = world.host(name);
    return { host, transport: host.transport() };
  });

/** Which pairs can exchange a message now, as `ab`. */
async function reachable(world: World, nodes: readonly Node[]): Promise<string[]> {
  const pairs: string[] = [];
  for (const from of nodes) {
    for (const to of nodes) {
      if (from === to) continue;
      const attempt = from.transport.connect(to.transport.local.addresses.value[0]!).then(
        () => pairs.push(from.host.name + to.host.name),
        () => undefined,
      );
      await attempt;
      await from.transport.disconnect(to.transport.local.peerId);
      await world.sleep(10);
    }
  }
  return pairs.sort();
}

describe('a partition', () => {
  it('cuts between groups, not within them, nor whoever is in none', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const nodes = nodesOf(world, 'a', 'b', 'c', 'x');
      const [a, b, c] = nodes.map((node) => node.host) as [Host, Host, Host];
      const cut = world.faults.partition([a, b], [c]);
      expect(await reachable(world, nodes)).toEqual(['ab', 'ax', 'ba', 'bx', 'cx', 'xa', 'xb', 'xc']);
      cut.heal();
      expect(cut.isActive).toBe(false);
      expect(await reachable(world, nodes)).toHaveLength(12);
    });
  });

  it('need not be transitive', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const nodes = nodesOf(world, 'a', 'b', 'c');
      const [a, b, c] = nodes.map((node) => node.host) as [Host, Host, Host];
      world.faults.partition([a, b], [b, c]);
      expect(await reachable(world, nodes)).toEqual(['ab', 'ba', 'bc', 'cb']);
    });
  });

  it('isolates hosts from all others, those that come later too', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const nodes = nodesOf(world, 'a', 'b', 'c');
      world.faults.isolate(nodes[0]!.host, nodes[1]!.host);
      nodes.push(...nodesOf(world, 'd'));
      expect(await reachable(world, nodes)).toEqual(['ab', 'ba', 'cd', 'dc']);
    });
  });

  it('holds packets and lets them through in order when it heals in time', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const [a, b] = nodesOf(world, 'a', 'b') as [Node, Node];
      const { near, far } = await linkBetween(a.transport, b.transport, Numbers);
      const cut = world.faults.partition([a.host], [b.host]);
      for (let n = 0; n < 50; n++) await near.send({ n });
      await world.sleep(4_900);
      expect(far.stats.receivedBytes).toBe(0);
      cut.heal();
      for (let n = 0; n < 50; n++) expect(await far.receive()).toEqual({ n });
      await world.sleep(10_000);
      expect([near.end, far.end]).toEqual([undefined, undefined]);
    });
  });

  it('makes connections silent on both sides when it lasts', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const [a, b] = nodesOf(world, 'a', 'b') as [Node, Node];
      const { near, far } = await linkBetween(a.transport, b.transport, Numbers);
      const startMs = world.now;
      const cut = world.faults.partition([a.host], [b.host]);
      expect([(await near.ended).kind, (await far.ended).kind]).toEqual(['silent', 'silent']);
      expect(world.now - startMs).toBe(5_000);
      expect(world.stats.connections).toBe(0);
      cut.heal();
      await a.transport.connect('sim://b');
    });
  });

  it('starts the time of silence anew when it comes again', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const [a, b] = nodesOf(world, 'a', 'b') as [Node, Node];
      const { near } = await linkBetween(a.transport, b.transport, Numbers);
      for (let round = 0; round < 5; round++) {
        const cut = world.faults.partition([a.host], [b.host]);
        await world.sleep(4_000);
        cut.heal();
        await world.sleep(1);
      }
      expect(near.end).toBeUndefined();
    });
  });

  it('stays while another one covers it', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const nodes = nodesOf(world, 'a', 'b');
      const [a, b] = nodes as [Node, Node];
      const one = world.faults.partition([a.host], [b.host]);
      const two = world.faults.isolate(a.host);
      one.heal();
      expect(await reachable(world, nodes)).toEqual([]);
      two.heal();
      expect(await reachable(world, nodes)).toEqual(['ab', 'ba']);
    });
  });
});

describe('a one-way cut', () => {
  it('lets through the other direction only', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const [a, b] = nodesOf(world, 'a', 'b') as [Node, Node];
      const { near, far } = await linkBetween(a.transport, b.transport, Numbers);
      const cut = world.faults.oneWay(a.host, b.host);
      await near.send({ n: 1 });
      await far.send({ n: 2 });
      expect(await near.receive()).toEqual({ n: 2 });
      await world.sleep(1_000);
      expect(far.stats.receivedBytes).toBe(0);
      cut.heal();
      expect(await far.receive()).toEqual({ n: 1 });
    });
  });

  it('ends in silence for both, as liveness is a beat and its answer', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const [a, b] = nodesOf(world, 'a', 'b') as [Node, Node];
      const { near, far } = await linkBetween(a.transport, b.transport, Numbers);
      world.faults.oneWay([a.host], [b.host]);
      expect([(await near.ended).kind, (await far.ended).kind]).toEqual(['silent', 'silent']);
    });
  });
});

describe('slowness', () => {
  it('adds latency and bounds the rate, both ways, while it lasts', async () => {
    const world = createWorld({ seed: 1, network: { latencyMs: 1, jitterMs: 0 } });
    await world.run(async () => {
      const [a, b] = nodesOf(world, 'a', 'b') as [Node, Node];
      const { near, far } = await linkBetween(a.transport, b.transport, Numbers);
      const roundTrip = async (): Promise<number> => {
        const startMs = world.now;
        await near.send({ n: 1 });
        await far.receive();
        await far.send({ n: 1 });
        await near.receive();
        return world.now - startMs;
      };
      expect(await roundTrip()).toBeLessThan(3);
      const slow = world.faults.slow(a.host, b.host, { latencyMs: 99, bytesPerSecond: 10_000 });
      const slowMs = await roundTrip();
      expect(slowMs).toBeGreaterThan(215);
      expect(slowMs).toBeLessThan(230);
      slow.heal();
      expect(await roundTrip()).toBeLessThan(3);
    });
  });

  it('is not silence', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const [a, b] = nodesOf(world, 'a', 'b') as [Node, Node];
      const { near } = await linkBetween(a.transport, b.transport, Numbers);
      world.faults.slow([a.host], [b.host], { latencyMs: 4_000, jitterMs: 500 });
      await world.sleep(60_000);
      expect(near.end).toBeUndefined();
    });
  });
});

describe('delay of some packets', () => {
  it('holds up about as many as it says, and what is behind them', async () => {
    const world = createWorld({ seed: 2, network: { latencyMs: 1, jitterMs: 0 } });
    await world.run(async () => {
      const [a, b] = nodesOf(world, 'a', 'b') as [Node, Node];
      const { near, far } = await linkBetween(a.transport, b.transport, Numbers);
      world.faults.delaySome({ share: 0.1, byMs: 1_000, among: [a.host, b.host] });
      let late = 0;
      for (let n = 0; n < 1_000; n++) {
        const sentAt = world.now;
        await near.send({ n });
        expect(await far.receive()).toEqual({ n });
        if (world.now - sentAt > 999) late++;
      }
      expect(late).toBeGreaterThan(60);
      expect(late).toBeLessThan(140);
    });
  });

  it('refuses a share that is none', () => {
    expect(() => createWorld().faults.delaySome({ share: 2, byMs: 1 })).toThrow('share');
  });
});

describe('loss of connections', () => {
  it('resets each now and then, as often as it says', async () => {
    const world = createWorld({ seed: 2 });
    await world.run(async () => {
      const nodes = nodesOf(world, 'a', 'b', 'c', 'd');
      const kept: Disposable[] = [];
      let lost = 0;
      for (const from of nodes) {
        void (async () => {
          for await (const event of from.transport.events) {
            if (event.type === 'disconnected') {
              expect(event.reason).toBe('lost');
              lost++;
            }
          }
        })();
        for (const to of nodes) {
          if (from === to) continue;
          from.transport.setAddresses(to.transport.local.peerId, to.transport.local.addresses.value);
          kept.push(from.transport.keep(to.transport.local.peerId));
        }
      }
      await world.sleep(60_000);
      expect(lost).toBe(0);
      const fault = world.faults.loseConnections({ perMinute: 2 });
      await world.sleep(20 * 60_000);
      fault.heal();
      await world.sleep(60_000);
      // 6 connections, 40 losses each, told of at both ends.
      expect(lost).toBeGreaterThan(350);
      expect(lost).toBeLessThan(600);
      expect(world.stats.connections).toBe(6);
      const before = lost;
      await world.sleep(10 * 60_000);
      expect(lost).toBe(before);
      for (const one of kept) one[Symbol.dispose]();
    });
  });

  it('tells both ends, and loses what is on the way', async () => {
    const world = createWorld({ seed: 2 });
    await world.run(async () => {
      const [a, b] = nodesOf(world, 'a', 'b') as [Node, Node];
      const { near, far } = await linkBetween(a.transport, b.transport, Numbers);
      world.faults.loseConnections({ perMinute: 60 });
      const ends: LinkEnd['kind'][] = [(await near.ended).kind, (await far.ended).kind];
      expect(ends).toEqual(['lost', 'lost']);
    });
  });
});

describe('rules', () => {
  it('apply in the fixed order of their stages, and within one in the order they were made', async () => {
    const world = createWorld({ seed: 1 });
    const [a, b] = nodesOf(world, 'a', 'b') as [Node, Node];
    const applied: string[] = [];
    const rule = (stage: Stage, name: string): Rule => ({ stage, refine: () => void applied.push(name) });
    await world.run(async () => {
      await a.transport.connect('sim://b');
      world.faults.add(rule('loss', 'loss'));
      world.faults.add(rule('slow', 'slow 1'));
      world.faults.add(rule('delay', 'delay'));
      world.faults.add(rule('slow', 'slow 2'));
      applied.length = 0;
      world.faults.add(rule('partition', 'partition'));
    });
    const once = ['partition', 'slow 1', 'slow 2', 'delay', 'loss'];
    // Once for the way there, once for the way back.
    expect(applied).toEqual([...once, ...once]);
    expect(b.transport.connections.value.size).toBe(1);
  });

  it('of one’s own do what they like', async () => {
    const world = createWorld({ seed: 1, network: { jitterMs: 0 } });
    await world.run(async () => {
      const [a, b] = nodesOf(world, 'a', 'b') as [Node, Node];
      using _ = world.faults.add({
        stage: 'slow',
        refine: (path, from) => {
          if (from.name === 'a') path.latencyMs = 40;
        },
      });
      await a.transport.connect('sim://b');
      await world.sleep(100);
      expect(a.transport.rtt(b.transport.local.peerId)).toBe(41);
    });
  });

  it('are all taken away by clear', async () => {
    const world = createWorld({ seed: 1 });
    await world.run(async () => {
      const nodes = nodesOf(world, 'a', 'b');
      const faults = [
        world.faults.isolate(nodes[0]!.host),
        world.faults.oneWay(nodes[1]!.host, nodes[0]!.host),
      ];
      world.faults.clear();
      expect(faults.map((fault) => fault.isActive)).toEqual([false, false]);
      expect(await reachable(world, nodes)).toEqual(['ab', 'ba']);
    });
  });
});
