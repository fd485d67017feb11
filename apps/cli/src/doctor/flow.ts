import { type ConsumerInspection, type PeerInfo, type ProducerInspection, shortId, streamId } from 'mosaik';
import type { Surveyed } from '../node/inspect.ts';
import { safeText } from '../output/format.ts';
import { type Finding, note, ok, wrong } from './finding.ts';

/** Whether a stream flows, and what each end says of why it does not. */
export function checkStream(name: string, nodes: readonly Surveyed[]): Finding[] {
  const id = streamId(name);
  const isOurs = ({ stream }: { readonly stream: string }): boolean => stream === id;
  const producers = nodes.flatMap(({ peer, inspection }) =>
    (inspection?.producers ?? []).filter(isOurs).map((says) => ({ peer, says })),
  );
  const consumers = nodes.flatMap(({ peer, inspection }) =>
    (inspection?.consumers ?? []).filter(isOurs).map((says) => ({ peer, says })),
  );
  const advertised = nodes.filter(({ peer }) => peer.produces(id)).length;
  const findings: Finding[] = [];
  if (advertised === 0)
    findings.push(
      wrong('stream', `nobody produces "${name}"`, 'is the name right? mosaik streams lists them'),
    );
  for (const { peer, says } of producers) findings.push(producerFinding(peer, says));
  if (consumers.length === 0 && advertised > 0)
    findings.push(note('stream', `no node that answers consumes "${name}"`));
  for (const { peer, says } of consumers) findings.push(...consumerFindings(peer, says));
  return findings;
}

function producerFinding(
  peer: PeerInfo,
  { name, isOnline, why, refused, droppedTooSlow }: ProducerInspection,
): Finding {
  const counts = [
    ...(refused > 0 ? [`${refused} refused so far`] : []),
    ...(droppedTooSlow > 0 ? [`${droppedTooSlow} dropped as too slow so far`] : []),
  ];
  const text = [`${shortId(peer.peer)} produces ${safeText(name)}, ${safeText(why)}`, ...counts].join('; ');
  return isOnline
    ? ok('producer', text)
    : wrong('producer', text, 'start what it waits for, or look at its acceptIf');
}

function consumerFindings(peer: PeerInfo, { name, isOnline, why, producers }: ConsumerInspection): Finding[] {
  const text = `${shortId(peer.peer)} consumes ${safeText(name)}, ${safeText(why)}`;
  const channels = producers
    .filter(({ state }) => state !== 'live')
    .map(({ peer: producer, state, lastError }) =>
      wrong(
        'channel',
        `${shortId(peer.peer)} to ${shortId(producer)} is ${state}: ${safeText(lastError ?? 'no error yet')}`,
        'what the producer said names the predicate or the limit',
      ),
    );
  const own = isOnline
    ? ok('consumer', text)
    : wrong('consumer', text, 'look at its subscribeIf, and at the producers');
  return [own, ...channels];
}

/** How the groups of nodes stand, as they say. */
export function checkGroups(nodes: readonly Surveyed[]): Finding[] {
  return nodes.flatMap(({ peer, inspection }) =>
    (inspection?.groups ?? []).map(({ group, reason, why, role }) => {
      const text = `${shortId(peer.peer)} in ${safeText(peer.nameOf(group))}: ${safeText(role)}, ${safeText(why)}`;
      return reason === 'ok'
        ? ok('group', text)
        : wrong('group', text, 'start more members, or look at their links');
    }),
  );
}
