import type { PeerInfo } from '@mosaik/discovery';
import type { PeerId } from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import { HOLD_MS, PENALTY_MS, Selection } from '../../src/consumer/selection.ts';

type Candidate = Pick<PeerInfo, 'peer' | 'rttMs'>;

const nearest = (a: PeerInfo, b: PeerInfo): number => (a.rttMs ?? 0) - (b.rttMs ?? 0);

/** Chooses again and again, as a consumer does: what is chosen is live, unless it fails. */
class Chooser {
  nowMs = 0;
  chosen: readonly string[] = [];
  againInMs: number | undefined;
  readonly failedAtMs = new Map<PeerId, number>();
  readonly #selection: Selection;

  constructor(maxProducers: number, prefer?: (a: PeerInfo, b: PeerInfo) => number) {
    this.#selection = new Selection(maxProducers, prefer);
  }

  choose(rtts: Readonly<Record<string, number>>): readonly string[] {
    const candidates: Candidate[] = Object.entries(rtts).map(([peer, rttMs]) => ({
      peer: peer as PeerId,
      rttMs,
    }));
    const { chosen, againInMs } = this.#selection.choose(candidates as unknown as PeerInfo[], {
      nowMs: this.nowMs,
      isLive: (peer) => this.chosen.includes(peer) && this.failedAtMs.get(peer) === undefined,
      failedAtMs: (peer) => this.failedAtMs.get(peer),
    });
    this.againInMs = againInMs;
    this.chosen = [...chosen].sort();
    return this.chosen;
  }

  fail(peer: string): void {
    this.failedAtMs.set(peer as PeerId, this.nowMs);
  }
}

describe('the choice of producers', () => {
  it('without a limit is all of them', () => {
    expect(new Chooser(Number.POSITIVE_INFINITY).choose({ a: 1, b: 2, c: 3 })).toEqual(['a', 'b', 'c']);
  });

  it('is the best ones, and without a preference who is known first', () => {
    expect(new Chooser(2, nearest).choose({ a: 9, b: 2, c: 3 })).toEqual(['b', 'c']);
    const chooser = new Chooser(1);
    expect(chooser.choose({ b: 1, a: 1 })).toEqual(['b']);
    expect(chooser.choose({ a: 1, b: 1 })).toEqual(['b']);
  });

  it('falls at once to the next best when one fails or is gone, and comes back later', () => {
    const chooser = new Chooser(1, nearest);
    expect(chooser.choose({ a: 1, b: 2, c: 3 })).toEqual(['a']);
    chooser.fail('a');
    expect(chooser.choose({ a: 1, b: 2, c: 3 })).toEqual(['b']);
    expect(chooser.choose({ a: 1, c: 3 })).toEqual(['c']);
    expect(chooser.againInMs).toBe(HOLD_MS);
    chooser.nowMs = PENALTY_MS;
    expect(chooser.choose({ a: 1, c: 3 })).toEqual(['c']);
    chooser.nowMs += HOLD_MS;
    expect(chooser.choose({ a: 1, c: 3 })).toEqual(['a']);
  });

  it('goes to a better one when that has been better for a while, and not before', () => {
    const chooser = new Chooser(1, nearest);
    chooser.choose({ a: 5, b: 9 });
    expect(chooser.choose({ a: 5, b: 1 })).toEqual(['a']);
    chooser.nowMs = HOLD_MS - 1;
    expect(chooser.choose({ a: 5, b: 1 })).toEqual(['a']);
    expect(chooser.choose({ a: 5, b: 9 })).toEqual(['a']);
    // It was the best again in between: the time starts anew.
    chooser.nowMs = HOLD_MS + 1;
    expect(chooser.choose({ a: 5, b: 1 })).toEqual(['a']);
    chooser.nowMs = 2 * HOLD_MS + 1;
    expect(chooser.choose({ a: 5, b: 1 })).toEqual(['b']);
    expect(chooser.againInMs).toBeUndefined();
  });

  it('never takes more than the limit, and all there are below it', () => {
    const chooser = new Chooser(2, nearest);
    expect(chooser.choose({ a: 3 })).toEqual(['a']);
    expect(chooser.choose({ a: 3, b: 4 })).toEqual(['a', 'b']);
    expect(chooser.choose({ a: 3, b: 4, c: 1, d: 2 })).toEqual(['a', 'b']);
    chooser.nowMs = HOLD_MS;
    expect(chooser.choose({ a: 3, b: 4, c: 1, d: 2 })).toEqual(['c', 'd']);
  });
});
