// What is committed, and what follows from that.

import { membersOf } from './configuration.ts';
import { invariant } from './invariant.ts';
import { reachedBy } from './quorum.ts';
import { admitPostponedReads } from './reads.ts';
import { becomeFollower } from './roles.ts';
import {
  isConfigurationCommitted,
  isEstablished,
  isVoter,
  type Lead,
  progressOf,
  type State,
  send,
  storedIndex,
} from './state.ts';
import type { LogIndex, MemberId, Term } from './types.ts';

/** Raises the commit index of any member. */
export function commitUpTo(s: State, index: LogIndex): void {
  if (index <= s.commit) return;
  invariant(index <= s.log.last.index, `index ${index} is committed, but not in the log`);
  const wasCommitted = isConfigurationCommitted(s);
  s.commit = index;
  if (!wasCommitted && isConfigurationCommitted(s)) s.outbox.isConfigurationNews = true;
}

/**
 * Commits what a quorum has stored, if the last of it is of the leader's own term; what is before is committed with it
 * (Raft §5.4.2, figure 8). The leader counts itself like all others: only what is durable.
 */
export function advanceCommit(s: State): void {
  const { lead } = s;
  if (!lead) return;
  const index = reachedByQuorum(s, lead, (member) =>
    member === s.id ? storedIndex(s) : (progressOf(lead, member)?.match ?? 0),
  ) as LogIndex;
  if (index <= s.commit) return;
  const term = s.log.termAt(index) as Term;
  if (!s.options.rules.isCommittedByCounting(term, s.term)) return;
  const wasEstablished = isEstablished(s);
  const wasConfigurationCommitted = isConfigurationCommitted(s);
  commitUpTo(s, index);
  if (!wasEstablished && isEstablished(s)) admitPostponedReads(s, lead);
  if (!wasConfigurationCommitted && isConfigurationCommitted(s)) configurationCommitted(s, lead);
}

/** The highest number that a quorum of the configuration in force has reached. */
export function reachedByQuorum(s: State, lead: Lead, numberOf: (member: MemberId) => number): number {
  const isReachable = (member: MemberId): boolean =>
    member === s.id || (progressOf(lead, member)?.silentTicks ?? 0) < s.options.electionTicks;
  return reachedBy(s.options.rules.quorum(s.configurations.current.configuration, isReachable), numberOf);
}

/** Who was removed is told that it is, as far as it can be; a leader that was removed steps down (dissertation §4.2.2). */
function configurationCommitted(s: State, lead: Lead): void {
  const { configuration } = s.configurations.current;
  const members = membersOf(configuration);
  for (const { id: to } of lead.followers) {
    if (isVoter(s) && members.includes(to)) continue;
    const { round } = lead;
    send(s, { type: 'heartbeat', from: s.id, to, term: s.term, commit: s.commit, round });
  }
  lead.followers = lead.followers.filter(({ id }) => members.includes(id));
  if (!isVoter(s)) stepDownRemoved(s, lead);
}

/** The voter with the longest log need not wait for an election timeout. */
function stepDownRemoved(s: State, lead: Lead): void {
  const { voters } = s.configurations.current.configuration;
  const heir = lead.followers.filter(({ id }) => voters.includes(id)).sort((a, b) => b.match - a.match)[0];
  if (heir) send(s, { type: 'timeoutNow', from: s.id, to: heir.id, term: s.term });
  becomeFollower(s, s.term, undefined);
}
