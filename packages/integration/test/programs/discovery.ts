/** A node with discovery that tests talk to, stop and kill. */
import { createDiscovery, type DiscoveryEvent } from '@mosaik/discovery';
import type { PeerId } from '@mosaik/primitives';
import type { DiscoveryProcessOptions, Held, RecordedEvent } from '../support/discovery.ts';
import { startNode } from '../support/nodes.ts';
import { programArgument, serveCalls } from '../support/program.ts';

const startedAtMs = Date.now();
const { discovery: options, ...node } = programArgument<DiscoveryProcessOptions>();
const transport = await startNode(node);
const discovery = await createDiscovery({ ...options, transport });
const events: RecordedEvent[] = [];
const subscription = discovery.events().subscribe({ backlog: 10_000 });

void (async () => {
  for await (const event of subscription) if (event.type !== 'lagged') events.push(recorded(event));
})();

function recorded(event: DiscoveryEvent): RecordedEvent {
  const peer = event.type === 'identityConflict' ? event.peer : event.peer.peer;
  const reason = event.type === 'departed' ? { reason: event.reason } : {};
  return { type: event.type, peer, ...reason, atMs: Date.now() };
}

function held(): Held[] {
  const all = [discovery.me, ...discovery.catalog];
  return all
    .map(({ peer, version, names }) => ({
      peer,
      version: `${version.start}/${version.update}`,
      names: Object.values(names).sort(),
    }))
    .sort((a, b) => (a.peer < b.peer ? -1 : 1));
}

function countsBy(metric: string, label: string): Record<string, number> {
  const points = transport.metrics.snapshot()[metric] ?? [];
  return Object.fromEntries(
    points.map((point) => [String(point.labels[label]), 'value' in point ? Number(point.value) : 0]),
  );
}

serveCalls({
  local: () => ({ peerId: transport.local.peerId, addresses: transport.local.addresses.value, startedAtMs }),
  held,
  events: () => events,
  suspects: () => discovery.stats.suspects,
  refused: () => countsBy('mosaik.discovery.refused', 'reason'),
  connected: () => [...transport.connections.value.keys()],
  dial: (target: string) => discovery.dial(target),
  syncWith: (peer: PeerId) => discovery.syncWith(peer),
  addTags: (tags: string[]) => discovery.addTags(...tags),
  leave: async () => {
    await discovery.close();
    await transport.close();
  },
});
