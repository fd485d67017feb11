import type { PeerId, Runtime } from '@mosaik/primitives';

/** Whoever joins a large network is told of all of it at once; only what goes on for longer is a flood. */
const BURST_SECONDS = 30;

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

/** A token bucket a neighbour. */
export class Throttle {
  readonly #runtime: Runtime;
  readonly #perSecond: number;
  readonly #buckets = new Map<PeerId, Bucket>();

  constructor(runtime: Runtime, perSecond: number) {
    this.#runtime = runtime;
    this.#perSecond = perSecond;
  }

  /** Takes one token of a peer; false when it has none. */
  take(peer: PeerId): boolean {
    const bucket = this.#filled(peer);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  forget(peer: PeerId): void {
    this.#buckets.delete(peer);
  }

  #filled(peer: PeerId): Bucket {
    const nowMs = this.#runtime.now();
    const capacity = this.#perSecond * BURST_SECONDS;
    const bucket = this.#buckets.get(peer) ?? { tokens: capacity, filledAtMs: nowMs };
    const earned = ((nowMs - bucket.filledAtMs) / 1000) * this.#perSecond;
    bucket.tokens = Math.min(capacity, bucket.tokens + earned);
    bucket.filledAtMs = nowMs;
    this.#buckets.set(peer, bucket);
    return bucket;
  }
}
