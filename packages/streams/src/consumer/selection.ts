import type { PeerInfo } from '@mosaik/discovery';
import type { PeerId } from '@mosaik/primitives';

/** A producer that works is replaced by a better one when that has been better for so long. */
export const HOLD_MS = 5_000;
/** A producer that failed comes after the others for so long. */
export const PENALTY_MS = 10_000;

/** What is known of the subscriptions there are. */
export interface SelectionState {
  readonly nowMs: number;
  /** Chosen before, and working now. */
  readonly isLive: (peer: PeerId) => boolean;
  /** When an attempt failed last; undefined when none did lately. */
  readonly failedAtMs: (peer: PeerId) => number | undefined;
}

/** Chooses up to `maxProducers` among the candidates, without changing its mind more often than need be. */
export class Selection {
  readonly #maxProducers: number;
  readonly #prefer: ((a: PeerInfo, b: PeerInfo) => number) | undefined;
  /** Since when each chosen producer has been worse than one that is not chosen. */
  readonly #worseSinceMs = new Map<PeerId, number>();

  constructor(maxProducers: number, prefer: ((a: PeerInfo, b: PeerInfo) => number) | undefined) {
    this.#maxProducers = maxProducers;
    this.#prefer = prefer;
  }

  /** Whether there is anything to choose. */
  get isLimited(): boolean {
    return Number.isFinite(this.#maxProducers);
  }

  /** The chosen ones, and when to choose again though nothing changes. */
  choose(
    candidates: readonly PeerInfo[],
    state: SelectionState,
  ): { readonly chosen: ReadonlySet<PeerId>; readonly againInMs: number | undefined } {
    if (!this.isLimited) return { chosen: new Set(candidates.map(({ peer }) => peer)), againInMs: undefined };
    const best = this.#ranked(candidates, state).slice(0, this.#maxProducers);
    const ideal = new Set(best.map(({ peer }) => peer));
    const kept = candidates.filter(({ peer }) => this.#isKept(peer, ideal, state)).map(({ peer }) => peer);
    const chosen = new Set(kept.slice(0, this.#maxProducers));
    for (const { peer } of best) if (chosen.size < this.#maxProducers) chosen.add(peer);
    this.#forget(chosen);
    const isWaiting = this.#worseSinceMs.size > 0 || candidates.some(({ peer }) => isFailing(peer, state));
    return { chosen, againInMs: isWaiting ? HOLD_MS : undefined };
  }

  #ranked(candidates: readonly PeerInfo[], state: SelectionState): PeerInfo[] {
    const failing = new Set(candidates.filter(({ peer }) => isFailing(peer, state)));
    const rank = (a: PeerInfo, b: PeerInfo): number =>
      Number(failing.has(a)) - Number(failing.has(b)) ||
      (this.#prefer?.(a, b) ?? 0) ||
      Number(state.isLive(b.peer)) - Number(state.isLive(a.peer));
    return [...candidates].sort(rank);
  }

  /** A live one stays while it is among the best, and for a while after. */
  #isKept(peer: PeerId, ideal: ReadonlySet<PeerId>, state: SelectionState): boolean {
    if (!state.isLive(peer)) return false;
    if (ideal.has(peer)) {
      this.#worseSinceMs.delete(peer);
      return true;
    }
    const sinceMs = this.#worseSinceMs.get(peer) ?? state.nowMs;
    this.#worseSinceMs.set(peer, sinceMs);
    return state.nowMs - sinceMs < HOLD_MS;
  }

  #forget(chosen: ReadonlySet<PeerId>): void {
    for (const peer of this.#worseSinceMs.keys()) if (!chosen.has(peer)) this.#worseSinceMs.delete(peer);
  }
}

function isFailing(peer: PeerId, { nowMs, failedAtMs, isLive }: SelectionState): boolean {
  const atMs = failedAtMs(peer);
  return !isLive(peer) && atMs !== undefined && nowMs - atMs < PENALTY_MS;
}
