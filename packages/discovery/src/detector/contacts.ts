import type { PeerId, Runtime, Timer } from '@mosaik/primitives';
import type { DetectorOptions } from './contract.ts';
import type { StallWatch } from './stall-watch.ts';

/** A turn comes up to this share of the interval early, and so does what is made up for: see `ProbeRing`. */
const JITTER_SHARE = 0.1;

/** What is computed from the same times in two ways differs by less, in ms. */
const TOLERANCE_MS = 0.01;

interface ContactsOptions {
  readonly runtime: Runtime;
  readonly watch: StallWatch;
  readonly options: DetectorOptions;
  /** It was left out in its turn, and has not been heard since. */
  readonly onDue: (peer: PeerId) => void;
}

/**
 * When each neighbour was last probed, or asked us whether we live, which shows as well that it does. One that just did is
 * left out in its turn, and probed an interval after that at the latest: so of two neighbours mostly one asks, and still
 * neither is without a sign of the other for longer than before.
 */
export class Contacts {
  readonly #options: ContactsOptions;
  readonly #atMs = new Map<PeerId, number>();
  readonly #due = new Map<PeerId, Timer>();

  constructor(options: ContactsOptions) {
    this.#options = options;
  }

  /** It is probed now, or has just asked. */
  made(peer: PeerId): void {
    this.#atMs.set(peer, this.#options.runtime.now());
  }

  /** Whether the turn of a peer is to be left out. If so, `onDue` tells when it is time, unless there is a contact before. */
  isRecent(peer: PeerId): boolean {
    if (this.#due.has(peer)) return true;
    const atMs = this.#recentAtMs(peer);
    if (atMs === undefined) return false;
    this.#makeUp(peer, atMs);
    return true;
  }

  forget(peer: PeerId): void {
    this.#atMs.delete(peer);
    this.#due.get(peer)?.cancel();
    this.#due.delete(peer);
  }

  #recentAtMs(peer: PeerId): number | undefined {
    const { runtime, options } = this.#options;
    const atMs = this.#atMs.get(peer) ?? Number.NEGATIVE_INFINITY;
    const ageMs = runtime.now() - atMs;
    return ageMs < options.probeIntervalMs * (1 - JITTER_SHARE) - TOLERANCE_MS ? atMs : undefined;
  }

  #makeUp(peer: PeerId, sinceMs: number): void {
    const { runtime, watch, options, onDue } = this.#options;
    const dueMs = sinceMs + options.probeIntervalMs * (1 - JITTER_SHARE * runtime.random());
    const timer = watch.after(Math.max(0, dueMs - runtime.now()), () => {
      this.#due.delete(peer);
      if (!this.isRecent(peer)) onDue(peer);
    });
    this.#due.set(peer, timer);
  }
}
