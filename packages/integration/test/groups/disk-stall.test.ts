import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqlite } from '@mosaik/groups/sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type LocalNode, startLocalNode, type Texts } from '../support/in-process.ts';

/** A member whose log waits after each commit, before anybody hears of it, while the first number of its gate is 1. */
interface Member {
  readonly group: Texts;
  readonly gate: Int32Array<SharedArrayBuffer>;
}

let folder: string;
const nodes: LocalNode[] = [];
const members: Member[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mosaik-stall-'));
  for (const name of ['first', 'second', 'third']) {
    const node = await startLocalNode(name, nodes);
    nodes.push(node);
    const gate = new Int32Array(new SharedArrayBuffer(8));
    const storage = sqlite(join(folder, name), { holdAt: { point: 'committed', gate: gate.buffer } });
    members.push({ gate, group: await node.join(storage, { founders: 3 }) });
  }
  await Promise.all(members.map(({ group }) => group.log().until(() => group.stats.voters.length === 3)));
}, 60_000);

afterEach(async () => {
  for (const member of members.splice(0)) open(member);
  await Promise.all(nodes.splice(0).map((node) => node.close()));
  await rm(folder, { recursive: true });
});

function open({ gate }: Member): void {
  Atomics.store(gate, 0, 0);
  Atomics.notify(gate, 0);
}

/** Closes the gate; resolves when the log stands at it. */
async function hold({ gate }: Member): Promise<void> {
  Atomics.store(gate, 1, 0);
  Atomics.store(gate, 0, 1);
  await Atomics.waitAsync(gate, 1, 0).value;
}

const bondsOf = ({ group }: Member): readonly number[] => group.bonds().value.map((bond) => bond.bondedAtMs);

it('a disk that stalls holds up neither the process nor its heartbeats, and a leader hands over', {
  timeout: 60_000,
}, async () => {
  const leader = members.find(({ group }) => group.stats.role === 'leader') as Member;
  const [other] = members.filter((member) => member !== leader) as [Member];
  const bonds = members.map(bondsOf);
  const { term } = leader.group.stats;
  const held = hold(leader);
  let isAnswered = false;
  const own = leader.group.execute({ put: 'own', value: 'x' }).finally(() => {
    isAnswered = true;
  });
  await held;
  // All members are in this process: would one of them wait for its disk, none of this came about.
  await leader.group.when().isFollower();
  for (let value = 0; value < 20; value++) await other.group.execute({ put: 'other', value: `${value}` });
  expect(isAnswered).toBe(false);
  expect(members.map(bondsOf)).toEqual(bonds);
  expect(other.group.stats.term).toBe(term + 1);
  open(leader);
  await own;
  expect(await other.group.query({ get: 'own' }, 'strong')).toMatchObject({
    result: { entries: [{ value: 'x' }] },
  });
  expect(members.map(bondsOf)).toEqual(bonds);
});
