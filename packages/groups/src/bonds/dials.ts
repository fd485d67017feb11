import { type Backoff, createBackoff, type PeerId, type Scope } from '@mosaik/primitives';
import type { Link, Transport } from '@mosaik/transport';
import type { BondSettings } from './options.ts';
import { bondProtocol } from './protocol.ts';

/** Whoever has the larger id waits this long for the other to dial, so that seldom both do. */
const COURTESY_MS = 150;

interface Attempts {
  readonly backoff: Backoff;
  /** Not before this, by the monotonic clock. */
  dueAtMs: number;
  isDialling: boolean;
}

interface DialsOptions {
  readonly scope: Scope;
  readonly transport: Transport;
  readonly settings: BondSettings;
  readonly onLink: (link: Link<Uint8Array>) => void;
}

/** Opens links to peers, each again and again with backoff for as long as it is asked to. */
export class Dials {
  readonly #options: DialsOptions;
  readonly #attempts = new Map<PeerId, Attempts>();

  constructor(options: DialsOptions) {
    this.#options = options;
  }

  /** Dials a peer if it is time to. */
  want(peer: PeerId, nowMs: number): void {
    const attempts = this.#attempts.get(peer) ?? this.#begin(peer, nowMs);
    if (attempts.isDialling || nowMs < attempts.dueAtMs) return;
    attempts.isDialling = true;
    const { scope, settings } = this.#options;
    attempts.dueAtMs = nowMs + settings.retryBaseMs / 2 + attempts.backoff.next();
    scope.spawn('dial', (signal) => this.#dial(peer, attempts, signal));
  }

  /** A bond with the peer stands: the next one it takes is dialled for at once. */
  succeeded(peer: PeerId): void {
    this.#attempts.get(peer)?.backoff.reset();
  }

  /** The peer is not wanted any more. */
  forget(isWanted: (peer: PeerId) => boolean): void {
    for (const [peer, { isDialling }] of this.#attempts)
      if (!isDialling && !isWanted(peer)) this.#attempts.delete(peer);
  }

  #begin(peer: PeerId, nowMs: number): Attempts {
    const { transport, scope, settings } = this.#options;
    const courtesyMs = transport.local.peerId < peer ? 0 : COURTESY_MS * (0.5 + scope.runtime.random());
    const { retryBaseMs: baseMs, retryMaxMs: maxMs } = settings;
    const backoff = createBackoff(scope.runtime, { baseMs, maxMs });
    const attempts = { backoff, dueAtMs: nowMs + courtesyMs, isDialling: false };
    this.#attempts.set(peer, attempts);
    return attempts;
  }

  async #dial(peer: PeerId, attempts: Attempts, signal: AbortSignal): Promise<void> {
    const { transport, onLink } = this.#options;
    // Whoever is not there now is asked again: discovery says when it is gone for good.
    const link = await transport.open(peer, bondProtocol, { signal }).catch(() => undefined);
    attempts.isDialling = false;
    if (link !== undefined) onLink(link);
  }
}
