import { createServer } from 'node:net';
import { join } from 'node:path';
import { Etcd3 } from 'etcd3';
import { createFolder } from './folder.ts';
import { findProgram, type Program, type Server, startServer, untilReady } from './program.ts';

/** Three etcd members on loopback. */
export interface EtcdCluster extends AsyncDisposable {
  /** The addresses that clients use, by member. */
  readonly endpoints: readonly string[];
  /** The member that leads now. */
  leader(): Promise<number>;
  /** As `kill -9`. */
  kill(member: number): Promise<void>;
  /** Starts a killed member with the files that it left, and waits until the cluster has it back. */
  restart(member: number): Promise<void>;
}

export interface EtcdOptions {
  /** Where the files are; in memory a sync costs nothing. */
  readonly storage?: 'disk' | 'memory';
}

const MEMBERS = 3;
const STATUS_PATIENCE_MS = 1_000;

export function findEtcd(): Program | undefined {
  return findProgram('etcd', /etcd Version: (\S+)/);
}

/** Starts a cluster with all of its defaults, on free ports of loopback, with its files in a folder that goes when it does. */
export async function startEtcd(
  program: Program,
  { storage = 'disk' }: EtcdOptions = {},
): Promise<EtcdCluster> {
  const folder = await createFolder(storage);
  const ports = await freePorts(2 * MEMBERS);
  const url = (index: number): string => `http://127.0.0.1:${ports[index]}`;
  const members = Array.from({ length: MEMBERS }, (_, member) => ({
    name: `member-${member}`,
    client: url(member),
    peer: url(MEMBERS + member),
  }));
  const start = (member: number): Server =>
    startServer(program, argumentsOf(members, member, join(folder.path, `member-${member}`)));
  const servers = members.map((_, member) => start(member));
  const dispose = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    await folder[Symbol.asyncDispose]();
  };
  const endpoints = members.map(({ client }) => client);
  const ready = (member: number): Promise<boolean> =>
    untilReady(servers[member] as Server, 'etcd', () => isHealthy(endpoints[member] as string));
  try {
    await Promise.all(members.map((_, member) => ready(member)));
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    endpoints,
    leader: () => findLeader(endpoints),
    kill: (member) => servers[member]?.kill() ?? Promise.resolve(),
    async restart(member) {
      servers[member] = start(member);
      await ready(member);
    },
    [Symbol.asyncDispose]: dispose,
  };
}

interface Member {
  readonly name: string;
  readonly client: string;
  readonly peer: string;
}

function argumentsOf(members: readonly Member[], self: number, folder: string): string[] {
  const { name, client, peer } = members[self] as Member;
  return [
    ['--name', name],
    ['--data-dir', folder],
    ['--listen-client-urls', client],
    ['--advertise-client-urls', client],
    ['--listen-peer-urls', peer],
    ['--initial-advertise-peer-urls', peer],
    ['--initial-cluster', members.map((member) => `${member.name}=${member.peer}`).join(',')],
    ['--initial-cluster-token', 'mosaik-bench'],
    ['--log-level', 'error'],
  ].flat();
}

/** etcd wants to be told its ports; these were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const listening = servers.map(
    (server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)),
  );
  await Promise.all(listening);
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function status(endpoint: string): Promise<{ readonly leader: string; readonly self: string }> {
  const client = new Etcd3({
    hosts: [endpoint],
    defaultCallOptions: () => ({ deadline: Date.now() + STATUS_PATIENCE_MS }),
  });
  try {
    const { leader, header } = await client.maintenance.status();
    return { leader, self: header.member_id };
  } finally {
    client.close();
  }
}

/** A member is healthy when it knows a leader and reads through it. */
async function isHealthy(endpoint: string): Promise<true | undefined> {
  const answer = await fetch(`${endpoint}/health`, { signal: AbortSignal.timeout(STATUS_PATIENCE_MS) });
  const { health } = (await answer.json()) as { health: string };
  return health === 'true' ? true : undefined;
}

async function findLeader(endpoints: readonly string[]): Promise<number> {
  const all = await Promise.all(endpoints.map(status));
  const leader = all.findIndex((member) => member.leader === member.self);
  if (leader === -1) throw new Error('etcd has no leader');
  return leader;
}
