import type { PeerId, Runtime } from '@mosaik/primitives';
import type { AcceptLimits } from '../transport.ts';

const DEFAULT_MAX_LINKS = 64;
const DEFAULT_MAX_OPENS_PER_SECOND = 20;
/** A node that starts opens all it needs at once; only what goes on is a flood. */
const BURST_SECONDS = 10;

interface Usage {
  links: number;
  /** Opens that are allowed right now (token bucket, filled with time). */
  tokens: number;
  filledAtMs: number;
}

/** Bounds what each peer may open of one protocol. Shared by the transports, so that they refuse alike. */
export class AcceptGate {
  readonly #runtime: Runtime;
  readonly #maxLinks: number;
  readonly #perSecond: number;
  readonly #usage = new Map<PeerId, Usage>();

  constructor(runtime: Runtime, limits: AcceptLimits = {}) {
    this.#runtime = runtime;
    this.#maxLinks = limits.maxLinks ?? DEFAULT_MAX_LINKS;
    this.#perSecond = limits.maxOpensPerSecond ?? DEFAULT_MAX_OPENS_PER_SECOND;
  }

  /**
   * Asks to let a link of `peer` in.
   *
   * @returns what to call when the link has ended, or undefined when it must be refused.
   */
  enter(peer: PeerId): (() => void) | undefined {
    const usage = this.#refilled(peer);
    if (usage.links >= this.#maxLinks || usage.tokens < 1) return undefined;
    usage.tokens--;
    usage.links++;
    return () => this.#leave(peer, usage);
  }

  #refilled(peer: PeerId): Usage {
    const now = this.#runtime.now();
    const capacity = this.#perSecond * BURST_SECONDS;
    const usage = this.#usage.get(peer) ?? { links: 0, tokens: capacity, filledAtMs: now };
    const earned = ((now - usage.filledAtMs) / 1000) * this.#perSecond;
    usage.tokens = Math.min(capacity, usage.tokens + earned);
    usage.filledAtMs = now;
    this.#usage.set(peer, usage);
    return usage;
  }

  /** Peers without links are forgotten once their bucket is full again, so that the map is bounded by who is here. */
  #leave(peer: PeerId, usage: Usage): void {
    usage.links--;
    if (usage.links === 0 && this.#refilled(peer).tokens >= this.#perSecond * BURST_SECONDS - 1) {
      this.#usage.delete(peer);
    }
  }

  /** The peer has disconnected; its opens start anew only when its bucket has filled. */
  forget(peer: PeerId): void {
    if (this.#usage.get(peer)?.links === 0) this.#usage.delete(peer);
  }
}
