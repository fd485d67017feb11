import { join } from 'node:path';
import { bytesCodec, type GroupId, idToBytes } from '@mosaik/primitives';
import { type Link, type Protocol, protocol, type Transport } from '@mosaik/transport';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inFolder } from '../support/folder.ts';
import { GroupCluster, type MemberProcess, type Refusal } from '../support/groups.ts';
import { startNode } from '../support/nodes.ts';
import { until } from '../support/wait.ts';

const COUNT = 3;
const KIB = 1_024;

/** As docs/wire.md has it: whoever attacks brings their own. */
const Bond: Protocol<Uint8Array> = protocol({
  name: 'groups/bond',
  version: 2,
  codec: bytesCodec,
  maxFrameBytes: 256 * KIB,
});
const HELLO = Uint8Array.of(0, ...new Uint8Array(32 + 16 + 16).fill(7));

function joinWith(group: GroupId, proof: Uint8Array): Uint8Array {
  return Uint8Array.of(1, 0, 0, 0, 9, ...idToBytes(group), ...proof);
}

async function refusals(member: MemberProcess): Promise<Readonly<Record<string, number>>> {
  return await member.call('refused');
}

describe('whoever is not of the group', () => {
  let cluster: GroupCluster;
  let victim: MemberProcess;

  beforeAll(async () => {
    cluster = new GroupCluster(COUNT);
    await cluster.start();
    await cluster.untilWhole(30_000);
    victim = cluster.members[0] as MemberProcess;
  });

  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  /** The members are bonded with each other, and with nobody else. */
  async function expectUndisturbed(): Promise<void> {
    for (const view of await Promise.all(cluster.members.map((member) => member.view()))) {
      expect(view.bonds).toBe(COUNT - 1);
      expect(view.voters).toHaveLength(COUNT);
      expect(view.learners).toHaveLength(0);
    }
  }

  async function attack(name: string, run: (link: Link<Uint8Array>) => Promise<void>): Promise<void> {
    const transport: Transport = await startNode({ network: 'integration groups', secretKey: name });
    try {
      const peer = await transport.connect(victim.address);
      const link = await transport.open(peer, Bond);
      await run(link);
      link.abort('over');
    } finally {
      await transport.close();
    }
    await expectUndisturbed();
  }

  it('with another key is in another group, alone', async () => {
    await using stranger = await cluster.startMember(COUNT, { key: 'another', consensus: { founders: 1 } });
    await until(
      'it knows all the others',
      20_000,
      async () => (await stranger.call<number>('known')) >= COUNT,
    );
    await until('it leads itself', 20_000, async () => (await stranger.view()).role === 'leader');
    expect(await stranger.view()).toMatchObject({ bonds: 0, learners: [] });
    expect((await stranger.view()).voters).toHaveLength(1);
    await expectUndisturbed();
  });

  it('with a wrong proof is refused and counted', async () => {
    const id = await victim.call<GroupId>('groupId');
    await attack('an impostor', async (link) => {
      await link.send(HELLO);
      await link.send(joinWith(id, new Uint8Array(32).fill(1)));
      expect(await link.ended).toMatchObject({ kind: 'closed', by: 'remote', code: 30_405 });
    });
    expect(await refusals(victim)).toMatchObject({ 30405: 1 });
  });

  it('with nonsense is refused and counted', async () => {
    await attack('a babbler', async (link) => {
      await link.send(Uint8Array.of(99, 1, 2, 3));
      expect(await link.ended).toMatchObject({ kind: 'closed', by: 'remote', code: 30_400 });
    });
    expect(await refusals(victim)).toMatchObject({ 30400: 1 });
  });

  it('with a group that is not there is refused and counted', async () => {
    const id = await victim.call<GroupId>('groupId');
    const other = (id.startsWith('0') ? id.replace('0', '1') : `0${id.slice(1)}`) as GroupId;
    await attack('a guesser', async (link) => {
      await link.send(HELLO);
      await link.send(joinWith(other, new Uint8Array(32)));
      await until('it is counted', 20_000, async () => (await refusals(victim))['30404'] === 1);
    });
  });
});

describe('the log of another group', () => {
  it('is refused by name, and stays as it is', () =>
    inFolder(async (folder) => {
      const fileOf = (member: number): string => join(folder, `${member}.db`);
      await using cluster = new GroupCluster(COUNT, { fileOf });
      await cluster.start();
      await cluster.untilWhole(30_000);
      const owner = cluster.members[0] as MemberProcess;
      const { member } = await owner.view();
      const id = await owner.call<GroupId>('groupId');
      owner.signal('SIGKILL');
      await owner.exited;

      await using stranger = await cluster.startMember(0, { key: 'another' });
      const refusal = await stranger.call<Refusal>('refusal');
      expect(refusal.name).toBe('StorageGroupError');
      expect(refusal.message).toContain(`${fileOf(0)}: the log of group ${id}, not of `);
      await stranger[Symbol.asyncDispose]();

      await cluster.restart(0);
      await cluster.untilWhole(30_000);
      expect((await cluster.members[0]?.view())?.member).toBe(member);
    }));
});
