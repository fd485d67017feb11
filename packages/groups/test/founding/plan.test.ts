import { describe, expect, it } from 'vitest';
import { decideFounding, type FoundingView } from '../../src/founding/plan.ts';
import type { MemberId } from '../../src/raft/types.ts';
import { compareHistories, type History } from '../../src/wire/history.ts';
import type { MemberStatus } from '../../src/wire/status.ts';

const id = (text: string): MemberId => text as MemberId;
const history = (text: string, foundedAtMs: number): History => ({ id: text, foundedAtMs });

function peer(text: string, changes: Partial<MemberStatus> = {}): MemberStatus {
  return {
    member: id(text),
    history: undefined,
    isEstablished: false,
    preference: 'normal',
    isLeaving: false,
    founder: undefined,
    ...changes,
  };
}

function decide(changes: Partial<FoundingView> = {}): ReturnType<typeof decideFounding> {
  return decideFounding({
    self: id('b'),
    preference: 'normal',
    founders: 1,
    peers: [],
    waitedMs: 1_000,
    bootstrapDelayMs: 750,
    isExpectingOthers: false,
    ...changes,
  });
}

describe('a member without a history', () => {
  it('founds alone when nobody is there, after the delay', () => {
    expect(decide({ waitedMs: 700 })).toMatchObject({ kind: 'wait', for: 'bootstrapDelay' });
    expect(decide()).toEqual({ kind: 'found', voters: ['b'] });
  });

  it('waits longer for members that the catalog names', () => {
    expect(decide({ isExpectingOthers: true })).toMatchObject({ kind: 'wait', for: 'bootstrapDelay' });
    expect(decide({ isExpectingOthers: true, waitedMs: 3_000 }).kind).toBe('found');
  });

  it('leaves it to the smallest id', () => {
    expect(decide({ peers: [peer('a')] })).toEqual({ kind: 'wait', founder: 'a', for: 'otherFounder' });
    expect(decide({ peers: [peer('c')] }).kind).toBe('found');
    expect(decide({ peers: [peer('a', { preference: 'observer' })] }).kind).toBe('found');
    expect(decide({ peers: [peer('a', { isLeaving: true })] }).kind).toBe('found');
  });

  it('takes over the oldest history that is established', () => {
    const [old, young] = [history('y', 1), history('x', 2)];
    const peers = [
      peer('c', { history: young, isEstablished: true }),
      peer('d', { history: old, isEstablished: true }),
      peer('e', { history: history('z', 0) }),
    ];
    expect(decide({ peers, waitedMs: 0 })).toEqual({ kind: 'adopt', history: old });
  });

  it('takes over what is being founded by whom it would have found the group', () => {
    const forming = history('x', 1);
    const founder = peer('a', { history: forming, founder: id('a') });
    expect(decide({ peers: [founder] })).toEqual({ kind: 'adopt', history: forming });
  });

  it('that only observes never founds', () => {
    expect(decide({ preference: 'observer' })).toMatchObject({ kind: 'wait', for: 'nobodyMayFound' });
    expect(decide({ preference: 'observer', peers: [peer('c')] })).toMatchObject({ founder: 'c' });
  });

  it('founds with others only when a majority would have it so', () => {
    const founders = 5;
    const supporter = (text: string): MemberStatus => peer(text, { founder: id('b') });
    const undecided = [supporter('c'), peer('d', { founder: id('c') })];
    expect(decide({ founders, peers: undecided })).toMatchObject({ kind: 'wait', for: 'moreFounders' });
    expect(decide({ founders, peers: [supporter('d'), supporter('c')] })).toEqual({
      kind: 'found',
      voters: ['b', 'c', 'd'],
    });
  });
});

describe('of two histories', () => {
  it('the older one stays, and of the same age the one with the smaller id', () => {
    expect(compareHistories(history('b', 1), history('a', 2))).toBeLessThan(0);
    expect(compareHistories(history('b', 1), history('a', 1))).toBeGreaterThan(0);
    expect(compareHistories(history('a', 1), history('a', 1))).toBe(0);
  });
});
