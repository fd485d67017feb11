import {
  type Consistency,
  type GroupKey,
  LinkEndedError,
  type MapQuery,
  type Network,
  type PeerId,
  toError,
  withTimeout,
} from 'mosaik';
import { CloseCode, describeLinkEnd, type LinkEnd } from 'mosaik/transport';
import type { Context } from '../context.ts';
import { ExitCode } from '../exit-code.ts';
import { Failure } from '../failure.ts';
import { keyOf, type MapOptions, serversOf } from './map.ts';
import { type Answer, proofOf, readProtocol } from './reading.ts';

export interface Question {
  readonly query: MapQuery;
  readonly consistency: Consistency;
}

/**
 * Asks the members of a map, one after the other until one answers: a read may be asked again.
 *
 * @throws {Failure} when nobody serves the map, or nobody answers.
 */
export async function read(
  context: Context,
  network: Network,
  options: MapOptions & Question,
): Promise<Answer> {
  const { settings, world } = context;
  const key = keyOf(context, options);
  const servers = serversOf(network, options.map);
  if (servers.length === 0) throw nobodyServes(options.map);
  const problems: string[] = [];
  const limit = {
    what: `reading the map ${options.map}`,
    timeoutMs: settings.timeoutMs,
    signal: world.interrupted,
  };
  return await withTimeout(network.runtime, limit, async (signal) => {
    for (const { peer } of servers) {
      try {
        return await ask(network, peer.peer, { ...options, key, signal });
      } catch (thrown) {
        if (thrown instanceof Failure || signal.aborted) throw thrown;
        problems.push(`${peer.peer.slice(0, 10)}: ${toError(thrown).message}`);
      }
    }
    throw new Failure(ExitCode.Failed, `no member of the map ${options.map} answers: ${problems.join('; ')}`);
  });
}

export function nobodyServes(map: string): Failure {
  return new Failure(ExitCode.NotFound, `nobody serves the map ${map}`, {
    hint: `start some members with: mosaik kv serve --map ${map}`,
  });
}

interface Asking extends Question {
  readonly map: string;
  readonly key: GroupKey;
  readonly signal: AbortSignal;
}

async function ask(network: Network, member: PeerId, asking: Asking): Promise<Answer> {
  const { map, key, query, consistency, signal } = asking;
  await using link = await network.transport.open(member, readProtocol, { signal });
  try {
    const first = await link.receive({ signal });
    if (first?.type !== 'nonce') throw new Error('it did not begin as agreed');
    const proof = proofOf(key, { nonce: first.nonce, reader: network.local.peerId, member });
    await link.send({ type: 'ask', map, proof, consistency, query }, { signal });
    const answer = await link.receive({ signal });
    if (answer?.type !== 'answer') throw new Error('it did not answer as agreed');
    return answer;
  } catch (thrown) {
    if (thrown instanceof LinkEndedError) throw endOf(thrown.end, map);
    throw thrown;
  }
}

function endOf(end: LinkEnd, map: string): Error {
  const code = 'code' in end ? end.code : undefined;
  if (code === CloseCode.NotAllowed) return refusedKey(map);
  if (code === CloseCode.Malformed) return new Failure(ExitCode.Usage, describeLinkEnd(end));
  return new Error(describeLinkEnd(end));
}

export function refusedKey(map: string): Failure {
  return new Failure(ExitCode.Failed, `the map ${map} is served with another key`, {
    hint: 'name the file with its key: --group-key FILE',
  });
}
