import { type PeerId, uniqueId } from '@mosaik/primitives';
import type { Epoch } from '@mosaik/streams';
import { describe, expect, it } from 'vitest';
import type { ProducerStanding } from '../../src/pull/holders.ts';
import { type Candidate, planNext } from '../../src/pull/plan.ts';

const producer = uniqueId<PeerId>('producer');
const mirror = (name: string): PeerId => uniqueId<PeerId>(`mirror ${name}`);
const MIB = 1024 * 1024;
const writes: ProducerStanding = { kind: 'writes' };
const absent: ProducerStanding = { kind: 'absent' };
const unanswered: ProducerStanding = { kind: 'unanswered' };
const another: ProducerStanding = { kind: 'writesAnother', present: '00000000000000bb' as Epoch };

interface Held {
  readonly peer: PeerId;
  readonly first?: number;
  readonly next: number;
  /** On average. */
  readonly datumBytes?: number;
  readonly isResting?: boolean;
  readonly begins?: number;
}

/** What a holder has, as a plan for `position` sees it. */
function held(position: number, { peer, first = 0, next, datumBytes = 10, ...rest }: Held): Candidate {
  const bytes = (next - first) * datumBytes;
  const isOwn = peer === producer;
  const log = '00000000000000aa' as Epoch;
  const offer = { producer, log, first, next, bytes, newestMs: 1, isOwn, since: undefined };
  return {
    peer,
    offer,
    isResting: rest.isResting ?? false,
    begins: rest.begins ?? Math.max(position, first),
  };
}

function plan(position: number, standing: ProducerStanding, ...holders: readonly Held[]) {
  return planNext({
    position,
    producer: standing,
    candidates: holders.map((holder) => held(position, holder)),
  });
}

const [one, two] = [mirror('one'), mirror('two')];
const follow = (peer: PeerId, untilEnd: boolean) => ({ kind: 'follow', peer, untilEnd, isLast: !untilEnd });

describe('a plan', () => {
  it('is to follow the producer when that has what comes next', () => {
    expect(plan(5, writes, { peer: producer, next: 9 })).toEqual(follow(producer, false));
    expect(plan(9, writes, { peer: producer, next: 9 })).toEqual(follow(producer, false));
    // It may have grown since it said so, and says itself when it has not.
    expect(plan(20, writes, { peer: producer, next: 9 })).toEqual(follow(producer, false));
    expect(plan(5, writes, { peer: producer, next: 99 }, { peer: one, next: 99 })).toEqual(
      follow(producer, false),
    );
  });

  it('is to take much history from a mirror, and from several at once when there is very much', () => {
    const large = { next: 1_000, datumBytes: MIB };
    expect(plan(0, writes, { peer: producer, ...large }, { peer: one, ...large })).toEqual(follow(one, true));
    const both = plan(
      0,
      writes,
      { peer: producer, ...large },
      { peer: one, ...large },
      { peer: two, ...large, next: 900 },
    );
    expect(both).toMatchObject({ kind: 'pull', to: 900 });
    expect(both.kind === 'pull' && [...both.peers].sort()).toEqual([one, two].sort());
  });

  it('is to take from a mirror what the producer has removed', () => {
    const trimmed = { peer: producer, first: 50, next: 99 };
    expect(plan(5, writes, trimmed, { peer: one, next: 60 })).toEqual(follow(one, true));
    expect(plan(5, writes, trimmed)).toEqual({ kind: 'gap', to: 50 });
    expect(plan(5, writes, trimmed, { peer: one, first: 20, next: 60 })).toEqual({ kind: 'gap', to: 20 });
  });

  it('is to wait rather than to believe in a gap while the producer is silent', () => {
    const later = { peer: one, first: 50, next: 99 };
    expect(plan(5, unanswered, later).kind).toBe('wait');
    expect(plan(5, writes, later).kind).toBe('wait');
    expect(plan(5, absent, later)).toEqual({ kind: 'gap', to: 50 });
    expect(plan(5, absent, later, { peer: two, next: 10, isResting: true }).kind).toBe('wait');
  });

  it('is to follow the mirror that is furthest while the producer is away', () => {
    expect(plan(5, absent, { peer: one, next: 10 }, { peer: two, next: 20 })).toEqual(follow(two, false));
    expect(plan(20, absent, { peer: one, next: 10 }, { peer: two, next: 20 })).toEqual(follow(two, false));
    expect(plan(20, absent, { peer: one, next: 10 })).toMatchObject({ kind: 'wait' });
    expect(plan(5, unanswered, { peer: one, next: 10 })).toEqual(follow(one, true));
    expect(plan(5, absent).kind).toBe('wait');
  });

  it('is to end when the producer writes another log, and nobody has more of this one', () => {
    expect(plan(5, another)).toMatchObject({ kind: 'over', present: '00000000000000bb' });
    expect(plan(5, another, { peer: one, next: 5 })).toMatchObject({ kind: 'over' });
    expect(plan(5, another, { peer: one, next: 6 })).toEqual(follow(one, false));
    expect(plan(5, another, { peer: one, next: 6, isResting: true }).kind).toBe('wait');
  });

  it('goes around what a mirror has missed', () => {
    const holed = { peer: one, next: 99, begins: 40 };
    expect(plan(5, absent, holed)).toEqual({ kind: 'gap', to: 40 });
    expect(plan(5, absent, holed, { peer: two, next: 30 })).toEqual(follow(two, false));
  });
});
