import {
  CommandAbortedError,
  type GroupKey,
  type MapCommand,
  type MapResult,
  type Network,
  TimeoutError,
  withTimeout,
} from 'mosaik';
import type { Context } from '../context.ts';
import { ExitCode } from '../exit-code.ts';
import { Failure } from '../failure.ts';
import { keyOf, type MapListener, type MapOptions, onlookingMap, serversOf } from './map.ts';
import { nobodyServes, refusedKey } from './read-client.ts';
import type { MapGroup } from './read-server.ts';

/**
 * Becomes a member of the map's group that neither votes nor leads: it has a session of its own there, so that what it sends
 * is applied once, whoever fails meanwhile.
 *
 * @throws {Failure} when nobody serves the map, or with another key.
 */
export async function joinMap(
  context: Context,
  network: Network,
  options: MapOptions & { readonly listener?: MapListener },
): Promise<MapGroup> {
  const key = keyOf(context, options);
  const servers = serversOf(network, options.map);
  if (servers.length === 0) throw nobodyServes(options.map);
  for (const founders of new Set(servers.map((server) => server.founders))) {
    const group = await joinAs(network, key, { founders, ...options });
    if (servers.some((server) => server.group === group.id)) return group;
    await group.close();
  }
  throw refusedKey(options.map);
}

function joinAs(
  network: Network,
  key: GroupKey,
  {
    map,
    founders,
    listener,
  }: { readonly map: string; readonly founders: number; readonly listener?: MapListener },
): Promise<MapGroup> {
  // Not under the name that servers have: nobody is to ask it.
  return network.groups.join({
    key,
    name: `kv/${map}`,
    machine: onlookingMap(listener),
    consensus: { founders },
  });
}

/**
 * Runs a command on the map, exactly once.
 *
 * @throws {Failure} when it is not acknowledged in time; says whether it may have been applied.
 */
export async function write(
  { settings, world }: Context,
  network: Network,
  { group, command }: { readonly group: MapGroup; readonly command: MapCommand<unknown> },
): Promise<{ readonly index: number; readonly result: MapResult<unknown> }> {
  const limit = { what: 'the command', timeoutMs: settings.timeoutMs, signal: world.interrupted };
  // Settles after the timeout does, with what became of the command.
  let executed: Promise<{ readonly index: number; readonly result: MapResult<unknown> }> | undefined;
  try {
    return await withTimeout(network.runtime, limit, (signal) => {
      executed = group.execute(command, { signal });
      return executed;
    });
  } catch (thrown) {
    if (!(thrown instanceof TimeoutError) && !world.interrupted.aborted) throw thrown;
    const reason = group.why().text;
    const isUnknown = await executed?.then(
      () => true,
      (error) => error instanceof CommandAbortedError && error.unknown.length > 0,
    );
    const fate = isUnknown === true ? 'whether it was applied is not known' : 'it was not applied';
    const code = world.interrupted.aborted ? ExitCode.Interrupted : ExitCode.TimedOut;
    throw new Failure(code, `the command was not acknowledged in time, ${fate}: ${reason}`, {
      cause: thrown,
    });
  }
}
