import { createWorld, type Host, type World, type WorldOptions } from '@mosaik/testing';
import type { Transport } from '@mosaik/transport';
import { createDiscovery, type Discovery, type DiscoveryOptions } from '../../src/index.ts';

/** A node of a simulated cluster. */
export interface Node {
  readonly host: Host;
  readonly transport: Transport;
  readonly discovery: Discovery;
}

/** Starts a node on a host. */
export async function startNode(host: Host, options: Partial<DiscoveryOptions> = {}): Promise<Node> {
  const transport = host.transport();
  const discovery = await createDiscovery({ ...options, transport });
  return { host, transport, discovery };
}

/** Starts `count` nodes one after the other, each told the address of a random one before it. */
export async function startCluster(
  world: World,
  count: number,
  options: Partial<DiscoveryOptions> & { readonly everyMs?: number } = {},
): Promise<Node[]> {
  const { everyMs = 10, ...discovery } = options;
  const nodes: Node[] = [];
  for (let index = 0; index < count; index++) {
    const known = nodes[Math.floor(world.runtime.random() * nodes.length)];
    const bootstrap = known ? [`sim://${known.host.name}`] : [];
    nodes.push(await startNode(world.host(`n${index}`), { ...discovery, bootstrap }));
    await world.sleep(everyMs);
  }
  return nodes;
}

/** Whether each of `nodes` knows exactly the others, at their newest versions. */
export function isConverged(nodes: readonly Node[]): boolean {
  const truth = new Map(nodes.map(({ discovery }) => [discovery.me.peer, discovery.me.version.update]));
  return nodes.every(({ discovery }) => {
    const { catalog } = discovery;
    if (catalog.size !== nodes.length - 1) return false;
    for (const { peer, version } of catalog) if (truth.get(peer) !== version.update) return false;
    return true;
  });
}

/** Whether each of `nodes` knows exactly the others, at whatever version. */
export function knowEachOther(nodes: readonly Node[]): boolean {
  const peers = nodes.map(({ discovery }) => discovery.me.peer);
  return nodes.every(
    ({ discovery }) =>
      discovery.catalog.size === peers.length - 1 &&
      peers.every((peer) => peer === discovery.me.peer || discovery.catalog.has(peer)),
  );
}

/** Runs a test in a world of its own, and fails on errors in the background. */
export async function inWorld(options: WorldOptions, test: (world: World) => Promise<void>): Promise<World> {
  const world = createWorld(options);
  await world.run(() => test(world), { maxVirtualMs: 24 * 3_600_000, maxEvents: 200_000_000 });
  if (world.errors.length > 0) throw world.errors[0]?.error ?? new Error('an error in the background');
  return world;
}
