import { type DiscoveryEvent, type Lagged, type Network, type PeerInfo, shortId } from 'mosaik';
import type { Context } from '../context.ts';
import { joinToLook } from '../node/join.ts';
import { tagsOf } from '../node/topology.ts';
import { plural, safeText } from '../output/format.ts';
import { table } from '../output/table.ts';
import { unlessAborted } from '../waiting.ts';

export interface PeersOptions {
  readonly watch?: boolean;
  /** Only peers with this role; `--tag` is what this node carries itself. */
  readonly withTag?: string;
}

/** Who is in the network; with `watch` who comes and goes, until Ctrl-C. */
export async function peers(context: Context, { watch = false, withTag }: PeersOptions): Promise<void> {
  const { console, world } = context;
  await using network = await joinToLook(context);
  const wanted = (peer: PeerInfo): boolean => withTag === undefined || peer.hasTag(withTag);
  const events = network.discovery.events().subscribe({ signal: world.interrupted });
  const found = network.discovery.catalog.filter(wanted);
  await console.show(found.map(peerJson), () => peersText(found));
  if (watch) await unlessAborted(world.interrupted, follow(context, network, { events, wanted }));
}

/** A peer as JSON; names instead of ids where there are some. */
function peerJson(peer: PeerInfo): object {
  return {
    peer: peer.peer,
    tags: tagsOf(peer),
    addresses: peer.addresses,
    streams: peer.streams.map((id) => ({ id, name: peer.nameOf(id) })),
    groups: peer.groups.map((id) => ({ id, name: peer.nameOf(id) })),
    rttMs: peer.rttMs ?? null,
    startedAt: new Date(peer.version.start).toISOString(),
  };
}

function peersText(found: readonly PeerInfo[]): string {
  if (found.length === 0) return 'nobody else is there';
  const rows = found.map((peer) => [
    shortId(peer.peer),
    names(tagsOf(peer)),
    names(peer.streams.map((id) => peer.nameOf(id))),
    names(peer.groups.map((id) => peer.nameOf(id))),
    peer.rttMs === undefined ? '-' : `${peer.rttMs.toFixed(1)} ms`,
    safeText(peer.addresses[0] ?? '-').replace(/\/p2p\/.*$/, ''),
  ]);
  return `${table(['PEER', 'TAGS', 'PRODUCES', 'GROUPS', 'RTT', 'ADDRESS'], rows)}\n${plural(found.length, 'peer')}`;
}

function names(texts: readonly string[]): string {
  return texts.length === 0 ? '-' : texts.map(safeText).join(', ');
}

interface Following {
  readonly events: AsyncIterable<DiscoveryEvent | Lagged>;
  readonly wanted: (peer: PeerInfo) => boolean;
}

async function follow({ console }: Context, network: Network, { events, wanted }: Following): Promise<void> {
  for await (const event of events) {
    if (event.type === 'lagged' || event.type === 'identityConflict') {
      console.warn(event.type === 'lagged' ? `${event.missed} changes were missed` : 'this key runs twice');
      continue;
    }
    if (!wanted(event.peer)) continue;
    const at = new Date(network.runtime.wallNow()).toISOString();
    const reason = event.type === 'departed' ? { reason: event.reason } : {};
    await console.show({ at, event: event.type, ...reason, ...peerJson(event.peer) }, () =>
      eventText(at, event),
    );
  }
}

function eventText(at: string, event: Exclude<DiscoveryEvent, { type: 'identityConflict' }>): string {
  const { peer } = event;
  const signs = { discovered: '+', updated: '~', departed: '-' } as const;
  const what =
    event.type === 'departed'
      ? event.reason
      : names([...tagsOf(peer), ...peer.streams.map((id) => peer.nameOf(id))]);
  return `${at.slice(11, 19)} ${signs[event.type]} ${shortId(peer.peer)} ${what}`;
}
