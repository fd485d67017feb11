import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GroupCluster, type MemberProcess } from '../support/groups.ts';
import { until, within } from '../support/wait.ts';

/** `npm run sim` kills as often as the promise says. */
const KILLS = process.env['MOSAIK_SIM'] === 'long' ? 20 : 3;
const BATCH = 20;
/** Defaults: an election timeout of 600 ms. Leaves room for a busy machine. */
const SERVICE_BACK_MS = 10_000;

/** Writes fresh keys through one member, batch after batch, and keeps what was acknowledged. */
class Writer {
  readonly acknowledged: string[] = [];
  readonly twice: string[] = [];
  readonly #prefix: string;
  #next = 0;
  #isOver = false;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Until it is told to stop, or the member is gone. */
  async run(member: MemberProcess): Promise<void> {
    while (!this.#isOver) {
      const from = this.#next;
      this.#next += BATCH;
      const request = { prefix: this.#prefix, from, count: BATCH };
      const twice = await member.call<string[]>('write', request).catch(() => undefined);
      if (twice === undefined) return;
      this.twice.push(...twice);
      for (let index = 0; index < BATCH; index++) this.acknowledged.push(`${this.#prefix}${from + index}`);
    }
  }

  stop(): void {
    this.#isOver = true;
  }
}

class Load {
  readonly #writers = new Map<MemberProcess, { readonly writer: Writer; readonly running: Promise<void> }>();
  readonly writers: Writer[] = [];

  through(members: readonly MemberProcess[]): void {
    for (const member of members) {
      if (this.#writers.has(member)) continue;
      const writer = new Writer(`w${this.writers.length}-`);
      this.writers.push(writer);
      this.#writers.set(member, { writer, running: writer.run(member) });
    }
  }

  get acknowledged(): number {
    return this.writers.reduce((sum, writer) => sum + writer.acknowledged.length, 0);
  }

  async stop(): Promise<void> {
    for (const { writer } of this.#writers.values()) writer.stop();
    await Promise.all([...this.#writers.values()].map(({ running }) => running));
  }
}

async function expectNothingLost(cluster: GroupCluster, { writers }: Load): Promise<void> {
  expect(writers.flatMap(({ twice }) => twice)).toEqual([]);
  const keys = writers.flatMap(({ acknowledged }) => acknowledged);
  for (const member of cluster.members) expect(await member.call('missing', keys)).toEqual([]);
}

async function killLeaders(cluster: GroupCluster): Promise<void> {
  await cluster.start();
  const load = new Load();
  for (let kill = 0; kill < KILLS; kill++) {
    const leader = await cluster.untilWhole(30_000);
    load.through(cluster.members);
    const before = load.acknowledged;
    await until('some writes are acknowledged', 20_000, () => load.acknowledged > before + 200);
    const victim = cluster.members[leader] as MemberProcess;
    victim.signal('SIGKILL');
    await victim.exited;
    const atKill = load.acknowledged;
    const killedAtMs = performance.now();
    await until(
      'writes are acknowledged again',
      SERVICE_BACK_MS,
      () => load.acknowledged > atKill + 2 * BATCH,
    );
    console.log(`served again after ${(performance.now() - killedAtMs).toFixed(0)} ms`);
    await cluster.restart(leader);
  }
  await cluster.untilWhole(30_000);
  await within('the writers end', 20_000, load.stop());
  console.log(`${KILLS} kills, ${load.acknowledged} writes acknowledged`);
  await expectNothingLost(cluster, load);
}

describe('kill -9 of the leader under load', () => {
  it('loses and repeats nothing, with logs in memory', async () => {
    await using cluster = new GroupCluster(3);
    await killLeaders(cluster);
  }, 300_000);

  it('loses and repeats nothing, with logs on disk', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mosaik-groups-'));
    try {
      await using cluster = new GroupCluster(3, (member) => join(folder, `${member}.db`));
      await killLeaders(cluster);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }, 300_000);
});

describe('kill -9 of all at once', () => {
  it('loses nothing that was acknowledged, with logs on disk', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mosaik-groups-'));
    try {
      await using cluster = new GroupCluster(3, (member) => join(folder, `${member}.db`));
      await cluster.start();
      await cluster.untilWhole(30_000);
      const load = new Load();
      load.through(cluster.members);
      await until('some writes are acknowledged', 20_000, () => load.acknowledged > 300);
      for (const member of cluster.members) member.signal('SIGKILL');
      await Promise.all(cluster.members.map((member) => member.exited));
      for (const member of [0, 1, 2]) await cluster.restart(member);
      await cluster.untilWhole(60_000);
      await load.stop();
      await expectNothingLost(cluster, load);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }, 300_000);
});
