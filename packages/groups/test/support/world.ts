import { createDiscovery, type Discovery, type DiscoveryOptions } from '@mosaik/discovery';
import { setLogSink } from '@mosaik/primitives';
import { createWorld, type Host, type World, type WorldOptions } from '@mosaik/testing';
import type { Transport } from '@mosaik/transport';

/** A machine with a transport and discovery, and nothing of groups yet. */
export interface Base {
  readonly host: Host;
  readonly transport: Transport;
  readonly discovery: Discovery;
}

/** Starts discovery on a host. */
export async function startBase(
  host: Host,
  bootstrap: readonly string[],
  { transport = host.transport(), ...options }: Partial<DiscoveryOptions> = {},
): Promise<Base> {
  const discovery = await createDiscovery({ ...options, transport, bootstrap });
  return { host, transport, discovery };
}

/** Runs a test in a world of its own, and fails on errors in the background. */
export async function inWorld(options: WorldOptions, test: (world: World) => Promise<void>): Promise<void> {
  const world = createWorld(options);
  // The lines of a simulation carry its time, where DEBUG asks for any.
  setLogSink(({ namespace, message }) => console.log(`${world.now.toFixed(1)} ${namespace} ${message}`));
  await world.run(() => test(world), { maxVirtualMs: 24 * 3_600_000, maxEvents: 200_000_000 });
  if (world.errors.length > 0) throw world.errors[0]?.error ?? new Error('an error in the background');
}
