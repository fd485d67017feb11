import { createBackoff, createLog, type PeerId, type Scope, sleep, withTimeout } from '@mosaik/primitives';
import type { Address, Transport } from '@mosaik/transport';

const DIAL_TIMEOUT_MS = 3_000;
const BASE_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 5_000;

const log = createLog('discovery:seeds');

interface SeedsOptions {
  readonly scope: Scope;
  readonly transport: Transport;
  readonly bootstrap: readonly Address[];
  /** Somebody answered at one of the addresses. */
  readonly onReached: (peer: PeerId) => void;
}

/** The addresses a node is given to begin with: asked while nobody is connected, and when those behind them are unknown. */
export class Seeds {
  readonly #scope: Scope;
  readonly #transport: Transport;
  readonly #onReached: (peer: PeerId) => void;
  readonly #addresses: readonly Address[];
  /** Who answered at an address. */
  readonly #peerAt = new Map<Address, PeerId>();
  #isAsking = false;
  #retried = 0;

  constructor({ scope, transport, bootstrap, onReached }: SeedsOptions) {
    this.#scope = scope;
    this.#transport = transport;
    this.#onReached = onReached;
    const own = transport.local.addresses.value;
    this.#addresses = bootstrap.filter(
      (address) => !own.some((mine) => mine === address || mine.startsWith(`${address}/`)),
    );
  }

  /** Nobody is connected: ask all of them, again and again, until somebody is. */
  poke(): void {
    if (this.#isAsking || this.#addresses.length === 0 || this.#scope.isClosing) return;
    this.#isAsking = true;
    this.#scope.spawn('bootstrap', async (signal) => {
      const backoff = createBackoff(this.#scope.runtime, { baseMs: BASE_BACKOFF_MS, maxMs: MAX_BACKOFF_MS });
      try {
        while (this.#transport.connections.value.size === 0) {
          await Promise.all(this.#addresses.map((address) => this.#ask(address, signal)));
          if (this.#transport.connections.value.size > 0) break;
          await sleep(this.#scope.runtime, backoff.next(), { signal });
        }
      } finally {
        this.#isAsking = false;
      }
    });
  }

  /** One of the addresses behind which nobody known is, in turns: the other half of a partition may be there. */
  retryUnknown(isKnown: (peer: PeerId) => boolean): void {
    const unknown = this.#addresses.filter((address) => {
      const peer = this.#peerAt.get(address);
      return peer === undefined || !(isKnown(peer) || peer === this.#transport.local.peerId);
    });
    const address = unknown[this.#retried++ % Math.max(1, unknown.length)];
    if (address === undefined || this.#isAsking || this.#scope.isClosing) return;
    this.#scope.spawn('seed', (signal) => this.#ask(address, signal));
  }

  async #ask(address: Address, signal: AbortSignal): Promise<void> {
    const options = { what: 'bootstrap', timeoutMs: DIAL_TIMEOUT_MS, signal };
    try {
      const peer = await withTimeout(this.#scope.runtime, options, (until) =>
        this.#transport.connect(address, { signal: until }),
      );
      this.#peerAt.set(address, peer);
      this.#onReached(peer);
    } catch (error) {
      if (!signal.aborted) log('%s: %s', address, (error as Error).message);
    }
  }
}
