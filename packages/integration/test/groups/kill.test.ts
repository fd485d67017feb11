import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedNowMs } from '../support/clock.ts';
import { inFolder } from '../support/folder.ts';
import { cpuWaits, GroupCluster, type MemberProcess } from '../support/groups.ts';
import { Load } from '../support/load.ts';
import { until, within } from '../support/wait.ts';

/** `npm run sim` kills as often as the promise says; `npm test` takes samples. */
const IS_LONG = process.env['MOSAIK_SIM'] === 'long';
const SERVED_WITHIN_MS = 2 * 600;
/** Of writes before each kill. */
const WARM_UP = 200;

interface Outage {
  /** From the signal to the first acknowledgement of a write that was sent after it. */
  readonly ms: number;
  /** How long the survivor that had to wait longest was ready to run, and the machine ran something else. */
  readonly waitedMs: number;
}

async function killLeader(cluster: GroupCluster, load: Load): Promise<Outage> {
  const leader = await cluster.untilWhole(30_000);
  load.through(cluster.members);
  const before = load.acknowledged;
  await until('writes are acknowledged', 20_000, () => load.acknowledged > before + WARM_UP);
  const victim = cluster.members[leader] as MemberProcess;
  const survivors = cluster.members.filter((member) => member !== victim);
  const killedAtMs = sharedNowMs();
  victim.signal('SIGKILL');
  load.mark(killedAtMs);
  const waited = await cpuWaits(survivors);
  await until('writes are served again', 20_000, () => load.servedAtMs !== undefined);
  const waitedMs = await waited.longestMs();
  await victim.exited;
  await cluster.restart(leader);
  return { ms: (load.servedAtMs ?? Number.POSITIVE_INFINITY) - killedAtMs, waitedMs };
}

/** All that was acknowledged is there, where it was said to be, once; and nothing else is there twice. */
async function expectKept(cluster: GroupCluster, load: Load): Promise<void> {
  await cluster.untilWhole(60_000);
  await within('the clients end', 30_000, load.stop());
  expect(load.failures).toEqual([]);
  expect(load.repeated).toBe(0);
  const audits = await cluster.audit(load.receipts);
  const kept = { missing: [], misplaced: [], repeated: [] };
  for (const audit of audits) expect(audit).toMatchObject(kept);
  for (const { deposits } of audits) expect(deposits).toBeGreaterThanOrEqual(load.acknowledged);
}

function expectShort(outages: readonly Outage[], load: Load): void {
  const sorted = outages.map(({ ms }) => ms).sort((a, b) => a - b);
  const p50 = sorted[Math.floor(sorted.length / 2)] as number;
  const shown = outages.map(({ ms, waitedMs }) => `${ms.toFixed(0)}(-${waitedMs.toFixed(0)})`);
  console.log(
    `${outages.length} kills, ${load.acknowledged} writes acknowledged; served again after p50 ${p50.toFixed(0)} ms, ` +
      `max ${sorted.at(-1)?.toFixed(0)} ms; each (and waited for the machine): ${shown.join(' ')}`,
  );
  // Of a few kills on a busy machine, the middle says little.
  if (IS_LONG) expect(p50).toBeLessThan(SERVED_WITHIN_MS);
  for (const { ms, waitedMs } of outages) expect(ms - waitedMs).toBeLessThan(SERVED_WITHIN_MS);
}

/** The members as they are known: a process with its log is the one that it was. */
async function identities(cluster: GroupCluster): Promise<readonly unknown[]> {
  return (await Promise.all(cluster.members.map((member) => member.view()))).map(({ member }) => member);
}

async function killLeaders(cluster: GroupCluster, kills: number, keepsLog: boolean): Promise<void> {
  await cluster.start();
  await cluster.untilWhole(30_000);
  const before = await identities(cluster);
  const load = new Load();
  const outages: Outage[] = [];
  for (let kill = 0; kill < kills; kill++) outages.push(await killLeader(cluster, load));
  await expectKept(cluster, load);
  if (keepsLog) expect(await identities(cluster)).toEqual(before);
  else expect(await identities(cluster)).not.toEqual(before);
  expectShort(outages, load);
}

const three = { count: 3, kills: IS_LONG ? 20 : 3 };
const five = { count: 5, kills: IS_LONG ? 20 : 1 };

describe('kill -9 of the leader under load', () => {
  it.each([three, five])(
    'loses and repeats nothing, $kills times, of $count with logs in memory',
    async ({ count, kills }) => {
      await using cluster = new GroupCluster(count);
      await killLeaders(cluster, kills, false);
    },
    600_000,
  );

  it.each([three, five])(
    'loses and repeats nothing, $kills times, of $count with logs on disk',
    async ({ count, kills }) => {
      await inFolder(async (folder) => {
        await using cluster = new GroupCluster(count, { fileOf: (member) => join(folder, `${member}.db`) });
        await killLeaders(cluster, kills, true);
      });
    },
    600_000,
  );
});

describe('kill -9 of all at once under load', () => {
  it.each([
    { count: 3, kills: IS_LONG ? 10 : 1 },
    { count: 5, kills: IS_LONG ? 5 : 1 },
  ])(
    'loses and repeats nothing, $kills times, of $count with logs on disk',
    async ({ count, kills }) => {
      await inFolder(async (folder) => {
        await using cluster = new GroupCluster(count, { fileOf: (member) => join(folder, `${member}.db`) });
        await cluster.start();
        await cluster.untilWhole(30_000);
        const before = await identities(cluster);
        const load = new Load();
        for (let kill = 0; kill < kills; kill++) {
          load.through(cluster.members);
          const acknowledged = load.acknowledged;
          await until('writes are acknowledged', 20_000, () => load.acknowledged > acknowledged + WARM_UP);
          for (const member of cluster.members) member.signal('SIGKILL');
          await Promise.all(cluster.members.map((member) => member.exited));
          await Promise.all(cluster.members.map((_, member) => cluster.restart(member)));
          await cluster.untilWhole(60_000);
        }
        await expectKept(cluster, load);
        expect(await identities(cluster)).toEqual(before);
      });
    },
    600_000,
  );
});
