import { performance } from 'node:perf_hooks';
import { Etcd3, type IRangeResponse } from 'etcd3';
import { oneByOne, pipelined } from '../../in-flight.ts';
import { type EtcdCluster, type EtcdOptions, startEtcd } from '../../peers/etcd.ts';
import type { Program } from '../../peers/program.ts';
import { type GroupClient, type GroupContender, keyOf, type Place, VALUE } from './contender.ts';

const value = Buffer.from(VALUE);
/** How often a write is tried after the leader was killed: the resolution of the time to recover. */
const PROBE_EVERY_MS = 10;
const FAILOVER_PATIENCE_MS = 30_000;

/**
 * Three etcd members with their defaults (heartbeat 100 ms, election timeout 1,000 ms, a sync before each acknowledgement)
 * and clients connected to one member each, as ours run where a member is. With the bare gRPC client the rates are the
 * same as with this one, so it is not what is measured.
 */
export async function startEtcdContender(
  program: Program,
  options: EtcdOptions = {},
): Promise<GroupContender> {
  const cluster = await startEtcd(program, options);
  let clients = await connect(cluster);
  return {
    name: `etcd, 3 members${options.storage === 'memory' ? ', files in memory' : ''}`,
    at: (place) => clientOf(() => clients[place]),
    async failover() {
      const leader = await cluster.leader();
      const elapsed = await killAndProbe(cluster, leader);
      await cluster.restart(leader);
      close(clients);
      clients = await connect(cluster);
      return elapsed;
    },
    async [Symbol.asyncDispose]() {
      close(clients);
      await cluster[Symbol.asyncDispose]();
    },
  };
}

type Clients = Readonly<Record<Place, Etcd3>>;

async function connect({ endpoints, leader }: EtcdCluster): Promise<Clients> {
  const leading = await leader();
  const to = (member: number): Etcd3 => new Etcd3({ hosts: [endpoints[member] as string] });
  return { leader: to(leading), follower: to((leading + 1) % endpoints.length) };
}

function close(clients: Clients): void {
  clients.leader.close();
  clients.follower.close();
}

function clientOf(connection: () => Etcd3): GroupClient {
  const put = (index: number): Promise<unknown> => connection().kv.put(putOf(index));
  const get = (index: number, serializable: boolean): Promise<IRangeResponse> =>
    connection().kv.range({ key: Buffer.from(keyOf(index)), serializable });
  return {
    pipelined: async (count, inFlight) => count / (await pipelined(count, inFlight, put)),
    oneAtATime: (count) => oneByOne(count, put),
    queries: (consistency, count) => oneByOne(count, (index) => get(index, consistency === 'weak')),
  };
}

function putOf(index: number): { key: Buffer; value: Buffer } {
  return { key: Buffer.from(keyOf(index)), value };
}

/** Puts through both survivors, again and again: one that was handed to the dead leader is answered only much later. */
async function killAndProbe(cluster: EtcdCluster, leader: number): Promise<number> {
  const survivors = cluster.endpoints
    .filter((_, member) => member !== leader)
    .map((endpoint) => new Etcd3({ hosts: [endpoint] }));
  // Connections are there before, as those of a client with all endpoints would be.
  await Promise.all(survivors.map((survivor) => survivor.kv.range({ key: Buffer.from(keyOf(0)) })));
  const { promise: recovered, resolve, reject } = Promise.withResolvers<number>();
  const startedAt = performance.now();
  await cluster.kill(leader);
  const probe = (): void => {
    for (const survivor of survivors)
      survivor.kv.put(putOf(0)).then(
        () => resolve(performance.now() - startedAt),
        () => {},
      );
  };
  const probing = setInterval(probe, PROBE_EVERY_MS);
  const patience = setTimeout(
    () => reject(new Error('etcd did not recover from the loss of its leader')),
    FAILOVER_PATIENCE_MS,
  );
  try {
    return await recovered;
  } finally {
    clearInterval(probing);
    clearTimeout(patience);
    for (const survivor of survivors) survivor.close();
  }
}
