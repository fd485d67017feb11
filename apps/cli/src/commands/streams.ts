import { shortId } from 'mosaik';
import type { Context } from '../context.ts';
import { survey } from '../node/inspect.ts';
import { joinToLook } from '../node/join.ts';
import { type StreamView, type Topology, topologyOf } from '../node/topology.ts';
import { bytesText, countText, safeText } from '../output/format.ts';
import { table } from '../output/table.ts';

/** Which streams there are, who produces them, and who consumes. */
export async function streams(context: Context): Promise<void> {
  const { console, world } = context;
  await using network = await joinToLook(context);
  const topology = topologyOf(await survey(network, world.interrupted), network.runtime.now());
  await console.show(topology.streams, () => streamsText(topology));
  tellOfSilent(context, topology);
}

/** Says how many nodes did not answer: what they consume, and how their groups stand, is not in the picture. */
export function tellOfSilent({ console }: Context, { nodes }: Topology): void {
  const silent = nodes.filter(({ inspection }) => inspection === undefined);
  for (const { peer, problem } of silent) console.note(`${shortId(peer.peer)} did not answer: ${problem}`);
}

function streamsText({ streams: views }: Topology): string {
  if (views.length === 0) return 'there are no streams';
  const rows = views.map((view) => [
    safeText(view.name),
    shortId(view.stream),
    String(view.producers.length),
    String(new Set(view.edges.map(({ consumer }) => consumer)).size),
    countText(sum(view, 'datums')),
    bytesText(sum(view, 'bytes')),
  ]);
  return table(['STREAM', 'ID', 'PRODUCERS', 'CONSUMERS', 'DELIVERED', 'BYTES'], rows);
}

function sum({ edges }: StreamView, field: 'datums' | 'bytes'): number {
  return edges.reduce((total, edge) => total + edge[field], 0);
}
