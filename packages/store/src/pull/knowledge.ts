import {
  type Backoff,
  type BackoffOptions,
  createBackoff,
  type PeerId,
  type Runtime,
} from '@mosaik/primitives';
import type { Sequence } from '@mosaik/streams';
import type { LogOffer } from '../wire/messages.ts';

/** A holder that broke the protocol is left alone for so long. */
const VIOLATION_REST_MS = 60_000;
/** Holes that are remembered of one holder; more are found out anew. */
const HOLES_MAX = 1_024;

interface Hole {
  readonly from: Sequence;
  readonly to: Sequence;
}

interface Known {
  readonly backoff: Backoff;
  restsUntilMs: number;
  readonly holes: Hole[];
}

/** What a source has found out about the holders of its log, besides what they offer. */
export class Knowledge {
  readonly #runtime: Runtime;
  readonly #backoff: BackoffOptions;
  readonly #known = new Map<PeerId, Known>();

  constructor(runtime: Runtime, backoff: BackoffOptions) {
    this.#runtime = runtime;
    this.#backoff = backoff;
  }

  isResting(peer: PeerId): boolean {
    return (this.#known.get(peer)?.restsUntilMs ?? 0) > this.#runtime.now();
  }

  /** Milliseconds until the next of those who rest may be asked again; undefined when nobody rests. */
  get nextInMs(): number | undefined {
    const now = this.#runtime.now();
    const left = [...this.#known.values()].map(({ restsUntilMs }) => restsUntilMs - now);
    const resting = left.filter((ms) => ms > 0);
    return resting.length === 0 ? undefined : Math.min(...resting);
  }

  /** The first place at or after `position` that a holder has, as far as is known. */
  beginsAt(peer: PeerId, offer: LogOffer, position: Sequence): Sequence {
    const hole = this.#known.get(peer)?.holes.find(({ from, to }) => from <= position && position < to);
    return Math.max(position, offer.first, hole?.to ?? 0);
  }

  lacks(peer: PeerId, from: Sequence, to: Sequence): void {
    const { holes } = this.#of(peer);
    holes.push({ from, to });
    if (holes.length > HOLES_MAX) holes.shift();
  }

  worked(peer: PeerId): void {
    this.#known.get(peer)?.backoff.reset();
  }

  failed(peer: PeerId): void {
    const known = this.#of(peer);
    known.restsUntilMs = this.#runtime.now() + known.backoff.next();
  }

  misbehaved(peer: PeerId): void {
    this.#of(peer).restsUntilMs = this.#runtime.now() + VIOLATION_REST_MS;
  }

  #of(peer: PeerId): Known {
    let known = this.#known.get(peer);
    if (known === undefined) {
      known = { backoff: createBackoff(this.#runtime, this.#backoff), restsUntilMs: 0, holes: [] };
      this.#known.set(peer, known);
    }
    return known;
  }
}
