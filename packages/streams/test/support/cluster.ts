import { createDiscovery, type Discovery, type DiscoveryOptions } from '@mosaik/discovery';
import { createWorld, type Host, type World, type WorldOptions } from '@mosaik/testing';
import type { Transport } from '@mosaik/transport';
import { createStreams, type Streams } from '../../src/index.ts';

/** A simulated node with streams. */
export interface Node {
  readonly host: Host;
  readonly transport: Transport;
  readonly discovery: Discovery;
  readonly streams: Streams;
}

/** Starts a node on a host. */
export async function startNode(host: Host, options: Partial<DiscoveryOptions> = {}): Promise<Node> {
  const transport = host.transport();
  const discovery = await createDiscovery({ ...options, transport });
  const streams = createStreams({ transport, discovery });
  return { host, transport, discovery, streams };
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

/** Runs a test in a world of its own, and fails on errors in the background. */
export async function inWorld(options: WorldOptions, test: (world: World) => Promise<void>): Promise<World> {
  const world = createWorld(options);
  await world.run(() => test(world), { maxVirtualMs: 24 * 3_600_000, maxEvents: 200_000_000 });
  if (world.errors.length > 0) throw world.errors[0]?.error ?? new Error('an error in the background');
  return world;
}
