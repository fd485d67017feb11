import { groupId, storeId, streamId, tag, uniqueId } from '@mosaik/primitives';
import type { World } from '@mosaik/testing';
import { describe, expect, it } from 'vitest';
import type { DiscoveryEvent, DiscoveryOptions, PeerInfo } from '../../src/index.ts';
import { inWorld, isConverged, knowEachOther, type Node, startNode } from '../sim/cluster.ts';
import { entryOf, NETWORK, peerId } from '../support/entries.ts';

/** Two nodes that know each other. */
async function pair(world: World, options: Partial<DiscoveryOptions> = {}): Promise<[Node, Node]> {
  const a = await startNode(world.host('a'), options);
  const b = await startNode(world.host('b'), { ...options, bootstrap: ['sim://a'] });
  await world.until(() => isConverged([a, b]), { withinMs: 2_000 });
  return [a, b];
}

/** What a node holds of another. */
function seen(by: Node, of: Node): PeerInfo | undefined {
  return by.discovery.catalog.get(of.discovery.me.peer);
}

describe('what a node says of itself', { timeout: 60_000 }, () => {
  it('is seen by others: tags, and tickets until they expire', async () => {
    await inWorld({ seed: 1 }, async (world) => {
      const [a, b] = await pair(world, { tags: ['from the start'] });
      expect(seen(b, a)?.hasTag('from the start')).toBe(true);
      const kind = uniqueId('a class of tickets');
      const expiresAtMs = a.transport.runtime.wallNow() + 60_000;
      a.discovery.addTags('later');
      a.discovery.addTicket({ class: kind, data: Uint8Array.of(1, 2), expiresAtMs });
      await world.until(() => seen(b, a)?.hasTag('later') === true, { withinMs: 200 });
      expect(seen(b, a)?.ticketsOf(kind, expiresAtMs - 1)).toMatchObject([{ data: Uint8Array.of(1, 2) }]);
      expect(seen(b, a)?.ticketsOf(kind, expiresAtMs)).toEqual([]);
      expect(b.discovery.catalog.withTag('later').map(({ peer }) => peer)).toEqual([a.discovery.me.peer]);
      a.discovery.removeTags('later');
      a.discovery.removeTickets((ticket) => ticket.class === kind);
      await world.until(() => seen(b, a)?.tags.length === 1 && seen(b, a)?.tickets.length === 0, {
        withinMs: 200,
      });
      expect(a.discovery.me.tags).toEqual([tag('from the start')]);
    });
  });

  it('follows what the layers above advertise, until the last of them withdraws', async () => {
    await inWorld({ seed: 2 }, async (world) => {
      const [a, b] = await pair(world);
      const id = streamId('prices');
      const first = a.discovery.advertise({ kind: 'stream', id, name: 'prices' });
      const second = a.discovery.advertise({ kind: 'stream', id, name: 'prices' });
      a.discovery.advertise({ kind: 'group', id: groupId('ledger') });
      a.discovery.advertise({ kind: 'store', id: storeId('history') });
      await world.until(() => seen(b, a)?.produces(id) === true, { withinMs: 200 });
      expect(seen(b, a)).toMatchObject({ groups: [groupId('ledger')], stores: [storeId('history')] });
      expect(seen(b, a)?.nameOf(id)).toBe('prices');
      expect(b.discovery.catalog.producersOf(id).map(({ peer }) => peer)).toEqual([a.discovery.me.peer]);
      first[Symbol.dispose]();
      first[Symbol.dispose]();
      await world.sleep(200);
      expect(seen(b, a)?.produces(id)).toBe(true);
      second[Symbol.dispose]();
      await world.until(() => seen(b, a)?.produces(id) === false, { withinMs: 200 });
    });
  });
});

describe('the catalog', { timeout: 60_000 }, () => {
  it('is a snapshot that later changes leave alone; watchers get the newest', async () => {
    await inWorld({ seed: 3 }, async (world) => {
      const [a, b] = await pair(world);
      const before = b.discovery.catalog;
      const watched = b.discovery.watch();
      const c = await startNode(world.host('c'), { bootstrap: ['sim://a'] });
      await world.until(() => knowEachOther([a, b, c]), { withinMs: 2_000 });
      expect([...before].map(({ peer }) => peer)).toEqual([a.discovery.me.peer]);
      expect(watched.value.size).toBe(2);
      const peers = [...b.discovery.catalog].map(({ peer }) => peer);
      expect(peers).toEqual(peers.toSorted());
    });
  });

  it('tells of who came, changed and went, and a slow reader of what it missed', async () => {
    await inWorld({ seed: 4 }, async (world) => {
      const a = await startNode(world.host('a'));
      const all = a.discovery.events().subscribe({ backlog: 100 });
      const slow = a.discovery.events().subscribe({ backlog: 1 });
      const b = await startNode(world.host('b'), { bootstrap: ['sim://a'] });
      await world.until(() => knowEachOther([a, b]), { withinMs: 2_000 });
      b.discovery.addTags('new');
      await world.until(() => seen(a, b)?.hasTag('new') === true, { withinMs: 200 });
      await b.discovery.close();
      await world.until(() => a.discovery.catalog.size === 0, { withinMs: 200 });
      await a.discovery.close();
      const types: string[] = [];
      for await (const event of all) types.push(event.type);
      expect(types).toEqual(['discovered', 'updated', 'departed']);
      const got: (DiscoveryEvent | { readonly type: 'lagged' })[] = [];
      for await (const event of slow) got.push(event);
      expect(got.map(({ type }) => type)).toEqual(['lagged', 'departed']);
      expect(got[0]).toMatchObject({ missed: 2 });
    });
  });

  it('takes entries by hand: signed ones that are right, and unsigned ones for this node only', async () => {
    await inWorld({ seed: 5 }, async (world) => {
      const [a, b] = await pair(world);
      const stranger = await startNode(world.host('stranger'));
      const signed = stranger.discovery.signedMe;
      const fed = await a.discovery.feed(signed);
      expect(fed.peer).toBe(stranger.discovery.me.peer);
      await expect(a.discovery.feed(signed)).rejects.toMatchObject({ reason: 'equal' });
      await expect(a.discovery.feed(a.discovery.signedMe)).rejects.toMatchObject({ reason: 'equal' });
      const broken = signed.slice();
      broken[broken.length - 1] = (broken.at(-1) as number) ^ 1;
      await expect(b.discovery.feed(broken)).rejects.toMatchObject({ reason: 'forged' });

      const version = { start: 1, update: 1 };
      const byHand = entryOf(peerId('by hand'), version, { network: a.discovery.me.network ?? NETWORK });
      a.discovery.insert(byHand);
      expect(a.discovery.catalog.has(byHand.peer)).toBe(true);
      await a.discovery.syncWith(b.discovery.me.peer);
      expect(b.discovery.catalog.has(byHand.peer)).toBe(false);
      a.discovery.remove(byHand.peer);
      expect(a.discovery.catalog.has(byHand.peer)).toBe(false);
    });
  });

  it('is compared with whom one dials, by address or by peer', async () => {
    await inWorld({ seed: 6 }, async (world) => {
      const [a, b] = await pair(world);
      const c = await startNode(world.host('c'));
      expect(await c.discovery.dial('sim://a')).toBe(a.discovery.me.peer);
      expect(knowEachOther([a, c]) || c.discovery.catalog.size === 2).toBe(true);
      expect(await c.discovery.dial(b.discovery.me.peer)).toBe(b.discovery.me.peer);
      const result = await c.discovery.syncWith(b.discovery.me.peer);
      expect(result).toMatchObject({ sent: 0, received: 0 });
      await expect(c.discovery.dial('sim://nowhere')).rejects.toMatchObject({ code: 'ERR_PEER_UNREACHABLE' });
    });
  });
});

describe('round trips', { timeout: 60_000 }, () => {
  it('are measured, shown, and asked of every peer', async () => {
    await inWorld({ seed: 7, network: { latencyMs: 20, jitterMs: 0 } }, async (world) => {
      const [a, b] = await pair(world);
      await world.until(() => seen(a, b)?.rttMs !== undefined, { withinMs: 3_000 });
      expect(seen(a, b)?.rttMs).toBeCloseTo(40, 0);
      expect([30, 50].map((maxMs) => seen(a, b)?.rttBelow(maxMs))).toEqual([false, true]);
    });
  });

  it('beyond maxRtt hide a peer, and those that are unmeasured are shown', async () => {
    const network = (from: { name: string }, to: { name: string }): { latencyMs: number } => ({
      latencyMs: [from.name, to.name].includes('far') ? 80 : 2,
    });
    await inWorld({ seed: 8, network }, async (world) => {
      const [a, b] = await pair(world, { maxRttMs: 50 });
      const departures: DiscoveryEvent[] = [];
      const events = a.discovery.events().subscribe();
      void (async () => {
        for await (const event of events) if (event.type === 'departed') departures.push(event);
      })();
      const far = await startNode(world.host('far'), { bootstrap: ['sim://a'] });
      await world.until(() => seen(a, far) !== undefined, { withinMs: 2_000 });
      await world.until(() => seen(a, far) === undefined && seen(b, far) === undefined, { withinMs: 5_000 });
      expect(departures).toMatchObject([{ reason: 'far', peer: { peer: far.discovery.me.peer } }]);
      expect(seen(far, a)).toBeDefined();
      expect(seen(a, b)).toBeDefined();
    });
  });

  it('are taken from live connections, too, where nobody probes', async () => {
    await inWorld({ seed: 9, network: { latencyMs: 20, jitterMs: 0 } }, async (world) => {
      // The first probe would come after minutes.
      const [a, b] = await pair(world, { detector: { probeIntervalMs: 600_000, probeTimeoutMs: 300_000 } });
      await world.until(() => seen(a, b)?.rttMs !== undefined, { withinMs: 5_000 });
      expect(seen(a, b)?.rttMs).toBeCloseTo(40, 0);
    });
  });
});
