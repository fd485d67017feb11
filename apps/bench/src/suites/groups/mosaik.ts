import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { type Child, startChild } from '../../child.ts';
import { createFolder } from '../../peers/folder.ts';
import { type GroupClient, type GroupContender, MEMBERS } from './contender.ts';

const FORMING_PATIENCE_MS = 30_000;
const POLL_MS = 20;

interface Role {
  readonly isLeader: boolean;
  readonly voters: number;
}

export interface MosaikOptions {
  readonly storage: 'memory' | 'sqlite';
  /** Default {@link MEMBERS}. */
  readonly members?: number;
}

/** Ours, and what its processes have computed. */
export interface MosaikContender extends GroupContender {
  /** Of all members together, since they started, in seconds. */
  cpuSeconds(): Promise<number>;
}

/**
 * Member processes with the defaults of groups (heartbeat 200 ms, election timeout 600 ms). Commands are given to a member in
 * its own process; etcd's client is connected to the member.
 */
export async function startMosaikContender({
  storage,
  members: count = MEMBERS,
}: MosaikOptions): Promise<MosaikContender> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await createFolder());
  const members: Child[] = [];
  stack.defer(async () => void (await Promise.all(members.map((child) => child[Symbol.asyncDispose]()))));
  const start = (member: number, bootstrap: string): Promise<Child> => {
    const name = `member-${member}`;
    const file = storage === 'sqlite' ? join(folder.path, `${name}.db`) : '';
    return startChild(new URL('./member.ts', import.meta.url), [name, bootstrap, `${count}`, file]);
  };
  for (let member = 0; member < count; member++) members.push(await start(member, members[0]?.ready ?? ''));
  let leader = await formed(members);
  const owned = stack.move();
  return {
    name: `mosaik, ${storage}`,
    at: (place) => clientOf(() => (place === 'leader' ? leader : followerOf(members, leader))),
    cpuSeconds: async () => sum(await Promise.all(members.map((child) => child.cpuSeconds()))),
    async failover() {
      const killed = members.indexOf(leader);
      const survivors = members.filter((child) => child !== leader);
      const startedAt = performance.now();
      await leader.kill();
      const writes = survivors.map((child) => child.request('write'));
      await Promise.any(writes);
      const elapsed = performance.now() - startedAt;
      await Promise.all(writes);
      members[killed] = await start(killed, survivors[0]?.ready ?? '');
      leader = await formed(members);
      return elapsed;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function followerOf(members: readonly Child[], leader: Child): Child {
  return members[(members.indexOf(leader) + 1) % members.length] as Child;
}

function clientOf(child: () => Child): GroupClient {
  return {
    pipelined: async (count, inFlight) =>
      count / ((await child().request('pipelined', count, inFlight)) as number),
    oneAtATime: (count) => child().request('oneAtATime', count) as Promise<number[]>,
    queries: (consistency, count) => child().request(`${consistency}Queries`, count) as Promise<number[]>,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Waits until all vote and one leads; that one. */
async function formed(members: readonly Child[]): Promise<Child> {
  const deadline = performance.now() + FORMING_PATIENCE_MS;
  while (performance.now() < deadline) {
    const roles = await Promise.all(members.map((child) => child.request('role') as Promise<Role>));
    const leader = members[roles.findIndex(({ isLeader }) => isLeader)];
    if (leader !== undefined && roles.every(({ voters }) => voters === members.length)) return leader;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`a group of ${members.length} did not form`);
}
