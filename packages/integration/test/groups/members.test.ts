import { readdirSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedNowMs } from '../support/clock.ts';
import {
  cpuWaits,
  GroupCluster,
  type Leave,
  type MemberProcess,
  type SeenConfiguration,
} from '../support/groups.ts';
import type { Audit } from '../support/ledger.ts';
import { Load } from '../support/load.ts';
import { until, within } from '../support/wait.ts';

const ELECTION_TIMEOUT_MS = 600;
const PAGE_BYTES = 4_096;

/** What each test is about happens to a group of three with logs on disk, under load. */
interface Scene {
  readonly cluster: GroupCluster;
  readonly load: Load;
  readonly leader: number;
  fileOf(member: number): string;
}

/** One group for all tests: each leaves it whole. */
let folder: string;
let cluster: GroupCluster;
const fileOf = (member: number): string => join(folder, `${member}.db`);
let loads = 0;
/** How many damaged logs each member has put aside. */
const putAside = new Map<number, number>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mosaik-members-'));
  cluster = new GroupCluster(3, { fileOf });
  await cluster.start();
}, 60_000);

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function underLoad(test: (scene: Scene) => Promise<void>): Promise<void> {
  const leader = await cluster.untilWhole(30_000);
  const load = new Load(`load ${loads++}, `);
  try {
    await test({ cluster, load, leader, fileOf });
  } finally {
    await load.stop();
  }
}

async function untilWritten(load: Load, more: number): Promise<void> {
  const before = load.acknowledged;
  await until(`${more} more writes are acknowledged`, 20_000, () => load.acknowledged >= before + more);
}

async function expectKept(cluster: GroupCluster, load: Load): Promise<void> {
  await within('the clients end', 30_000, load.stop());
  expect(load.failures).toEqual([]);
  expect(load.repeated).toBe(0);
  for (const audit of await cluster.audit(load.receipts))
    expect(audit).toMatchObject({ missing: [], misplaced: [], repeated: [] });
}

async function kill(member: MemberProcess): Promise<void> {
  member.signal('SIGKILL');
  await member.exited;
}

/** Which of two things of a member came first in the configurations that another has seen. */
async function firstRoleOf(member: string | undefined, witness: MemberProcess): Promise<string> {
  for (const { voters, learners } of await witness.call<SeenConfiguration[]>('configurations')) {
    if (learners.includes(member ?? '')) return 'learner';
    if (voters.includes(member ?? '')) return 'voter';
  }
  return 'none';
}

/** Kills a follower, does something to its log, and starts it again: it is to come back as another member. */
async function comesBackAsAnother(
  scene: Scene,
  spoil: (file: string, member: number) => Promise<void>,
): Promise<number> {
  const { cluster, load, leader, fileOf } = scene;
  load.through(cluster.members);
  await untilWritten(load, 300);
  const place = (leader + 1) % 3;
  const victim = cluster.members[place] as MemberProcess;
  const before = (await victim.view()).member;
  await kill(victim);
  await spoil(fileOf(place), place);
  await cluster.restart(place);
  const now = await cluster.untilWhole(30_000);
  await untilWritten(load, 100);
  const { member } = await (cluster.members[place] as MemberProcess).view();
  expect(member).not.toBe(before);
  expect(await firstRoleOf(member, cluster.members[now] as MemberProcess)).toBe('learner');
  await expectKept(cluster, load);
  return place;
}

/** What is in the write-ahead log goes into the database when that is opened. */
async function moveIntoDatabase({ cluster }: Scene, member: number): Promise<void> {
  await cluster.restart(member);
  await kill(cluster.members[member] as MemberProcess);
}

async function expectPutAside({ cluster, fileOf }: Scene, place: number): Promise<void> {
  const member = cluster.members[place] as MemberProcess;
  const { damagedLog } = await member.view();
  // All tests share the group: those that were put aside are counted by member.
  const count = (putAside.get(place) ?? 0) + 1;
  putAside.set(place, count);
  expect(damagedLog).toBe(`${fileOf(place)}.damaged-${count}`);
  const files = readdirSync(dirname(fileOf(place)));
  expect(files).toEqual(expect.arrayContaining([`${place}.db`, `${place}.db.damaged-${count}`]));
  const alarms = (await member.call<string[]>('alarms')).join('\n');
  expect(alarms).toMatch(/groups:log:error .*damaged: .*; this node is another member from now on/);
  console.log(alarms);
}

/** As a disk does that goes bad: one bit in each page, but for the first ones, which say what the file is. */
async function flipBits(file: string): Promise<void> {
  await using handle = await open(file, 'r+');
  const { size } = await handle.stat();
  const byte = Buffer.alloc(1);
  // Pages are filled from their ends.
  for (let at = 3 * PAGE_BYTES - 50; at < size; at += PAGE_BYTES) {
    await handle.read(byte, 0, 1, at);
    byte[0] = (byte[0] as number) ^ 0x10;
    await handle.write(byte, 0, 1, at);
  }
}

describe('a leader that leaves', () => {
  it(
    'hands over first, and no command fails',
    () =>
      underLoad(async ({ cluster, load, leader }) => {
        const leaving = cluster.members[leader] as MemberProcess;
        const staying = cluster.members.filter((member) => member !== leaving);
        load.through(staying);
        await untilWritten(load, 300);
        load.takeLongestPauseMs();
        const waited = await cpuWaits(staying);
        const left = await within('the leader leaves', 20_000, leaving.call<Leave>('leave'));
        await untilWritten(load, 300);
        const pauseMs = load.takeLongestPauseMs();
        const waitedMs = await waited.longestMs();
        console.log(
          `the longest pause of writes while the leader left: ${pauseMs.toFixed(0)} ms, ` +
            `of which ${waitedMs.toFixed(0)} at most for the machine`,
        );
        expect(left.wasLeader).toBe(true);
        expect(left.handedOverAtMs).toBeLessThanOrEqual(left.closedAtMs);
        // Nobody had to find out that it is gone.
        expect(pauseMs - waitedMs).toBeLessThan(ELECTION_TIMEOUT_MS);
        await kill(leaving);
        await cluster.untilAgreed(staying, 20_000);
        await cluster.restart(leader);
        await cluster.untilWhole(30_000);
        await expectKept(cluster, load);
      }),
    120_000,
  );
});

describe('a leader that hangs', () => {
  it(
    'is replaced, and answers nothing stale when it goes on',
    () =>
      underLoad(async ({ cluster, load, leader }) => {
        const hung = cluster.members[leader] as MemberProcess;
        load.through(cluster.members.filter((member) => member !== hung));
        await untilWritten(load, 300);
        hung.signal('SIGSTOP');
        const stoppedAtMs = sharedNowMs();
        load.mark(stoppedAtMs);
        await until('the others serve', 20_000, () => load.servedAtMs !== undefined);
        console.log(`served again after ${((load.servedAtMs ?? 0) - stoppedAtMs).toFixed(0)} ms`);
        await untilWritten(load, 100);
        // It finds this question when it wakes, as the leader that it was.
        const answer = hung.call<Audit>('audit', [...load.receipts]);
        hung.signal('SIGCONT');
        const audit = await within('it answers', 30_000, answer);
        expect(audit).toMatchObject({ missing: [], misplaced: [], repeated: [] });
        await cluster.untilWhole(30_000);
        await expectKept(cluster, load);
      }),
    120_000,
  );
});

describe('a member that comes back', () => {
  it(
    'without its disk is another one, and learns before it votes',
    () =>
      underLoad(async (scene) => {
        await comesBackAsAnother(scene, async (file) => {
          for (const ending of ['', '-wal', '-shm', '-mark']) await rm(file + ending, { force: true });
        });
      }),
    120_000,
  );

  it.each(['database', 'write-ahead log'])(
    'with a damaged %s puts its log aside, says so, and gets everything from the others',
    (part) =>
      underLoad(async (scene) => {
        const place = await comesBackAsAnother(scene, async (file, victim) => {
          if (part === 'database') await moveIntoDatabase(scene, victim);
          await flipBits(part === 'database' ? file : `${file}-wal`);
        });
        await expectPutAside(scene, place);
      }),
    120_000,
  );
});
