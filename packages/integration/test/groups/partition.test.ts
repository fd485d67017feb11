import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedNowMs } from '../support/clock.ts';
import { inFolder } from '../support/folder.ts';
import { type Attempt, type ClusterOptions, GroupCluster, type MemberProcess } from '../support/groups.ts';
import { Load } from '../support/load.ts';
import { namespacesRefused, Wires } from '../support/namespaces.ts';
import { until, within } from '../support/wait.ts';

const refused = await namespacesRefused();
const title =
  refused === undefined ? 'a real partition' : `a real partition (not here: no namespaces, ${refused})`;

const COUNT = 5;
const IS_LONG = process.env['MOSAIK_SIM'] === 'long';
/** In every other one the leader is with the many. */
const ROUNDS = IS_LONG ? 4 : 1;
const PATIENCE_MS = 1_500;

/** All that a side without a majority is asked for: nothing of it may be done. */
async function expectRefused(minority: readonly MemberProcess[], when: string): Promise<void> {
  const attempts = minority.map(async (member, position) => {
    const write = { prefix: `${when}, ${position}/`, from: 0, count: 20, timeoutMs: PATIENCE_MS };
    return await Promise.all([
      member.call<Attempt>('tryWrite', write),
      member.call<Attempt>('tryStrongRead', { timeoutMs: PATIENCE_MS }),
    ]);
  });
  for (const [write, read] of await Promise.all(attempts)) {
    expect(write).toMatchObject({ done: false, error: 'CommandAbortedError' });
    expect(read).toMatchObject({ done: false, error: 'AbortedError' });
  }
}

interface Scene {
  readonly cluster: GroupCluster;
  readonly wires: Wires;
  readonly load: Load;
  readonly minority: readonly number[];
  readonly round: number;
}

/** Two of five are cut off; both sides go on being asked; then all hear each other again. */
async function partition({ cluster, wires, load, minority, round }: Scene): Promise<void> {
  const membersAt = (isIn: boolean): MemberProcess[] =>
    cluster.members.filter((_, member) => minority.includes(member) === isIn);
  await wires.cutOff(minority);
  const cutOffAtMs = sharedNowMs();
  load.mark(cutOffAtMs);
  const refusedAtOnce = expectRefused(membersAt(true), `round ${round}, at once`);
  // The three have a leader of their own, and take the vote from the two.
  await cluster.untilAgreed(membersAt(false), 30_000);
  const before = load.acknowledged;
  await until('the majority serves', 20_000, () => load.acknowledged > before + 200);
  const servedAfterMs = (load.servedAtMs ?? Number.POSITIVE_INFINITY) - cutOffAtMs;
  console.log(`round ${round}: the majority served again after ${servedAfterMs.toFixed(0)} ms`);
  await refusedAtOnce;
  for (const member of membersAt(false))
    expect(await member.call<Attempt>('tryStrongRead', { timeoutMs: 10_000 })).toEqual({ done: true });
  await expectRefused(membersAt(true), `round ${round}, later`);
  for (const { why, role } of await Promise.all(membersAt(true).map((member) => member.view()))) {
    expect(role).not.toBe('leader');
    expect(why.code).toBe('noQuorum');
  }
  await wires.heal();
}

async function expectConverged(cluster: GroupCluster, load: Load): Promise<void> {
  const healedAtMs = sharedNowMs();
  await cluster.untilWhole(60_000);
  console.log(`whole in the end after ${(sharedNowMs() - healedAtMs).toFixed(0)} ms`);
  await within('the clients end, those of the minority too', 30_000, load.stop());
  expect(load.failures).toEqual([]);
  expect(load.repeated).toBe(0);
  const audits = await cluster.audit(load.receipts);
  for (const audit of audits) expect(audit).toMatchObject({ missing: [], misplaced: [], repeated: [] });
  expect(new Set(audits.map(({ deposits }) => deposits)).size).toBe(1);
}

async function inPartition(options: ClusterOptions): Promise<void> {
  await using wires = await Wires.create(COUNT);
  await using cluster = new GroupCluster(COUNT, {
    ...options,
    listenOf: (member) => wires.listenOf(member),
    launcherOf: (member) => wires.launcherOf(member),
  });
  await cluster.start();
  const load = new Load();
  for (let round = 0; round < ROUNDS; round++) {
    const healedAtMs = sharedNowMs();
    const leader = await cluster.untilWhole(60_000);
    if (round > 0) console.log(`whole again after ${(sharedNowMs() - healedAtMs).toFixed(0)} ms`);
    load.through(cluster.members);
    const before = load.acknowledged;
    await until('writes are acknowledged', 20_000, () => load.acknowledged > before + 200);
    const first = round % 2 === 0 ? leader : leader + 1;
    await partition({ cluster, wires, load, minority: [first % COUNT, (first + 1) % COUNT], round });
  }
  await expectConverged(cluster, load);
}

describe.skipIf(refused !== undefined)(title, () => {
  it.runIf(IS_LONG)(
    'has a minority that refuses, a majority that serves, and agreement in the end; in memory',
    () => inPartition({}),
    300_000,
  );

  it(
    'has a minority that refuses, a majority that serves, and agreement in the end; on disk',
    () => inFolder((folder) => inPartition({ fileOf: (member) => join(folder, `${member}.db`) })),
    300_000,
  );
});
