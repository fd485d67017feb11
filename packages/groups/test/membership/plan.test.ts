import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type MembershipRules,
  type MemberView,
  planConfiguration,
  voterTarget,
} from '../../src/membership/plan.ts';
import { isWellFormed, votersChanged } from '../../src/raft/configuration.ts';
import type { Configuration, LogIndex, MemberId } from '../../src/raft/types.ts';

const RULES: MembershipRules = {
  maxVoters: 5,
  heardWithinTicks: 2,
  demoteAfterTicks: 10,
  forgetAfterTicks: 100,
  promoteWithin: 10,
  demoteBeyond: 1_000,
};
const LAST = 5_000 as LogIndex;
const id = (text: string): MemberId => text as MemberId;

function view(text: string, changes: Partial<MemberView> = {}): MemberView {
  return {
    id: id(text),
    isBonded: true,
    isReplaced: false,
    isLeaving: false,
    preference: 'normal',
    absentTicks: 0,
    silentTicks: 0,
    match: LAST,
    isStreaming: true,
    ...changes,
  };
}

const configuration = (voters: string, learners = ''): Configuration => ({
  voters: [...voters].map(id),
  learners: [...learners].map(id),
});

/** Voters and learners, such as `ab+c`; the first voter leads. */
function plan(before: Configuration, members: readonly MemberView[]): string {
  const self = before.voters[0] as MemberId;
  const next = planConfiguration({ self, configuration: before, members, lastIndex: LAST }, RULES);
  return next === undefined ? 'stay' : `${next.voters.join('')}+${next.learners.join('')}`;
}

const gone = { isBonded: false, absentTicks: 20, silentTicks: 20 };

describe('who votes', () => {
  it.each([
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 3],
    [5, 5],
    [6, 5],
    [9, 5],
  ])('of %i that are fit %i', (fit, target) => expect(voterTarget(fit, 5)).toBe(target));

  it.each<[string, Configuration, MemberView[], string]>([
    ['a bonded peer is a learner first', configuration('a'), [view('a'), view('b')], 'a+b'],
    ['several at once', configuration('a'), [view('a'), view('c'), view('b')], 'a+bc'],
    ['a learner that has caught up votes', configuration('a', 'b'), [view('a'), view('b')], 'ab+'],
    [
      'one that is behind does not',
      configuration('a', 'b'),
      [view('a'), view('b', { match: 10 as LogIndex })],
      'stay',
    ],
    [
      'nor one that is being probed',
      configuration('a', 'b'),
      [view('a'), view('b', { isStreaming: false })],
      'stay',
    ],
    ['nor one that is silent', configuration('a', 'b'), [view('a'), view('b', { silentTicks: 3 })], 'stay'],
    ['nor an observer', configuration('a', 'b'), [view('a'), view('b', { preference: 'observer' })], 'stay'],
    [
      'of three, a fourth is no gain',
      configuration('abc', 'd'),
      [...'abcd'].map((each) => view(each)),
      'stay',
    ],
    ['two more make five', configuration('abc', 'de'), [...'abcde'].map((each) => view(each)), 'abcd+e'],
    [
      'a reluctant one only when there is no other',
      configuration('ab', 'cd'),
      [view('a'), view('b'), view('c', { preference: 'reluctant' }), view('d')],
      'abd+c',
    ],
    [
      'a voter that is gone is demoted',
      configuration('abc'),
      [view('a'), view('b'), view('c', gone)],
      'ab+c',
    ],
    [
      'and replaced by who has caught up',
      configuration('ab', 'cd'),
      [view('a'), view('b'), view('c', gone), view('d')],
      'abd+c',
    ],
    ['but not without a quorum', configuration('abc'), [view('a'), view('b', gone), view('c', gone)], 'stay'],
    ['of two, none', configuration('ab'), [view('a'), view('b', gone)], 'stay'],
    [
      'one that has lost its log goes',
      configuration('abc'),
      [view('a'), view('b'), view('c', { ...gone, isReplaced: true })],
      'ab+',
    ],
    [
      'one that leaves goes',
      configuration('abc'),
      [view('a'), view('b'), view('c', { isLeaving: true })],
      'ab+',
    ],
    [
      'but not while the others are no quorum without it',
      configuration('abc'),
      [view('a'), view('b', { isLeaving: true }), view('c', { ...gone, silentTicks: 5, absentTicks: 5 })],
      'stay',
    ],
    [
      'who is gone is demoted before it',
      configuration('abc'),
      [view('a'), view('b', { isLeaving: true }), view('c', gone)],
      'ab+c',
    ],
    [
      'and lets it go then',
      configuration('ab', 'c'),
      [view('a'), view('b', { isLeaving: true }), view('c', gone)],
      'a+c',
    ],
    [
      'a learner that leaves goes',
      configuration('a', 'b'),
      [view('a'), view('b', { isLeaving: true })],
      'a+',
    ],
    ['a learner that is away stays a while', configuration('a', 'b'), [view('a'), view('b', gone)], 'stay'],
    [
      'and is forgotten then',
      configuration('a', 'b'),
      [view('a'), view('b', { ...gone, absentTicks: 101 })],
      'a+',
    ],
    [
      'a voter that lags far is demoted',
      configuration('abc'),
      [view('a'), view('b'), view('c', { match: 3 as LogIndex })],
      'ab+c',
    ],
    [
      'of four that are well one is too many',
      configuration('abcd'),
      [...'abcd'].map((each) => view(each)),
      'abc+d',
    ],
  ])('%s', (_, before, members, expected) => expect(plan(before, members)).toBe(expected));

  it('changes by one voter at most, keeps one, and comes to rest', () => {
    const names = [...'abcdefg'];
    const member = (name: string): fc.Arbitrary<MemberView> =>
      fc
        .record({
          isHere: fc.boolean(),
          isLeaving: fc.boolean(),
          preference: fc.constantFrom('normal' as const, 'reluctant' as const, 'observer' as const),
        })
        .map(({ isHere, isLeaving, preference }) =>
          view(name, { ...(isHere ? {} : gone), isLeaving: isLeaving && isHere, preference }),
        );
    const some = fc.tuple(...names.map(member));
    fc.assert(
      fc.property(fc.subarray(names, { minLength: 1 }), some, (voters, others) => {
        let before = configuration(voters.join(''));
        const self = before.voters[0] as MemberId;
        const members = others.map((other) => (other.id === self ? view(other.id) : other));
        for (let step = 0; step < 30; step++) {
          const next = planConfiguration({ self, configuration: before, members, lastIndex: LAST }, RULES);
          if (next === undefined) return;
          expect(isWellFormed(next)).toBe(true);
          expect(votersChanged(before, next)).toBeLessThanOrEqual(1);
          expect(next.voters).toContain(self);
          before = next;
        }
        expect.unreachable('it changes for ever');
      }),
      { numRuns: 2_000 },
    );
  });
});
