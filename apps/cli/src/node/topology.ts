import type { GroupId, GroupInspection, PeerId, PeerInfo, StreamId } from 'mosaik';
import type { Surveyed } from './inspect.ts';

/** Data that flow from one node to another. */
export interface Edge {
  readonly producer: PeerId;
  readonly consumer: PeerId;
  readonly datums: number;
  readonly bytes: number;
  /** Since the picture before; undefined when there was none. */
  readonly datumsPerSecond: number | undefined;
  readonly bytesPerSecond: number | undefined;
  readonly lagDatums: number;
}

export interface StreamView {
  readonly stream: StreamId;
  readonly name: string;
  readonly producers: readonly PeerId[];
  readonly edges: readonly Edge[];
}

export interface MemberView {
  readonly peer: PeerId;
  /** What it said; undefined when it did not answer. */
  readonly says: GroupInspection | undefined;
  /** Entries that are committed and that it has not applied. */
  readonly lag: number | undefined;
}

export interface GroupView {
  readonly group: GroupId;
  readonly name: string;
  readonly leader: PeerId | undefined;
  readonly term: number | undefined;
  readonly committed: number | undefined;
  readonly members: readonly MemberView[];
}

/** A network at one moment. */
export interface Topology {
  readonly atMs: number;
  readonly nodes: readonly Surveyed[];
  readonly streams: readonly StreamView[];
  readonly groups: readonly GroupView[];
}

/** Puts together what nodes said; with a picture of before, how fast data flow. */
export function topologyOf(nodes: readonly Surveyed[], atMs: number, before?: Topology): Topology {
  return { atMs, nodes, streams: streamsOf(nodes, atMs, before), groups: groupsOf(nodes) };
}

function streamsOf(nodes: readonly Surveyed[], atMs: number, before: Topology | undefined): StreamView[] {
  const names = new Map<StreamId, string>();
  for (const { peer, inspection } of nodes) {
    for (const stream of peer.streams) names.set(stream, peer.nameOf(stream));
    for (const { stream, name } of inspection?.producers ?? []) names.set(stream, name);
    for (const { stream, name } of inspection?.consumers ?? [])
      if (!names.has(stream)) names.set(stream, name);
  }
  const views = [...names].map(([stream, name]) => ({
    stream,
    name,
    producers: nodes.filter(({ peer }) => peer.produces(stream)).map(({ peer }) => peer.peer),
    edges: edgesOf(stream, nodes, { atMs, before }),
  }));
  return views.sort((a, b) => compareTexts(a.name, b.name));
}

interface Moment {
  readonly atMs: number;
  readonly before: Topology | undefined;
}

/** As the producer sees them; as the consumer does, where the producer says nothing. */
function edgesOf(stream: StreamId, nodes: readonly Surveyed[], moment: Moment): Edge[] {
  const edges = new Map<string, Edge>();
  for (const { peer, inspection } of nodes) {
    const channels = inspection?.producers.find((producer) => producer.stream === stream)?.consumers ?? [];
    for (const channel of channels) {
      const ends = { producer: peer.peer, consumer: channel.peer };
      edges.set(`${ends.producer} ${ends.consumer}`, edgeOf(stream, { ...channel, ...ends }, moment));
    }
  }
  for (const { peer, inspection } of nodes) {
    const channels = inspection?.consumers.find((consumer) => consumer.stream === stream)?.producers ?? [];
    for (const channel of channels.filter(({ state }) => state === 'live')) {
      const ends = { producer: channel.peer, consumer: peer.peer };
      const key = `${ends.producer} ${ends.consumer}`;
      if (!edges.has(key)) edges.set(key, edgeOf(stream, { ...channel, ...ends }, moment));
    }
  }
  return [...edges].sort(([a], [b]) => compareTexts(a, b)).map(([, edge]) => edge);
}

type Measured = Pick<Edge, 'producer' | 'consumer' | 'datums' | 'bytes' | 'lagDatums'>;

function edgeOf(stream: StreamId, measured: Measured, { atMs, before }: Moment): Edge {
  const { producer, consumer, datums, bytes, lagDatums } = measured;
  const last = before?.streams
    .find((view) => view.stream === stream)
    ?.edges.find((edge) => edge.producer === producer && edge.consumer === consumer);
  const seconds = before === undefined ? 0 : (atMs - before.atMs) / 1000;
  // A channel that was made anew counts from 0.
  const rate = (now: number, then: number | undefined): number | undefined =>
    then === undefined || seconds <= 0 || now < then ? undefined : (now - then) / seconds;
  return {
    producer,
    consumer,
    datums,
    bytes,
    datumsPerSecond: rate(datums, last?.datums),
    bytesPerSecond: rate(bytes, last?.bytes),
    lagDatums,
  };
}

function groupsOf(nodes: readonly Surveyed[]): GroupView[] {
  const names = new Map<GroupId, string>();
  for (const { peer, inspection } of nodes)
    for (const group of peer.groups) {
      // Those who only look on may have a name of their own for it.
      const role = inspection?.groups.find((one) => one.group === group)?.role;
      const isVoter = role === 'leader' || role === 'voter';
      if (isVoter || !names.has(group)) names.set(group, peer.nameOf(group));
    }
  const views = [...names].map(([group, name]) => groupOf(group, name, nodes));
  return views.sort((a, b) => compareTexts(a.name, b.name));
}

function groupOf(group: GroupId, name: string, nodes: readonly Surveyed[]): GroupView {
  const members = nodes.filter(({ peer }) => peer.groups.includes(group));
  const said = members.map(({ peer, inspection }) => ({
    peer: peer.peer,
    says: inspection?.groups.find((one) => one.group === group),
  }));
  // Who is in the newest term knows best who leads, and, of those, who has committed most.
  const newest = said
    .flatMap(({ says }) => says ?? [])
    .sort((a, b) => b.term - a.term || b.committed - a.committed)[0];
  const committed = newest?.committed;
  return {
    group,
    name,
    leader:
      said.find(({ says }) => says?.role === 'leader' && says.term === newest?.term)?.peer ?? newest?.leader,
    term: newest?.term,
    committed,
    members: said.map(({ peer, says }) => ({
      peer,
      says,
      lag: says === undefined || committed === undefined ? undefined : Math.max(0, committed - says.applied),
    })),
  };
}

/** Tags by name, as far as the peer gave one. */
export function tagsOf(peer: PeerInfo): string[] {
  return peer.tags.map((tag) => peer.nameOf(tag)).sort(compareTexts);
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
