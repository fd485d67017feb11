import { shortId } from 'mosaik';
import type { Context } from '../context.ts';
import { survey } from '../node/inspect.ts';
import { joinToLook } from '../node/join.ts';
import { type GroupView, type Topology, topologyOf } from '../node/topology.ts';
import { countText, safeText } from '../output/format.ts';
import { table } from '../output/table.ts';
import { tellOfSilent } from './streams.ts';

/** Which groups there are, who leads them, and how far they are. */
export async function groups(context: Context): Promise<void> {
  const { console, world } = context;
  await using network = await joinToLook(context);
  const topology = topologyOf(await survey(network, world.interrupted), network.runtime.now());
  await console.show(topology.groups, () => groupsText(topology));
  tellOfSilent(context, topology);
}

function groupsText({ groups: views }: Topology): string {
  if (views.length === 0) return 'there are no groups';
  const head = ['GROUP', 'ID', 'MEMBERS', 'LEADER', 'TERM', 'COMMITTED', 'LAG', 'DURABILITY', 'STATE'];
  return table(head, views.map(rowOf));
}

function rowOf(view: GroupView): string[] {
  const said = view.members.flatMap(({ says }) => says ?? []);
  const lags = view.members.flatMap(({ lag }) => lag ?? []);
  const trouble = said.find(({ reason }) => reason !== 'ok');
  const durabilities = [...new Set(said.map(({ durability }) => durability))];
  return [
    safeText(view.name),
    shortId(view.group),
    String(view.members.length),
    view.leader === undefined ? 'none' : shortId(view.leader),
    view.term === undefined ? '-' : countText(view.term),
    view.committed === undefined ? '-' : countText(view.committed),
    lags.length === 0 ? '-' : countText(Math.max(...lags)),
    durabilities.length === 0 ? '-' : durabilities.map(safeText).join(', '),
    said.length === 0 ? 'no answer' : safeText(trouble?.why ?? 'ok'),
  ];
}
