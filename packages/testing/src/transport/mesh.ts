import { jitter, type PeerId, type Runtime, type Scope, sample } from '@mosaik/primitives';

/** Degrees of gossipsub: what is aimed for, and the bounds beyond which the mesh is changed. */
const DEGREE = 6;
const DEGREE_LOW = 4;
const DEGREE_HIGH = 12;

/** Gossipsub's heartbeat; here it beats only while there is something to mend. */
const MEND_AFTER_MS = 1_000;
/** As `pruneBackoff`: how long a neighbour that pruned is not asked again. */
const PRUNE_BACKOFF_MS = 60_000;

interface MeshOptions {
  readonly runtime: Runtime;
  readonly scope: Scope;
  /** Neighbours that subscribed. */
  readonly candidates: () => readonly PeerId[];
  readonly graft: (peer: PeerId) => void;
  readonly prune: (peer: PeerId) => void;
}

/**
 * The neighbours that a node forwards a topic to. It is symmetric but for what is on the way: who grafts is grafted
 * back unless the other side is full and prunes. Invariant: holds candidates only.
 */
export class Mesh {
  readonly #options: MeshOptions;
  readonly #peers = new Set<PeerId>();
  /** Who pruned, and when to ask again. */
  readonly #backoff = new Map<PeerId, number>();
  #isJoined = false;
  #isMending = false;

  constructor(options: MeshOptions) {
    this.#options = options;
  }

  get peers(): Iterable<PeerId> {
    return this.#peers;
  }

  has(peer: PeerId): boolean {
    return this.#peers.has(peer);
  }

  join(): void {
    this.#isJoined = true;
    this.#mend();
  }

  leave(): void {
    this.#isJoined = false;
    for (const peer of this.#peers) this.#options.prune(peer);
    this.#peers.clear();
  }

  /** A neighbour has subscribed. While there are too few it is grafted at once, as gossipsub does from 17 on. */
  subscribed(peer: PeerId): void {
    if (!this.#isJoined || this.#peers.has(peer) || this.#peers.size >= DEGREE_LOW) return;
    if (this.#retryAtMs(peer) > this.#options.runtime.now()) this.#mendSoon();
    else this.#graft(peer);
  }

  gone(peer: PeerId): void {
    this.#backoff.delete(peer);
    if (this.#peers.delete(peer)) this.#mendSoon();
  }

  grafted(peer: PeerId): void {
    if (this.#peers.has(peer)) return;
    if (!this.#isJoined || this.#peers.size >= DEGREE_HIGH) this.#options.prune(peer);
    else this.#peers.add(peer);
  }

  pruned(peer: PeerId): void {
    this.#peers.delete(peer);
    this.#backoff.set(peer, this.#options.runtime.now() + PRUNE_BACKOFF_MS);
    this.#mendSoon();
  }

  /** Not at once: what changes together is mended together, as by a heartbeat. */
  #mendSoon(): void {
    this.#mendAfter(jitter(this.#options.runtime, MEND_AFTER_MS, 0.5));
  }

  #mendAfter(delayMs: number): void {
    if (!this.#isJoined || this.#isMending || this.#peers.size >= DEGREE_LOW) return;
    this.#isMending = true;
    this.#options.scope.after(delayMs, () => {
      this.#isMending = false;
      this.#mend();
    });
  }

  #mend(): void {
    if (!this.#isJoined || this.#peers.size >= DEGREE_LOW) return;
    const { runtime } = this.#options;
    const nowMs = runtime.now();
    const candidates = this.#options.candidates().filter((peer) => !this.#peers.has(peer));
    const eligible = candidates.filter((peer) => this.#retryAtMs(peer) <= nowMs);
    for (const peer of sample(runtime, eligible, DEGREE - this.#peers.size)) this.#graft(peer);
    const waiting = candidates.filter((peer) => this.#retryAtMs(peer) > nowMs);
    if (waiting.length > 0)
      this.#mendAfter(Math.min(...waiting.map((peer) => this.#retryAtMs(peer))) - nowMs);
  }

  #graft(peer: PeerId): void {
    this.#peers.add(peer);
    this.#options.graft(peer);
  }

  /** When a neighbour may be asked again. */
  #retryAtMs(peer: PeerId): number {
    return this.#backoff.get(peer) ?? Number.NEGATIVE_INFINITY;
  }
}
