import { jitter, type PeerId, type Scope, sample, type WaitOptions } from '@mosaik/primitives';
import type { Direction, Link, Transport } from '@mosaik/transport';
import { type SyncMessage, syncProtocol } from './protocol.ts';
import { type SyncResult, serveSync, syncWith } from './session.ts';
import type { SyncSource } from './source.ts';

/** Entries that a comparison brought, up to this many, are gossiped; more are spread by comparing with neighbours. */
export const NEWS_GOSSIPED_MAX = 8;
/** Neighbours that are compared with when a comparison brought more than that. */
const SPREAD_TO = 3;
/** Whoever was alone compares with so many of those it connects to, whether they are known or not. */
const GREETED = 3;
/** Whoever dialled compares catalogs; when that has not happened after this, the other side does. */
const MEET_AFTER_MS = 500;
/** What is learned within this time is passed on together. */
const SPREAD_AFTER_MS = 100;

interface SyncerOptions {
  readonly scope: Scope;
  readonly transport: Transport;
  readonly source: SyncSource;
  readonly intervalMs: number;
  /** Whether a connected peer is missing in the catalog: then it is the one to compare with. */
  readonly isUnknown: (peer: PeerId) => boolean;
  readonly onResult: (peer: PeerId, result: SyncResult) => void;
}

/**
 * Compares catalogs: on first contact, with a random neighbour from time to time, and with some neighbours after a
 * comparison brought much news, so that what one learns everybody learns in a logarithmic number of steps. A little
 * news is gossiped instead.
 */
export class Syncer {
  readonly #options: SyncerOptions;
  readonly #running = new Map<PeerId, Promise<SyncResult>>();
  #isSpreading = false;
  #greeted = 0;

  constructor(options: SyncerOptions) {
    this.#options = options;
  }

  start(): void {
    const { scope, transport, intervalMs } = this.#options;
    const accepted = transport.accept(syncProtocol, (link) => this.#serve(link), {
      maxLinks: 8,
      maxOpensPerSecond: 20,
    });
    scope.onClose(() => accepted[Symbol.dispose]());
    scope.every(
      () => jitter(scope.runtime, intervalMs),
      () => this.#syncWithSomebody(),
    );
  }

  /** Compares with a peer; a comparison with it that is under way is waited for instead. */
  syncWith(peer: PeerId, options: WaitOptions = {}): Promise<SyncResult> {
    const running = this.#running.get(peer);
    if (running !== undefined) return running;
    const syncing = this.#sync(peer, options.signal).finally(() => this.#running.delete(peer));
    this.#running.set(peer, syncing);
    return syncing;
  }

  /** A connection stands, whoever wanted it: the overlay, multicast, the user. With a stranger, catalogs are compared. */
  meet(peer: PeerId, direction: Direction): void {
    const { scope, transport, isUnknown } = this.#options;
    if (!isUnknown(peer) || scope.isClosing) return;
    if (direction === 'outbound') {
      this.syncSoon(peer);
      return;
    }
    scope.after(jitter(scope.runtime, MEET_AFTER_MS), () => {
      if (isUnknown(peer) && transport.connections.value.has(peer)) this.syncSoon(peer);
    });
  }

  /** A connection that was wanted stands. Once some catalogs were compared, gossip keeps the rest of them equal. */
  reached(peer: PeerId): void {
    const { transport, isUnknown } = this.#options;
    if (transport.connections.value.size <= 1) this.#greeted = 0;
    if (isUnknown(peer) || this.#greeted++ < GREETED) this.syncSoon(peer);
  }

  /** Compares with a peer in the background; a failure is counted, and made up for by the next comparison. */
  syncSoon(peer: PeerId): void {
    const { scope } = this.#options;
    if (scope.isClosing) return;
    scope.spawn('sync', async (signal) => {
      await this.syncWith(peer, { signal }).catch(() => {});
    });
  }

  async #sync(peer: PeerId, signal: AbortSignal | undefined): Promise<SyncResult> {
    const { transport, source, scope } = this.#options;
    const link = await transport.open(peer, syncProtocol, { signal });
    try {
      const result = await syncWith(link, source, { runtime: scope.runtime, signal });
      this.#finished(peer, result);
      return result;
    } finally {
      void link.close();
    }
  }

  async #serve(link: Link<SyncMessage>): Promise<void> {
    const { source, scope } = this.#options;
    const options = { runtime: scope.runtime, signal: scope.signal };
    const result = await serveSync(link, source, options).catch(() => undefined);
    if (result !== undefined) this.#finished(link.peer, result);
  }

  #finished(peer: PeerId, result: SyncResult): void {
    this.#options.onResult(peer, result);
    // Who had nothing to tell but itself was alone: nobody waits to hear from it what it has just learned.
    if (result.changed > NEWS_GOSSIPED_MAX && result.sent > 1) this.#spread(peer);
  }

  #spread(from: PeerId): void {
    const { scope, transport } = this.#options;
    if (this.#isSpreading || scope.isClosing) return;
    this.#isSpreading = true;
    scope.after(jitter(scope.runtime, SPREAD_AFTER_MS, 0.5), () => {
      this.#isSpreading = false;
      const others = [...transport.connections.value.keys()].filter((peer) => peer !== from).sort();
      for (const peer of sample(scope.runtime, others, SPREAD_TO)) this.syncSoon(peer);
    });
  }

  #syncWithSomebody(): void {
    const { scope, transport, isUnknown } = this.#options;
    const connected = [...transport.connections.value.keys()].sort();
    const [peer] = sample(scope.runtime, connected.filter(isUnknown), 1);
    const chosen = peer ?? sample(scope.runtime, connected, 1)[0];
    if (chosen !== undefined) this.syncSoon(chosen);
  }
}
