import { jitter, type PeerId, type Scope, sample, withTimeout } from '@mosaik/primitives';
import type { Direction, Transport, TransportEvent } from '@mosaik/transport';

/** A peer that closed the connection on purpose is looked after by another one, this much later. */
const LOOK_AFTER_MS = 500;
const HELPER_TIMEOUT_MS = 1_000;

interface ConnectionWatcher {
  readonly scope: Scope;
  readonly transport: Transport;
  readonly isMember: (peer: PeerId) => boolean;
  /** Whether the connection was closed by one side that has too many, while both live on; forgotten by asking. */
  readonly wasReleased: (peer: PeerId) => boolean;
  /** The first connection stands: from now on somebody hears us. */
  readonly onFirst: () => void;
  readonly onConnected: (peer: PeerId, direction: Direction) => void;
  /** A member's connection has ended in a way that makes one doubt that it lives. */
  readonly onLost: (peer: PeerId) => void;
  readonly onDisconnected: (peer: PeerId) => void;
  readonly pingThrough: (helper: PeerId, target: PeerId, signal: AbortSignal) => Promise<boolean>;
}

/** Turns what happens to connections into what discovery does about it. */
export function watchConnections(watcher: ConnectionWatcher): void {
  const { scope, transport } = watcher;
  let wasAlone = true;
  const onConnected = (peer: PeerId, direction: Direction): void => {
    watcher.onConnected(peer, direction);
    if (wasAlone) watcher.onFirst();
    wasAlone = false;
  };
  const events = transport.events.subscribe({ signal: scope.signal, backlog: 8_192 });
  for (const [peer, { direction }] of transport.connections.value) onConnected(peer, direction);
  scope.spawn('connections', async () => {
    for await (const event of events) {
      if (event.type === 'connected') onConnected(event.peer, event.direction);
      if (event.type === 'disconnected') onDisconnected(watcher, event);
      if (transport.connections.value.size === 0) wasAlone = true;
    }
  });
}

function onDisconnected(
  watcher: ConnectionWatcher,
  event: Extract<TransportEvent, { type: 'disconnected' }>,
): void {
  watcher.onDisconnected(event.peer);
  const wasReleased = watcher.wasReleased(event.peer);
  if (event.reason !== 'closed') watcher.onLost(event.peer);
  else if (!wasReleased) lookAfter(watcher, event.peer);
}

/**
 * Who closes a connection has either let go of one neighbour of many, or its whole node without a departure. Dialling it
 * would bring back what it just closed, so another member is asked whether it is still there.
 */
function lookAfter(watcher: ConnectionWatcher, peer: PeerId): void {
  const { scope, transport, isMember } = watcher;
  scope.after(jitter(scope.runtime, LOOK_AFTER_MS, 0.5), () => {
    const connected = transport.connections.value;
    if (!isMember(peer) || connected.has(peer)) return;
    const [helper] = sample(scope.runtime, [...connected.keys()].sort(), 1);
    if (helper === undefined) return watcher.onLost(peer);
    scope.spawn('look after', async (signal) => {
      const options = { what: 'looking after a peer', timeoutMs: HELPER_TIMEOUT_MS, signal };
      const isThere = await withTimeout(scope.runtime, options, (until) =>
        watcher.pingThrough(helper, peer, until),
      ).catch(() => false);
      if (!isThere && !signal.aborted && isMember(peer)) watcher.onLost(peer);
    });
  });
}
