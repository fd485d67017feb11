import { expect, it } from 'vitest';
import { Cluster, lastAfter, untilAllTold, untilEqual } from '../support/discovery.ts';
import { until } from '../support/wait.ts';

/** Waits through what a test proves by its not happening: there is no condition for that, only a time. */
async function elapsed(ms: number): Promise<void> {
  const sinceMs = performance.now();
  await until('the time has passed', ms + 1_000, () => performance.now() - sinceMs >= ms);
}

it('five processes that know one address: equal catalogs, a killed one and one that leaves are gone', async () => {
  await using cluster = new Cluster();
  const nodes = await cluster.startAll('five', 5);
  const last = nodes[4];
  if (last === undefined) throw new Error('five were started');
  await untilEqual(nodes, 10_000);
  const equalMs = Date.now() - last.startedAtMs;
  console.log(`5 processes: equal catalogs ${equalMs} ms after the last one started`);
  expect(equalMs).toBeLessThanOrEqual(2_000);

  const tagged = nodes[3];
  await tagged?.call('addTags', ['painter']);
  await until('everybody sees the tag', 1_000, async () => {
    const all = await Promise.all(nodes.map((node) => node.held()));
    return all.every((held) => held.find(({ peer }) => peer === tagged?.peerId)?.names[0] === 'painter');
  });

  const killedAtMs = Date.now();
  last.signal('SIGKILL');
  const others = nodes.slice(0, 4);
  const gone = { type: 'departed', peer: last.peerId, sinceMs: killedAtMs } as const;
  const deaths = await untilAllTold(others, gone, 10_000);
  const deadMs = lastAfter(killedAtMs, deaths);
  console.log(`killed: out of every catalog after ${deadMs} ms`);
  expect(deadMs).toBeLessThanOrEqual(5_000);
  expect(deaths.map(({ reason }) => reason)).toEqual(others.map(() => 'dead'));
  await untilEqual(others, 1_000);

  const leaver = others[2];
  const rest = others.filter((node) => node !== leaver);
  const leftAtMs = Date.now();
  const leaving = leaver?.call('leave');
  const departure = { type: 'departed', peer: leaver?.peerId as never, sinceMs: leftAtMs } as const;
  const goodbyes = await untilAllTold(rest, departure, 5_000);
  const leftMs = lastAfter(leftAtMs, goodbyes);
  console.log(`left: out of every catalog after ${leftMs} ms`);
  expect(leftMs).toBeLessThan(500);
  expect(goodbyes.map(({ reason }) => reason)).toEqual(rest.map(() => 'left'));
  await leaving;

  // The same key again, in a newer process: neither the death nor the departure stands in its way.
  const again = { secretKey: 'five 4', discovery: { bootstrap: [others[0]?.address ?? ''] } };
  const back = await cluster.start(again);
  expect(back.peerId).toBe(last.peerId);
  const found = { type: 'discovered', peer: last.peerId, sinceMs: back.startedAtMs } as const;
  const returns = await untilAllTold(rest, found, 5_000);
  const backMs = lastAfter(back.startedAtMs, returns);
  console.log(`started again: in every catalog after ${backMs} ms`);
  expect(backMs).toBeLessThanOrEqual(2_000);
  await untilEqual([...rest, back], 2_000);
});

it('a process that stands still for two seconds departs nowhere, and takes nobody for dead', async () => {
  await using cluster = new Cluster();
  const nodes = await cluster.startAll('still', 4);
  await untilEqual(nodes, 10_000);
  const sleeper = nodes[1];
  sleeper?.signal('SIGSTOP');
  await elapsed(2_000);
  sleeper?.signal('SIGCONT');
  // As long as it takes to declare somebody dead who was suspected meanwhile.
  await elapsed(4_000);
  for (const node of nodes) {
    expect((await node.events()).filter(({ type }) => type === 'departed')).toEqual([]);
  }
  await untilEqual(nodes, 2_000);
});

it('the loss of the bootstrap node changes nothing, and newcomers join by any other', async () => {
  await using cluster = new Cluster();
  const nodes = await cluster.startAll('bootstrap', 4);
  await untilEqual(nodes, 10_000);
  const [first, ...rest] = nodes;
  const killedAtMs = Date.now();
  first?.signal('SIGKILL');
  await untilAllTold(rest, { type: 'departed', peer: first?.peerId as never, sinceMs: killedAtMs }, 5_000);
  const newcomer = await cluster.start({
    secretKey: 'bootstrap, newcomer',
    discovery: { bootstrap: [rest[2]?.address ?? ''] },
  });
  const all = [...rest, newcomer];
  await untilEqual(all, 2_000);
  for (const node of rest) {
    const departed = (await node.events()).filter(({ type }) => type === 'departed');
    expect(departed.map(({ peer }) => peer)).toEqual([first?.peerId]);
  }
});
