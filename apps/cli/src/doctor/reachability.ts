import { type Network, type PeerInfo, shortId, toError } from 'mosaik';
import type { Context } from '../context.ts';
import { inspect, type Surveyed } from '../node/inspect.ts';
import { reach } from '../node/join.ts';
import { plural } from '../output/format.ts';
import { type Finding, note, ok, wrong } from './finding.ts';

/** Whether the addresses of the settings answer, and are of this network. */
export async function checkBootstrap(context: Context, network: Network): Promise<Finding[]> {
  const { bootstrap, network: name } = context.settings;
  if (bootstrap.length === 0)
    return [note('bootstrap', 'no address is given: looking on the local network only')];
  const tried = await Promise.all(bootstrap.map((address) => reach(context, network, address)));
  return tried.map(({ address, peer, problem }) =>
    problem === undefined
      ? ok('bootstrap', `${address} is ${peer?.slice(0, 10)}, of the network "${name}"`)
      : wrong('bootstrap', `${address}: ${problem}`, remedyFor(problem)),
  );
}

function remedyFor(problem: string): string {
  if (problem.includes('not of the network')) return 'say the name of its network: --network NAME';
  if (problem.includes('key has changed'))
    return 'take the address that it prints now; --key FILE keeps it the same';
  return 'is it running, does it listen on more than 127.0.0.1, does a firewall stand between?';
}

/** Who is known. */
export function checkCatalog(network: Network): Finding {
  const { catalog, stats } = network.discovery;
  if (catalog.size === 0)
    return wrong(
      'catalog',
      'no other node is known',
      'see bootstrap above; nodes of other names do not count',
    );
  const suspects = stats.suspects.length === 0 ? '' : `, ${plural(stats.suspects.length, 'suspect')}`;
  return ok('catalog', `${plural(catalog.size, 'peer')} known, ${stats.connected} connected${suspects}`);
}

/** Whether a peer of the catalog can be reached from here, and answers. */
export async function checkPeer(
  { world }: Context,
  network: Network,
  peer: PeerInfo,
): Promise<{ readonly findings: Finding[]; readonly surveyed: Surveyed }> {
  const who = shortId(peer.peer);
  try {
    const inspection = await inspect(network, peer.peer, world.interrupted);
    const rtt = network.transport.rtt(peer.peer);
    const round = rtt === undefined ? '' : `, round trip ${rtt.toFixed(1)} ms`;
    const findings = [ok('transport', `${who} can be reached, and answers${round}`)];
    return { findings, surveyed: { peer, inspection, problem: undefined } };
  } catch (thrown) {
    const problem = toError(thrown).message;
    return { findings: [unreachable(peer, problem)], surveyed: { peer, inspection: undefined, problem } };
  }
}

function unreachable(peer: PeerInfo, problem: string): Finding {
  const who = shortId(peer.peer);
  if (peer.addresses.length === 0)
    return wrong(
      'transport',
      `${who} tells no address`,
      'let it listen on an address that others reach: --listen',
    );
  if (peer.addresses.every((address) => address.includes('/127.0.0.1/') || address.includes('/::1/')))
    return wrong(
      'transport',
      `${who} only tells addresses of its own machine: ${problem}`,
      'let it listen on another one',
    );
  return wrong('transport', `${who}: ${problem}`, 'is a firewall between? is it of a version that answers?');
}
