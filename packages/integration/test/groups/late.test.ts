import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inFolder } from '../support/folder.ts';
import {
  type ClusterOptions,
  GroupCluster,
  type MemberProcess,
  type WriteReport,
} from '../support/groups.ts';
import type { Receipt } from '../support/ledger.ts';
import { Load } from '../support/load.ts';
import { until, within } from '../support/wait.ts';

const COUNT = 3;
const BATCH = 10;
const TEXT_BYTES = 2_048;
/** With their texts: a state of 12 MiB, which is 50 chunks. */
const WRITES = 6_000;
/** Whoever has bonded with the leader alone when it is let in asks nobody else: another one is tried. */
const TRIES = 5;

/** Makes the state large, and the log so long that its beginning is pruned. */
async function fill(member: MemberProcess): Promise<readonly Receipt[]> {
  const receipts: Receipt[] = [];
  for (let from = 0; from < WRITES; from += BATCH) {
    const request = { prefix: 'early/', from, count: BATCH, textBytes: TEXT_BYTES };
    const { indices } = await member.call<WriteReport>('write', request);
    receipts.push({ prefix: 'early/', from, indices });
  }
  return receipts;
}

async function chunksServed(members: readonly MemberProcess[]): Promise<readonly number[]> {
  const views = await Promise.all(members.map((member) => member.view()));
  return views.map(({ snapshotChunksServed }) => snapshotChunksServed);
}

/** A process that comes late, and is gone again; returns how many members gave it chunks of a snapshot. */
async function joinLate(
  cluster: GroupCluster,
  { receipts, tried }: { readonly receipts: readonly Receipt[]; readonly tried: number },
): Promise<number> {
  const founders = [...cluster.members];
  const before = await chunksServed(founders);
  const load = new Load(`try ${tried} `);
  load.through(founders);
  // A member of its own each time: one that finds its file again lacks too little to need a snapshot.
  await using late = await cluster.startMember(COUNT + tried);
  await until('the late one has a snapshot and follows', 60_000, async () => {
    const { leader, role, log, snapshotsPulled } = await late.view();
    return role === 'learner' && leader !== undefined && snapshotsPulled > 0 && log.applied > 0;
  });
  const { acknowledged } = load;
  await until('writes go on', 20_000, () => load.acknowledged > acknowledged + 100);
  await within('the clients end', 30_000, load.stop());

  // Also what was written while it was catching up; a strong query answers once it has all of it.
  const audits = await cluster.audit([...receipts, ...load.receipts], [...founders, late]);
  for (const audit of audits) expect(audit).toMatchObject({ missing: [], misplaced: [], repeated: [] });
  expect(new Set(audits.map(({ deposits }) => deposits)).size).toBe(1);
  const chunks = (await chunksServed(founders)).map((count, member) => count - (before[member] as number));
  console.log(`chunks of a snapshot that each member gave: ${chunks.join(', ')}`);
  return chunks.filter((count) => count > 0).length;
}

/** Three members that have pruned their logs, and processes that come later and are no founders. */
async function joinLateUntilSeveralServe(options: ClusterOptions): Promise<void> {
  await using cluster = new GroupCluster(COUNT, {
    ...options,
    // Nobody keeps more than the last entries, the leader in its memory neither.
    consensus: { maxVoters: 3, snapshotEvery: 200, retainEntries: 300, retainBytes: 64 * 1_024 },
  });
  await cluster.start();
  await cluster.untilWhole(30_000);
  const receipts = await fill(cluster.members[0] as MemberProcess);
  let sources = 0;
  for (let tried = 0; tried < TRIES && sources < 2; tried++) {
    // Each try writes under names of its own, or its writes would be those of the one before.
    sources = await joinLate(cluster, { receipts, tried });
  }
  expect(sources).toBeGreaterThan(1);
}

describe('a late member, with the beginning of the log gone', () => {
  it('takes a snapshot from several members at once, with logs in memory', async () => {
    await joinLateUntilSeveralServe({});
  }, 180_000);

  it('takes a snapshot from several members at once, with logs on disk', async () => {
    await inFolder((folder) =>
      joinLateUntilSeveralServe({ fileOf: (member) => join(folder, `${member}.db`) }),
    );
  }, 180_000);
});
