import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeConfiguration,
  encodeConfiguration,
  isWellFormed,
  votersChanged,
} from '../../src/raft/configuration.ts';
import { majority, reachedBy, tallyOf } from '../../src/raft/quorum.ts';
import type { MemberId } from '../../src/raft/types.ts';
import { bytes, configuration, id } from './cluster.ts';

const votersArbitrary = fc.uniqueArray(fc.constantFrom(...'abcdefghi').map(id), { maxLength: 9 });

/** Every set of members that is a majority, by trying all the sets there are. */
function majorities(members: readonly MemberId[]): MemberId[][] {
  const all: MemberId[][] = [];
  for (let bits = 0; bits < 2 ** members.length; bits++) {
    const some = members.filter((_, place) => (bits >> place) & 1);
    if (some.length > members.length - some.length) all.push(some);
  }
  return all;
}

describe('quorums, against trying everything', () => {
  it('the index that a majority has reached', () => {
    fc.assert(
      fc.property(
        votersArbitrary,
        fc.array(fc.nat(20), { minLength: 9, maxLength: 9 }),
        (members, numbers) => {
          const numberOf = (member: MemberId): number => numbers['abcdefghi'.indexOf(member)]!;
          const dumb = Math.max(0, ...majorities(members).map((some) => Math.min(...some.map(numberOf))));
          expect(reachedBy({ members, size: majority(members.length) }, numberOf)).toBe(
            members.length ? dumb : 0,
          );
        },
      ),
    );
  });

  it('how an election stands', () => {
    const voteArbitrary = fc.array(fc.constantFrom(true, false, undefined), { minLength: 9, maxLength: 9 });
    fc.assert(
      fc.property(votersArbitrary, voteArbitrary, (members, votes) => {
        const voteOf = (member: MemberId): boolean | undefined => votes['abcdefghi'.indexOf(member)];
        const all = majorities(members);
        const isWon = all.some((some) => some.every((member) => voteOf(member) === true));
        const canBeWon = all.some((some) => some.every((member) => voteOf(member) !== false));
        const dumb = isWon ? 'won' : canBeWon ? 'open' : 'lost';
        const tally = tallyOf({ members, size: majority(members.length) }, voteOf);
        expect(tally).toBe(members.length ? dumb : 'lost');
      }),
    );
  });

  it('majorities of two configurations that are one voter apart have a voter in common', () => {
    fc.assert(
      fc.property(votersArbitrary, fc.constantFrom(...'abcdefghi').map(id), (members, other) => {
        const changed = members.includes(other)
          ? members.filter((each) => each !== other)
          : [...members, other];
        for (const some of majorities(members)) {
          for (const others of majorities(changed))
            expect(some.some((each) => others.includes(each))).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('configurations', () => {
  it('come back from their bytes as they were', () => {
    const idArbitrary = fc.string({ minLength: 1, unit: 'grapheme' }).map(id);
    fc.assert(
      fc.property(fc.uniqueArray(idArbitrary), fc.nat(), (members, cut) => {
        const sorted = (ids: MemberId[]): MemberId[] => ids.sort((a, b) => (a < b ? -1 : 1));
        const place = members.length === 0 ? 0 : cut % members.length;
        const made = { voters: sorted(members.slice(0, place)), learners: sorted(members.slice(place)) };
        expect(decodeConfiguration(encodeConfiguration(made))).toEqual(made);
      }),
    );
  });

  it.each([
    '',
    '{}',
    '[]',
    '[[],[],[]]',
    '[["b","a"],[]]',
    '[["a","a"],[]]',
    '[["a"],["a"]]',
    '[[1],[]]',
    '[[""],[]]',
    '[["a"]',
  ])('are not made of %j', (data) => expect(decodeConfiguration(bytes(data))).toBeUndefined());

  it('are not made of any bytes that only look like one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (data) => {
        const decoded = decodeConfiguration(data);
        expect(decoded === undefined || isWellFormed(decoded)).toBe(true);
      }),
    );
  });

  it('differ by the voters that come and go', () => {
    expect(votersChanged(configuration('abc'), configuration('abd', 'xy'))).toBe(2);
    expect(votersChanged(configuration('abc', 'd'), configuration('abcd'))).toBe(1);
    expect(votersChanged(configuration('abc', 'd'), configuration('abc', 'xyz'))).toBe(0);
  });
});
