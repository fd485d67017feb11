import { createDiscovery, type Discovery, type DiscoveryOptions } from '@mosaik/discovery';
import { createStreams, type Streams } from '@mosaik/streams';
import { createWorld, type Host, type World, type WorldOptions } from '@mosaik/testing';
import type { Transport } from '@mosaik/transport';
import { createStore, type Replay, type ReplayRecord, type Store } from '../../src/index.ts';

/** What went wrong in the stores of the world that runs. */
let background: Error[] = [];

/** A simulated node with streams and a store. */
export interface Node {
  readonly host: Host;
  readonly transport: Transport;
  readonly discovery: Discovery;
  readonly streams: Streams;
  readonly store: Store;
}

/** Starts a node on a host. */
export async function startNode(host: Host, options: Partial<DiscoveryOptions> = {}): Promise<Node> {
  const transport = host.transport();
  const discovery = await createDiscovery({ ...options, transport });
  const streams = createStreams({ transport, discovery });
  const store = createStore({
    transport,
    discovery,
    streams,
    onError: (error, where) =>
      background.push(new Error(`${host.name} ${where}: ${error.message}`, { cause: error })),
  });
  return { host, transport, discovery, streams, store };
}

/** The address of a simulated host. */
export function addressOf(host: Host): string {
  return `sim://${host.name}`;
}

/** Starts nodes of these names; each is told the address of the first. */
export async function startNodes<Name extends string>(
  world: World,
  ...names: readonly Name[]
): Promise<Record<Name, Node>> {
  const nodes: [string, Node][] = [];
  for (const name of names) {
    const first = nodes[0]?.[1];
    const bootstrap = first === undefined ? [] : [addressOf(first.host)];
    nodes.push([name, await startNode(world.host(name), { bootstrap })]);
  }
  return Object.fromEntries(nodes) as Record<Name, Node>;
}

/** Starts the next process on a host that is down or up, and a node on it. */
export async function restart(node: Node, ...others: readonly Node[]): Promise<Node> {
  if (node.host.isUp) node.host.crash();
  node.host.restart();
  return await startNode(node.host, { bootstrap: others.map(({ host }) => addressOf(host)) });
}

/** Runs a test in a world of its own, and fails on errors in the background. */
export async function inWorld(options: WorldOptions, test: (world: World) => Promise<void>): Promise<World> {
  const world = createWorld(options);
  background = [];
  await world.run(() => test(world), { maxVirtualMs: 24 * 3_600_000, maxEvents: 200_000_000 });
  if (world.errors.length > 0) throw world.errors[0]?.error ?? new Error('an error in the background');
  if (background[0] !== undefined) throw background[0];
  return world;
}

/** The next records of a replay, up to and with the one for which `isLast` holds. */
export async function takeUntil<T>(
  replay: Replay<T>,
  isLast: (record: ReplayRecord<T>) => boolean,
): Promise<ReplayRecord<T>[]> {
  const taken: ReplayRecord<T>[] = [];
  for await (const record of replay.records()) {
    taken.push(record);
    if (isLast(record)) break;
  }
  return taken;
}

/** Everything up to where the replay is caught up. */
export function takeToMark<T>(replay: Replay<T>): Promise<ReplayRecord<T>[]> {
  return takeUntil(replay, ({ type }) => type === 'caughtUp');
}

/** The data among records. */
export function dataIn<T>(records: readonly ReplayRecord<T>[]): T[] {
  return records.flatMap((record) => (record.type === 'datum' ? [record.datum] : []));
}

/** The next `count` data. */
export async function takeData<T>(replay: Replay<T>, count: number): Promise<T[]> {
  const data: T[] = [];
  if (count === 0) return data;
  for await (const datum of replay) {
    data.push(datum);
    if (data.length === count) break;
  }
  return data;
}

/** The whole numbers from `from` up to, and without, `to`. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
