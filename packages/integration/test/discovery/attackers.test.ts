import { encodeCbor, idToBytes, networkId, type PeerId } from '@mosaik/primitives';
import type { Link, Transport } from '@mosaik/transport';
import { expect, it } from 'vitest';
import { Cluster, type DiscoveryProcess, untilEqual, untilTagged } from '../support/discovery.ts';
import { startNode } from '../support/nodes.ts';
import { until, within } from '../support/wait.ts';
import { announcement, death, RawSync, signedEntry } from '../support/wire.ts';

const NETWORK = 'integration discovery';
const network = networkId(NETWORK);

/** A node with a transport of the same network, and no discovery: it says what it likes. */
async function startAttacker(target: DiscoveryProcess): Promise<Transport> {
  const attacker = await startNode({ network: NETWORK, secretKey: `attacker ${target.peerId}` });
  attacker.topic('discovery').subscribe(() => 'ignore');
  await attacker.connect(target.address);
  await until('the attacker is heard', 5_000, () =>
    attacker.topic('discovery').peers.includes(target.peerId),
  );
  return attacker;
}

/** Who is known, and when they started. */
async function membersOf(node: DiscoveryProcess): Promise<string[]> {
  return (await node.held()).map(({ peer, version }) => `${peer} ${version.split('/')[0]}`);
}

async function gossipLies(attacker: Transport, victim: PeerId, victimStart: number): Promise<void> {
  const now = Date.now();
  const own = { peer: attacker.local.peerId, network, start: now, update: now };
  const lies = [
    // Forged: of the victim, and of somebody who does not exist, by the attacker's key.
    signedEntry(attacker, { ...own, peer: victim, start: victimStart, update: now + 5_000 }),
    signedEntry(attacker, { ...own, peer: 'ab'.repeat(32) as PeerId }),
    signedEntry(attacker, { ...own, network: networkId('another') }),
    signedEntry(attacker, { ...own, update: now + 60_000 }),
    signedEntry(attacker, { ...own, start: now - 400_000, update: now - 400_000 }),
    signedEntry(attacker, { ...own, fields: { a: ['x'.repeat(100_000)] } }),
    signedEntry(attacker, { ...own, fields: { t: 'not a list' } }),
  ];
  const topic = attacker.topic('discovery');
  for (const lie of await Promise.all(lies)) await topic.publish(announcement(lie));
  await topic.publish(new Uint8Array([0xff, 1, 2, 3]));
  await topic.publish(encodeCbor([99]));
  // A death dated so far ahead that nothing its victim ever says could refute it.
  await topic.publish(death(victim, { start: victimStart, update: now + 1e9 }, attacker.local.peerId));
}

it.concurrent('lies over gossip are refused and counted by reason, and harm nobody', async () => {
  await using cluster = new Cluster();
  const nodes = await cluster.startAll('gossip liars', 3);
  await untilEqual(nodes, 10_000);
  const [first, , third] = nodes as [DiscoveryProcess, DiscoveryProcess, DiscoveryProcess];
  const before = await membersOf(first);
  const victimStart = Number(before.find((line) => line.startsWith(third.peerId))?.split(' ')[1]);
  await using attacker = await startAttacker(first);
  await gossipLies(attacker, third.peerId, victimStart);

  const wanted = { forged: 2, foreign: 1, future: 2, stale: 1, malformed: 4 };
  let counted: Record<string, number> = {};
  await until('all lies are counted', 5_000, async () => {
    counted = await first.refused();
    return Object.entries(wanted).every(([reason, count]) => (counted[reason] ?? 0) >= count);
  });
  console.log('refused:', JSON.stringify(counted));
  expect(counted).toMatchObject(wanted);
  expect(await membersOf(first)).toEqual(before);

  await third.call('addTags', ['unharmed']);
  await untilTagged(nodes, { peer: third.peerId, tag: 'unharmed' }, 2_000);
  await untilEqual(nodes, 2_000);
  for (const node of nodes) {
    expect((await node.events()).filter(({ type }) => type === 'departed')).toEqual([]);
    // Nobody else was bothered with what the first refused.
    if (node !== first) expect(await node.refused()).not.toHaveProperty('forged');
  }
});

it.concurrent('an attacker that floods with forged entries costs a bounded number of verifications', async () => {
  await using cluster = new Cluster();
  const victim = await cluster.start({
    secretKey: 'flooded',
    discovery: { verificationsPerSecond: 1 },
  });
  const friend = await cluster.start({ secretKey: 'friend', discovery: { bootstrap: [victim.address] } });
  await untilEqual([victim, friend], 5_000);
  await using attacker = await startAttacker(victim);
  const now = Date.now();
  for (let index = 0; index < 200; index++) {
    const peer = index.toString(16).padStart(64, '0') as PeerId;
    const entry = { peer, network, start: now, update: now };
    await attacker.topic('discovery').publish(announcement(await signedEntry(attacker, entry)));
  }
  await until('the flood is throttled', 5_000, async () => ((await victim.refused())['throttled'] ?? 0) > 50);
  // Thirty at once, and one a second.
  expect((await victim.refused())['forged']).toBeLessThanOrEqual(30 + (Date.now() - now) / 1_000 + 1);
  await friend.call('addTags', ['still heard']);
  await untilTagged([victim], { peer: friend.peerId, tag: 'still heard' }, 2_000);
  await untilEqual([victim, friend], 2_000);
});

/** The end of a link as the side sees it that is told to go. */
async function endOf(link: Link<unknown>): Promise<string> {
  while (link.end === undefined) if ((await link.receive().catch(() => undefined)) === undefined) break;
  const end = await link.ended;
  return 'code' in end ? `${end.kind} ${end.code}` : end.kind;
}

it.concurrent('a sync peer that lies or stalls is refused with a code, and others are not kept waiting', async () => {
  await using cluster = new Cluster();
  const nodes = await cluster.startAll('sync liars', 2);
  await untilEqual(nodes, 10_000);
  const [first, second] = nodes as [DiscoveryProcess, DiscoveryProcess];
  const before = await membersOf(first);
  await using attacker = await startAttacker(first);
  // Answers whatever is asked of it with nothing, so that the victim's own syncs with it stall.
  attacker.accept(RawSync, async (link) => void (await link.ended));
  const open = (): Promise<Link<unknown>> => attacker.open(first.peerId, RawSync);
  const opening = [0, new Uint8Array(8), [null, new Uint8Array(0), []]];
  const now = Date.now();
  const own = { peer: attacker.local.peerId, network, start: now, update: now };
  const forged = await signedEntry(attacker, { ...own, peer: 'cd'.repeat(32) as PeerId });
  const item = [idToBytes('cd'.repeat(32) as PeerId), now, 0];

  // Opens and says nothing, while everything else goes on.
  const stalled = await open();

  const garbage = await open();
  await garbage.send('garbage');
  expect(await within('the end of garbage', 3_000, endOf(garbage))).toBe('closed 400');

  const middle = await open();
  await middle.send([1, [], [], []]);
  expect(await within('the end of one that begins in the middle', 3_000, endOf(middle))).toBe('closed 20403');

  // Its list claims nothing; what it then sends nobody wants.
  const unasked = await open();
  await unasked.send(opening);
  await unasked.receive();
  await unasked.send([2, [...item, forged]]);
  await unasked.send([1, [], [], [idToBytes('ef'.repeat(32) as PeerId), now, 0]]);
  expect(await within('the end of what nobody asked for', 3_000, endOf(unasked))).toMatch(/closed 204/);

  // It lists an entry, is asked for it, and does not deliver.
  const promised = await open();
  await promised.send([0, new Uint8Array(8), [null, new Uint8Array(0), item]]);
  await promised.receive();
  await promised.send([1, [], [], []]);
  expect(await within('the end of a broken promise', 3_000, endOf(promised))).toMatch(/closed 2040[34]/);

  // It lists an entry, and delivers a forged one.
  const forger = await open();
  await forger.send([0, new Uint8Array(8), [null, new Uint8Array(0), item]]);
  await forger.receive();
  await forger.send([2, [...item, forged]]).catch(() => {});
  await forger.send([1, [], [], []]).catch(() => {});
  await until('the forged entry is counted', 3_000, async () => ((await first.refused())['forged'] ?? 0) > 0);
  await forger.close();

  // It is sent all entries, and answers that one of them is dead, as of a time that nobody's refutation can reach.
  const undertaker = await open();
  await undertaker.send(opening);
  await undertaker.receive();
  await undertaker.receive();
  await undertaker.send([1, [], [], [idToBytes(second.peerId), now, 1e9]]);
  await undertaker.receive().catch(() => {});
  await undertaker.close();
  await second.call('addTags', ['not dead']);
  await untilTagged(nodes, { peer: second.peerId, tag: 'not dead' }, 2_000);

  // Others are served while one of them stalls.
  await second.call('addTags', ['not kept waiting']);
  await second.call('syncWith', first.peerId);
  await untilTagged(nodes, { peer: second.peerId, tag: 'not kept waiting' }, 2_000);
  expect(stalled.end).toBeUndefined();
  expect(await within('the end of the one that stalls', 10_000, endOf(stalled))).toBe('closed 20408');

  expect(await membersOf(first)).toEqual(before);
  await untilEqual(nodes, 2_000);
});
