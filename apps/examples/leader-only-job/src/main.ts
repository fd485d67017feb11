/**
 * A job that one node at a time does: three nodes form a group that replicates nothing and only wants a leader. The leader does
 * the job; when it goes, another takes over.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Group, Network, NoOp } from 'mosaik';

/** A member, by name, and what ends it. */
interface Member {
  readonly name: string;
  readonly group: Group<null, null, null, null>;
  leave(): Promise<void>;
}

const NAMES = ['ann', 'bob', 'cleo'];
const listen = ['/ip4/127.0.0.1/tcp/0'];
const isDone = new Map(NAMES.map((name) => [name, Promise.withResolvers<void>()]));

/**
 * The job. What it writes to elsewhere should refuse a term that is lower than one it has seen: a leader that was cut off may
 * believe in itself for as long as an election takes.
 */
async function work(name: string, term: number, signal: AbortSignal): Promise<void> {
  for (let run = 1; !signal.aborted; run++) {
    if (run === 1) console.error(`${name} does the job, in term ${term}`);
    if (run === 3) isDone.get(name)?.resolve();
    await sleep(20, undefined, { signal }).catch(() => {});
  }
}

async function workWhileLeading(name: string, group: Member['group'], signal: AbortSignal): Promise<void> {
  let leading = new AbortController();
  signal.addEventListener('abort', () => leading.abort());
  // How it stands now, and then each change.
  for await (const isLeader of group.when().isLeader().transitions({ signal })) {
    leading.abort();
    leading = new AbortController();
    if (isLeader) void work(name, group.stats.term, leading.signal);
  }
}

async function join(
  name: string,
  bootstrap: readonly string[],
): Promise<Member & { readonly addresses: readonly string[] }> {
  const node = await Network.create('janitors', { listen, bootstrap });
  const consensus = { founders: NAMES.length };
  const group = await node.groups.join({ key: 'of the janitors', machine: NoOp, consensus });
  const leaving = new AbortController();
  void workWhileLeading(name, group, leaving.signal).catch(() => {});
  const leave = async (): Promise<void> => {
    leaving.abort();
    await node.close();
  };
  return { name, group, leave, addresses: node.local.addresses.value };
}

const ann = await join('ann', []);
const members: Member[] = [ann, await join('bob', ann.addresses), await join('cleo', ann.addresses)];

for (let round = 0; round < 2; round++) {
  const done = members.map(({ name }) => isDone.get(name)?.promise.then(() => name));
  const name = await Promise.race(done);
  const at = members.findIndex((member) => member.name === name);
  const [leader] = members.splice(at, 1);
  console.log(`leader ${round + 1} has done the job three times, and leaves`);
  await leader?.leave();
}

// Who leaves is taken out of the voters, so the last one is a majority of itself.
const [last] = members;
await isDone.get(last?.name ?? '')?.promise;
console.log('the last one does it alone');
await last?.leave();
