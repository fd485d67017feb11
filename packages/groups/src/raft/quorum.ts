import type { MemberId } from './types.ts';

/** Who counts, and how many of them are enough. */
export interface Quorum {
  readonly members: readonly MemberId[];
  readonly size: number;
}

export type Tally = 'won' | 'lost' | 'open';

/** The smallest number that two groups out of `count` cannot both reach without a member in common. */
export function majority(count: number): number {
  return Math.floor(count / 2) + 1;
}

/** The highest number that enough members have reached; 0 when nobody counts. */
export function reachedBy({ members, size }: Quorum, numberOf: (member: MemberId) => number): number {
  if (members.length < size || members.length === 0) return 0;
  const numbers = members.map(numberOf).sort((a, b) => b - a);
  return numbers[size - 1] ?? 0;
}

/** Where an election stands, with the votes that have come in. Without voters nobody wins. */
export function tallyOf({ members, size }: Quorum, voteOf: (member: MemberId) => boolean | undefined): Tally {
  let granted = 0;
  let refused = 0;
  for (const member of members) {
    const vote = voteOf(member);
    if (vote === true) granted++;
    else if (vote === false) refused++;
  }
  if (members.length > 0 && granted >= size) return 'won';
  return members.length - refused < size ? 'lost' : 'open';
}
