import {
  type Address,
  type Network,
  type NetworkOptions,
  PeerUnreachableError,
  ProtocolUnsupportedError,
  toError,
  WrongPeerError,
  withTimeout,
} from 'mosaik';
import type { Context } from '../context.ts';
import { ExitCode } from '../exit-code.ts';
import { Failure, usage } from '../failure.ts';

/** Joins the network of the settings; who is there may not be known yet. */
export function join(context: Context, options: NetworkOptions = {}): Promise<Network> {
  const { settings, world } = context;
  const { secretKey, listen, preset, mdns, bootstrap, tags } = settings;
  return world.createNetwork(settings.network, {
    secretKey,
    listen,
    preset,
    mdns,
    bootstrap,
    tags,
    ...options,
  });
}

/**
 * Joins as one who looks: resolves when the catalog is that of a node which answered.
 *
 * @throws {Failure} when no address is given, or nobody answers.
 */
export async function joinToLook(context: Context): Promise<Network> {
  const { settings } = context;
  requireWay(context);
  const network = await join(context);
  try {
    await (settings.bootstrap.length > 0 ? reachAny(context, network) : untilSomebody(context, network));
    return network;
  } catch (thrown) {
    await network.close();
    throw thrown;
  }
}

/** @throws {Failure} when the settings name no way to find anybody. */
export function requireWay({ settings }: Context): void {
  if (settings.bootstrap.length > 0 || settings.mdns) return;
  throw usage(
    'no address of a node is known',
    'name one with --bootstrap HOST:PORT or MOSAIK_BOOTSTRAP, or look on the local network with --mdns',
  );
}

/** What became of an address that was tried. */
export interface Reached {
  readonly address: Address;
  readonly peer?: string;
  readonly problem?: string;
}

/** Connects to an address and compares catalogs; tells what came of it, and never throws. */
export async function reach(context: Context, network: Network, address: Address): Promise<Reached> {
  const { settings, world } = context;
  const limit = { what: address, timeoutMs: settings.timeoutMs, signal: world.interrupted };
  try {
    const peer = await withTimeout(network.runtime, limit, (signal) =>
      network.discovery.dial(address, { signal }),
    );
    return { address, peer };
  } catch (thrown) {
    return { address, problem: problemOf(toError(thrown), settings.network) };
  }
}

function problemOf(error: Error, network: string): string {
  if (error instanceof ProtocolUnsupportedError)
    return `a node answers, but it is not of the network "${network}"`;
  if (error instanceof WrongPeerError) return 'another node answers there: its key has changed';
  if (error instanceof PeerUnreachableError) return `nobody answers (${rootOf(error).message})`;
  return error.message;
}

function rootOf(error: Error): Error {
  let root = error;
  while (root.cause instanceof Error) root = root.cause;
  const [first] = root instanceof AggregateError ? (root.errors as unknown[]) : [];
  return first instanceof Error ? first : root;
}

async function reachAny(context: Context, network: Network): Promise<void> {
  const tries = context.settings.bootstrap.map(async (address) => {
    const reached = await reach(context, network, address);
    if (reached.problem !== undefined) throw new Error(`${address}: ${reached.problem}`);
  });
  try {
    await Promise.any(tries);
  } catch (thrown) {
    const problems = (thrown as AggregateError).errors.map((error: Error) => error.message);
    throw new Failure(ExitCode.Failed, problems.join('\n       '), {
      hint: 'mosaik doctor tells more; mosaik bootstrap starts a node',
    });
  }
}

async function untilSomebody({ settings, world }: Context, network: Network): Promise<void> {
  const limit = { what: 'looking for nodes', timeoutMs: settings.timeoutMs, signal: world.interrupted };
  await withTimeout(network.runtime, limit, (signal) =>
    network.discovery.watch().until(({ size }) => size > 0, { signal }),
  );
}
