import { sleep, systemRuntime } from '@mosaik/primitives';
import { expect, it } from 'vitest';
import { Cluster, type DiscoveryProcess, lastAfter, untilAllTold, untilEqual } from '../support/discovery.ts';

it('one key in two processes: both say so, and the others do not see it come and go', async () => {
  await using cluster = new Cluster();
  const others = await cluster.startAll('twins', 3);
  await untilEqual(others, 10_000);
  const [first, second] = others as [DiscoveryProcess, DiscoveryProcess];
  const secretKey = 'twins, one key';
  const sinceMs = Date.now();
  const elder = await cluster.start({ secretKey, discovery: { bootstrap: [first.address] } });
  await untilAllTold(others, { type: 'discovered', peer: elder.peerId, sinceMs }, 5_000);
  const younger = await cluster.start({ secretKey, discovery: { bootstrap: [second.address] } });
  expect(younger.peerId).toBe(elder.peerId);

  const conflict = { type: 'identityConflict', peer: elder.peerId, sinceMs } as const;
  const told = await untilAllTold([elder, younger], conflict, 5_000);
  console.log(
    `one key twice: both have told ${lastAfter(younger.startedAtMs, told)} ms after the second began`,
  );

  // Time for the two of them to fight, if they did.
  await sleep(systemRuntime, 3_000);
  for (const node of others) {
    const about = (await node.events()).filter(({ peer }) => peer === elder.peerId);
    const flaps = about.filter(({ type }) => type === 'discovered' || type === 'departed');
    console.log(`one key twice: ${flaps.map(({ type }) => type).join(', ')}`);
    expect(flaps.length).toBeLessThanOrEqual(3);
    const held = await node.held();
    expect(held.map(({ peer }) => peer)).toContain(elder.peerId);
  }
  for (const twin of [elder, younger]) {
    const reports = (await twin.events()).filter(({ type }) => type === 'identityConflict');
    expect(reports).toHaveLength(1);
  }
}, 60_000);
