import { describe, expect, it } from 'vitest';
import type { DepartureReason } from '../../src/index.ts';
import { inWorld, isConverged, knowEachOther, type Node, startCluster, startNode } from './cluster.ts';

/** `npm run sim` takes the times of the promise; `npm test` shorter ones, in a tenth of the time. */
const IS_LONG = process.env['MOSAIK_SIM'] === 'long';
const LATE_MS = IS_LONG ? 3_600_000 : 60_000;
const PARTITION_MS = IS_LONG ? 3_600_000 : 300_000;
/** One every 7.5 s. */
const CHURN_CHANGES = IS_LONG ? 480 : 40;

/** Counts the departures that `nodes` report from now on. */
function countDepartures(nodes: readonly Node[]): () => readonly DepartureReason[] {
  const reasons: DepartureReason[] = [];
  for (const { discovery } of nodes) {
    const events = discovery.events().subscribe({ backlog: 100_000 });
    void (async () => {
      for await (const event of events) if (event.type === 'departed') reasons.push(event.reason);
    })();
  }
  return () => reasons;
}

function changeSomeTag(nodes: readonly Node[], random: () => number): void {
  const node = nodes[Math.floor(random() * nodes.length)] as Node;
  const text = `tag-${Math.floor(random() * 20)}`;
  if (random() < 0.6) node.discovery.addTags(text);
  else node.discovery.removeTags(text);
}

describe('changes', () => {
  it('of tags, 1,000 of them on 50 nodes, are all seen everywhere', async () => {
    await inWorld({ seed: 11 }, async (world) => {
      const nodes = await startCluster(world, 50);
      await world.until(() => isConverged(nodes), { withinMs: 10_000 });
      for (let change = 0; change < 1_000; change++) {
        changeSomeTag(nodes, () => world.runtime.random());
        if (change % 7 === 0) await world.sleep(5);
      }
      await world.until(() => isConverged(nodes), { withinMs: 5_000 });
      const tagsSeenBy = ({ discovery }: Node): unknown[] =>
        nodes
          .filter((other) => other.discovery !== discovery)
          .map((other) => discovery.catalog.get(other.discovery.me.peer)?.tags);
      const tagsOfOthers = (node: Node): unknown[] =>
        nodes.filter((other) => other !== node).map((other) => other.discovery.me.tags);
      for (const node of nodes) expect(tagsSeenBy(node)).toEqual(tagsOfOthers(node));
    });
  }, 60_000);
});

describe('a crash', () => {
  it.each(['kill', 'powerLoss'] as const)(
    'by %s is in every catalog within 5 s',
    async (mode) => {
      for (let seed = 1; seed <= 10; seed++) {
        await inWorld({ seed: `${mode} ${seed}` }, async (world) => {
          const nodes = await startCluster(world, 20);
          await world.until(() => knowEachOther(nodes), { withinMs: 10_000 });
          await world.sleep(world.runtime.random() * 3_000);
          const [victim, ...others] = nodes as [Node, ...Node[]];
          const { peer } = victim.discovery.me;
          const crashedAtMs = world.now;
          victim.host.crash({ mode });
          await world.until(() => others.every(({ discovery }) => !discovery.catalog.has(peer)), {
            withinMs: 5_000,
          });
          if (seed === 1)
            console.log(`${mode}: gone everywhere after ${(world.now - crashedAtMs).toFixed(0)} ms`);
          expect(knowEachOther(others)).toBe(true);
        });
      }
    },
    60_000,
  );

  it('is forgotten at once when the node is started again', async () => {
    await inWorld({ seed: 5 }, async (world) => {
      const nodes = await startCluster(world, 10);
      await world.until(() => knowEachOther(nodes), { withinMs: 10_000 });
      const [victim, ...others] = nodes as [Node, ...Node[]];
      victim.host.crash();
      await world.until(() => others.every(({ discovery }) => discovery.catalog.size === 8), {
        withinMs: 5_000,
      });
      victim.host.restart();
      const again = await startNode(victim.host, { bootstrap: ['sim://n3'] });
      await world.until(() => knowEachOther([again, ...others]), { withinMs: 1_000 });
    });
  }, 30_000);
});

describe('a departure', () => {
  it('takes effect at once, and is no crash', async () => {
    await inWorld({ seed: 6 }, async (world) => {
      const nodes = await startCluster(world, 20);
      await world.until(() => knowEachOther(nodes), { withinMs: 10_000 });
      const [leaver, ...others] = nodes as [Node, ...Node[]];
      const departures = countDepartures(others);
      await leaver.discovery.close();
      await leaver.transport.close();
      await world.until(() => knowEachOther(others), { withinMs: 200 });
      await world.sleep(20_000);
      expect(departures()).toEqual(others.map(() => 'left'));
    });
  }, 30_000);
});

describe('the bootstrap node', () => {
  it('is not needed any more once the others have joined', async () => {
    await inWorld({ seed: 7 }, async (world) => {
      const first = await startNode(world.host('first'));
      const others: Node[] = [];
      for (let index = 0; index < 12; index++) {
        others.push(await startNode(world.host(`o${index}`), { bootstrap: ['sim://first'] }));
      }
      await world.until(() => knowEachOther([first, ...others]), { withinMs: 5_000 });
      first.host.crash();
      await world.until(() => knowEachOther(others), { withinMs: 5_000 });
      others[3]?.discovery.addTags('later');
      const late = await startNode(world.host('late'), { bootstrap: ['sim://first', 'sim://o5'] });
      await world.until(() => isConverged([late, ...others]), { withinMs: 5_000 });
    });
  }, 30_000);
});

describe('a partition', () => {
  it('down the middle heals to equal catalogs within 5 s', async () => {
    await inWorld({ seed: 8 }, async (world) => {
      const nodes = await startCluster(world, 40);
      await world.until(() => knowEachOther(nodes), { withinMs: 10_000 });
      const halves = [nodes.slice(0, 20), nodes.slice(20)];
      const partition = world.faults.partition(...halves.map((half) => half.map(({ host }) => host)));
      await world.until(() => halves.every(knowEachOther), { withinMs: 120_000 });
      await world.sleep(PARTITION_MS);
      expect(halves.every(knowEachOther)).toBe(true);
      partition.heal();
      const healedAtMs = world.now;
      await world.until(() => isConverged(nodes), { withinMs: 5_000 });
      console.log(`healed after ${(world.now - healedAtMs).toFixed(0)} ms`);
    });
  }, 300_000);
});

describe('late messages', () => {
  it('of 1 %, by a second, make none of 50 nodes depart', async () => {
    await inWorld({ seed: 9 }, async (world) => {
      const nodes = await startCluster(world, 50);
      await world.until(() => knowEachOther(nodes), { withinMs: 10_000 });
      world.faults.delaySome({ share: 0.01, byMs: 1_000 });
      const departures = countDepartures(nodes);
      await world.sleep(LATE_MS);
      expect(departures()).toEqual([]);
      expect(knowEachOther(nodes)).toBe(true);
      console.log(`${LATE_MS / 60_000} minutes of 50 nodes: ${world.stats.events} events`);
    });
  }, 2_400_000);

  it('of a node whose event loop stalls for 2 s, are no crash of it or of the others', async () => {
    await inWorld({ seed: 10 }, async (world) => {
      const nodes = await startCluster(world, 20);
      await world.until(() => knowEachOther(nodes), { withinMs: 10_000 });
      const departures = countDepartures(nodes);
      for (let round = 0; round < 10; round++) {
        nodes[round]?.host.stall(2_000);
        await world.sleep(5_000);
      }
      expect(departures()).toEqual([]);
    });
  }, 60_000);
});

describe('churn', () => {
  it('of 10 % a minute keeps every catalog within one announce interval of the truth', async () => {
    await inWorld({ seed: 12 }, async (world) => {
      const nodes = new Map<string, Node>();
      for (const node of await startCluster(world, 40)) nodes.set(node.host.name, node);
      await world.until(() => knowEachOther([...nodes.values()]), { withinMs: 10_000 });
      /** When each peer came or went, in true time. */
      const changedAtMs = new Map<string, number>();
      let oldestMs = 0;
      for (let change = 0; change < CHURN_CHANGES; change++) {
        const names = [...nodes.keys()];
        const name = names[Math.floor(world.runtime.random() * names.length)] as string;
        const node = nodes.get(name) as Node;
        nodes.delete(name);
        changedAtMs.set(node.discovery.me.peer, world.now);
        if (world.runtime.random() < 0.5) node.host.crash({ mode: 'powerLoss' });
        else await node.discovery.close().then(() => node.transport.close());
        const other = [...nodes.values()][0] as Node;
        const fresh = await startNode(world.host(`c${change}`), { bootstrap: [`sim://${other.host.name}`] });
        nodes.set(fresh.host.name, fresh);
        changedAtMs.set(fresh.discovery.me.peer, world.now);
        await world.sleep(7_500);
        oldestMs = Math.max(oldestMs, staleness([...nodes.values()], changedAtMs, world.now));
        expect(oldestMs).toBeLessThanOrEqual(15_000);
      }
      console.log(
        `${CHURN_CHANGES} of 40 nodes replaced: at most ${oldestMs.toFixed(0)} ms behind the truth`,
      );
      await world.until(() => knowEachOther([...nodes.values()]), { withinMs: 15_000 });
    });
  }, 300_000);
});

/** For how long the oldest difference between a catalog and the truth has lasted, in ms. */
function staleness(nodes: readonly Node[], changedAtMs: ReadonlyMap<string, number>, nowMs: number): number {
  const truth = new Set(nodes.map(({ discovery }) => discovery.me.peer as string));
  let oldest = 0;
  for (const { discovery } of nodes) {
    const held = new Set([...discovery.catalog].map(({ peer }) => peer as string));
    held.add(discovery.me.peer);
    for (const peer of truth.symmetricDifference(held))
      oldest = Math.max(oldest, nowMs - (changedAtMs.get(peer) ?? 0));
  }
  return oldest;
}
