import { sleep, systemRuntime } from '@mosaik/primitives';
import { expect, it } from 'vitest';
import {
  Cluster,
  type DiscoveryProcess,
  lastAfter,
  untilAllTold,
  untilEqual,
  untilTagged,
} from '../support/discovery.ts';
import { until } from '../support/wait.ts';

it('five processes that know one address have equal catalogs within 2 s, and see a change at once', async () => {
  await using cluster = new Cluster();
  const nodes = await cluster.startAll('five', 5);
  await untilEqual(nodes, 10_000);
  const equalMs = Date.now() - Math.max(...nodes.map(({ startedAtMs }) => startedAtMs));
  console.log(`5 processes: equal catalogs ${equalMs} ms after the last one started`);
  expect(equalMs).toBeLessThanOrEqual(2_000);

  const [, , painter] = nodes as [DiscoveryProcess, DiscoveryProcess, DiscoveryProcess];
  await painter.call('addTags', ['painter']);
  await untilTagged(nodes, { peer: painter.peerId, tag: 'painter' }, 1_000);
});

it('a killed process is out of every catalog within 5 s, one that leaves at once, and both come back at once', async () => {
  await using cluster = new Cluster();
  const nodes = await cluster.startAll('mortal', 5);
  await untilEqual(nodes, 10_000);
  const [first, second, third, leaver, victim] = nodes as [
    DiscoveryProcess,
    DiscoveryProcess,
    DiscoveryProcess,
    DiscoveryProcess,
    DiscoveryProcess,
  ];

  const killedAtMs = Date.now();
  victim.signal('SIGKILL');
  const survivors = [first, second, third, leaver];
  const killed = { type: 'departed', peer: victim.peerId, sinceMs: killedAtMs } as const;
  const deaths = await untilAllTold(survivors, killed, 10_000);
  const deadMs = lastAfter(killedAtMs, deaths);
  console.log(`killed: out of every catalog after ${deadMs} ms`);
  expect(deadMs).toBeLessThanOrEqual(5_000);
  expect(deaths.map(({ reason }) => reason)).toEqual(survivors.map(() => 'dead'));

  const leftAtMs = Date.now();
  const rest = [first, second, third];
  const left = { type: 'departed', peer: leaver.peerId, sinceMs: leftAtMs } as const;
  const [goodbyes] = await Promise.all([untilAllTold(rest, left, 5_000), leaver.call('leave')]);
  const leftMs = lastAfter(leftAtMs, goodbyes);
  console.log(`left: out of every catalog after ${leftMs} ms`);
  expect(leftMs).toBeLessThan(500);
  expect(goodbyes.map(({ reason }) => reason)).toEqual(rest.map(() => 'left'));

  // The same keys in newer processes: neither the death nor the departure stands in their way.
  const discovery = { bootstrap: [second.address] };
  const back = await Promise.all([
    cluster.start({ secretKey: 'mortal 4', discovery }),
    cluster.start({ secretKey: 'mortal 3', discovery }),
  ]);
  expect(back.map(({ peerId }) => peerId)).toEqual([victim.peerId, leaver.peerId]);
  for (const { peerId, startedAtMs } of back) {
    const found = { type: 'discovered', peer: peerId, sinceMs: startedAtMs } as const;
    const backMs = lastAfter(startedAtMs, await untilAllTold(rest, found, 5_000));
    console.log(`started again: in every catalog after ${backMs} ms`);
    expect(backMs).toBeLessThanOrEqual(2_000);
  }
  await untilEqual([...rest, ...back], 2_000);
  // A second life is not a second process.
  for (const node of [...rest, ...back]) {
    expect((await node.events()).filter(({ type }) => type === 'identityConflict')).toEqual([]);
  }
});

it('a process that stands still for two seconds departs nowhere, and takes nobody for dead', async () => {
  await using cluster = new Cluster();
  const nodes = await cluster.startAll('still', 4);
  await untilEqual(nodes, 10_000);
  const [, sleeper] = nodes as [DiscoveryProcess, DiscoveryProcess];

  sleeper.signal('SIGSTOP');
  await sleep(systemRuntime, 2_000);
  sleeper.signal('SIGCONT');

  await sleeper.call('addTags', ['awake']);
  await untilTagged(nodes, { peer: sleeper.peerId, tag: 'awake' }, 2_000);
  await until('nobody is suspected', 5_000, async () => {
    const suspects = await Promise.all(nodes.map((node) => node.suspects()));
    return suspects.flat().length === 0;
  });
  await untilEqual(nodes, 2_000);
  for (const node of nodes) {
    expect((await node.events()).filter(({ type }) => type === 'departed')).toEqual([]);
  }
});

it('when the bootstrap node is killed nobody else departs, and newcomers join by any other address', async () => {
  await using cluster = new Cluster();
  const nodes = await cluster.startAll('bootstrap', 4);
  await untilEqual(nodes, 10_000);
  const [first, ...rest] = nodes as [DiscoveryProcess, ...DiscoveryProcess[]];
  const killedAtMs = Date.now();
  first.signal('SIGKILL');
  await untilAllTold(rest, { type: 'departed', peer: first.peerId, sinceMs: killedAtMs }, 5_000);

  const bootstrap = rest.slice(-1).map(({ address }) => address);
  const newcomer = await cluster.start({ secretKey: 'bootstrap, newcomer', discovery: { bootstrap } });
  await untilEqual([...rest, newcomer], 2_000);
  for (const node of rest) {
    const departed = (await node.events()).filter(({ type }) => type === 'departed');
    expect(departed.map(({ peer }) => peer)).toEqual([first.peerId]);
  }
});
