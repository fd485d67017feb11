import { type PeerId, shortId } from 'mosaik';
import { type Edge, type GroupView, type StreamView, type Topology, tagsOf } from '../node/topology.ts';
import { bytesText, countText, durationText, plural, rateText, safeText } from '../output/format.ts';
import { table } from '../output/table.ts';

/** How a title is drawn. */
export type Emphasis = (text: string) => string;

/** A picture of a network as lines of text. */
export function frameLines(network: string, topology: Topology, emphasis: Emphasis): string[] {
  const { nodes, streams, groups } = topology;
  const total = streams
    .flatMap(({ edges }) => edges)
    .reduce((sum, { datumsPerSecond = 0 }) => sum + datumsPerSecond, 0);
  const counts = [
    plural(nodes.length, 'peer'),
    plural(streams.length, 'stream'),
    plural(groups.length, 'group'),
    `${rateText(total)} delivered`,
  ];
  return [
    `${emphasis(safeText(network))}  ${counts.join(', ')}`,
    '',
    emphasis('PEERS'),
    ...nodeLines(topology),
    '',
    emphasis('STREAMS'),
    ...(streams.length === 0 ? ['  none'] : streams.flatMap(streamLines)),
    '',
    emphasis('GROUPS'),
    ...(groups.length === 0 ? ['  none'] : groups.flatMap(groupLines)),
  ];
}

function nodeLines({ nodes }: Topology): string[] {
  if (nodes.length === 0) return ['  nobody else is there'];
  const rows = nodes.map(({ peer, inspection, problem }) => [
    `  ${shortId(peer.peer)}`,
    tagsOf(peer).map(safeText).join(', ') || '-',
    peer.rttMs === undefined ? '-' : `${peer.rttMs.toFixed(1)} ms`,
    inspection === undefined ? `no answer: ${problem ?? ''}` : `up ${durationText(inspection.uptimeMs)}`,
    safeText(peer.addresses[0] ?? '-').replace(/\/p2p\/.*$/, ''),
  ]);
  return table(['  PEER', 'TAGS', 'RTT', 'STATE', 'ADDRESS'], rows).split('\n');
}

function streamLines({ name, producers, edges }: StreamView): string[] {
  const idle = producers.filter((peer) => !edges.some(({ producer }) => producer === peer));
  return [
    `  ${safeText(name)}`,
    ...edges.map((edge) => `    ${shortId(edge.producer)} ──▶ ${shortId(edge.consumer)}  ${flowText(edge)}`),
    ...idle.map((peer) => `    ${shortId(peer)} ──▶ nobody`),
  ];
}

function flowText({ datums, datumsPerSecond, bytesPerSecond, lagDatums }: Edge): string {
  const rate =
    datumsPerSecond === undefined ? '' : `${rateText(datumsPerSecond)} ${bytesText(bytesPerSecond ?? 0)}/s, `;
  return `${rate}${countText(datums)} in total${lagDatums > 0 ? `, ${countText(lagDatums)} waiting` : ''}`;
}

function groupLines({ name, leader, term, committed, members }: GroupView): string[] {
  const head = [
    leader === undefined ? 'no leader' : `leader ${shortId(leader)}`,
    term === undefined ? 'nobody answers' : `term ${term}`,
    ...(committed === undefined ? [] : [`committed ${countText(committed)}`]),
  ];
  return [
    `  ${safeText(name)}  ${head.join(', ')}`,
    ...members.map(
      ({ peer, says, lag }) => `    ${shortId(peer)}  ${memberText(peer, { says, lag, leader })}`,
    ),
  ];
}

function memberText(
  peer: PeerId,
  {
    says,
    lag,
    leader,
  }: Pick<GroupView['members'][number], 'says' | 'lag'> & { readonly leader: PeerId | undefined },
): string {
  if (says === undefined) return peer === leader ? 'leader, does not answer' : 'does not answer';
  const trouble = says.reason === 'ok' ? '' : `, ${safeText(says.why)}`;
  return `${safeText(says.role)}, applied ${countText(says.applied)}, lag ${countText(lag ?? 0)}, ${safeText(says.durability)}${trouble}`;
}
