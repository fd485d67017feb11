import type { PeerId, Runtime } from '@mosaik/primitives';
import type { AcceptLimits } from '../transport.ts';

const DEFAULT_MAX_LINKS = 64;
const DEFAULT_MAX_OPENS_PER_SECOND = 20;
/** A node that starts opens all it needs at once; only what goes on is a flood. */
const BURST_SECONDS = 10;
/** Below this many peers nothing is swept. */
const SWEEP_SIZE_MIN = 64;

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
  readonly #capacity: number;
  readonly #usage = new Map<PeerId, Usage>();
  #sweepAtSize = SWEEP_SIZE_MIN;

  constructor(runtime: Runtime, limits: AcceptLimits = {}) {
    this.#runtime = runtime;
    this.#maxLinks = limits.maxLinks ?? DEFAULT_MAX_LINKS;
    this.#perSecond = limits.maxOpensPerSecond ?? DEFAULT_MAX_OPENS_PER_SECOND;
    this.#capacity = Math.max(1, this.#perSecond * BURST_SECONDS);
  }

  /**
   * Asks to let a link of `peer` in.
   *
   * @returns what to call when the link has ended, or undefined when it must be refused.
   */
  enter(peer: PeerId): (() => void) | undefined {
    const usage = this.#usageOf(peer);
    if (usage.links >= this.#maxLinks || usage.tokens < 1) return undefined;
    usage.tokens--;
    usage.links++;
    return () => {
      usage.links--;
    };
  }

  /** How many peers something is remembered of. */
  get size(): number {
    return this.#usage.size;
  }

  #usageOf(peer: PeerId): Usage {
    const known = this.#usage.get(peer);
    if (known !== undefined) {
      this.#refill(known);
      return known;
    }
    if (this.#usage.size >= this.#sweepAtSize) this.#sweep();
    const usage: Usage = { links: 0, tokens: this.#capacity, filledAtMs: this.#runtime.now() };
    this.#usage.set(peer, usage);
    return usage;
  }

  #refill(usage: Usage): void {
    const now = this.#runtime.now();
    const earned = ((now - usage.filledAtMs) / 1000) * this.#perSecond;
    usage.tokens = Math.min(this.#capacity, usage.tokens + earned);
    usage.filledAtMs = now;
  }

  /**
   * Forgets who has no link and a full bucket, which is what a stranger starts with. It is not forgotten earlier: a
   * peer would have its bucket back by connecting again. So the map is bounded by who has links now or opened some
   * within the last ten seconds; sweeping when that may have doubled costs O(1) an open.
   */
  #sweep(): void {
    for (const [peer, usage] of this.#usage) {
      this.#refill(usage);
      if (usage.links === 0 && usage.tokens === this.#capacity) this.#usage.delete(peer);
    }
    this.#sweepAtSize = Math.max(SWEEP_SIZE_MIN, 2 * this.#usage.size);
  }
}
