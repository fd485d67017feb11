import { type Group, shortId } from 'mosaik';
import type { Topology } from '../journal.ts';

/** How this member sees its group. */
export function groupView({
  stats,
}: Pick<Group<never, unknown, never, unknown>, 'stats'>): Topology['group'] {
  const { leader, term, voters } = stats;
  return { leader: leader && shortId(leader), term, voters: voters.length };
}
