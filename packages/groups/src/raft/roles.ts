// A role changes here and nowhere else.

import { encodeConfiguration } from './configuration.ts';
import { invariant } from './invariant.ts';
import { Progress } from './progress.ts';
import { type Lead, othersInForce, type State, send } from './state.ts';
import type { Entry, EntryKind, LogIndex, MemberId, Term } from './types.ts';

/** Follows in a term, with or without a known leader. */
export function becomeFollower(s: State, term: Term, leader: MemberId | undefined): void {
  invariant(term >= s.term, `the term would fall from ${s.term} to ${term}`);
  invariant(leader !== s.id, 'a member does not follow itself');
  if (s.lead) refuseReads(s, s.lead);
  if (term > s.term) enterTerm(s, term, undefined);
  else {
    invariant(
      leader === undefined || s.leader === undefined || s.leader === leader,
      `two leaders of term ${term}: ${s.leader} and ${leader}`,
    );
  }
  s.role = 'follower';
  s.lead = undefined;
  s.leader = leader;
  s.votes.clear();
  restartElectionTimer(s);
}

/** Asks whether an election could be won, without disturbing anybody (dissertation §9.6). */
export function becomePreCandidate(s: State): void {
  invariant(s.role !== 'leader', 'a leader does not stand for election');
  s.role = 'preCandidate';
  s.leader = undefined;
  s.votes.clear();
  restartElectionTimer(s);
}

export function becomeCandidate(s: State): void {
  invariant(s.role !== 'leader', 'a leader does not stand for election');
  enterTerm(s, (s.term + 1) as Term, s.id);
  s.role = 'candidate';
  s.leader = undefined;
  s.votes.clear();
  restartElectionTimer(s);
}

/** Leads, and appends an entry of its own at once, so that what is before it can be committed (Raft §8). */
export function becomeLeader(s: State): void {
  invariant(s.role === 'candidate', 'only a candidate comes to lead');
  invariant(s.writes.isHardStateDurable, 'the votes for this leader waited for its term to be durable');
  s.role = 'leader';
  s.leader = s.id;
  s.votes.clear();
  const next = (s.log.last.index + 1) as LogIndex;
  s.lead = {
    followers: othersInForce(s).map((id) => newProgress(s, id, next)),
    firstOwn: next,
    heartbeatTicks: 0,
    isHeartbeatDue: false,
    round: 0,
    postponed: [],
    fresh: [],
    waiting: [],
    transfer: undefined,
  };
  appendFirst(s);
}

/** Without content, unless nobody else knows yet who votes. */
function appendFirst(s: State): void {
  const { index, configuration } = s.configurations.current;
  if (s.options.recordsFirstVoters && index === 0)
    appendOwn(s, 'configuration', encodeConfiguration(configuration));
  else appendOwn(s, 'noop', new Uint8Array(0));
}

/** Appends an entry of the leader's own. */
export function appendOwn(s: State, kind: EntryKind, data: Uint8Array): void {
  const entry: Entry = { index: (s.log.last.index + 1) as LogIndex, term: s.term, kind, data };
  s.log.append(entry);
  if (kind === 'configuration') s.outbox.isConfigurationNews = s.configurations.appended(entry);
}

export function newProgress(s: State, id: MemberId, next: LogIndex): Progress {
  const { inflightMessagesMax, inflightBytesMax } = s.options;
  return new Progress(id, next, { messagesMax: inflightMessagesMax, bytesMax: inflightBytesMax });
}

/** Draws anew how long to wait for a leader, so that members rarely stand at the same time (Raft §5.2). */
export function restartElectionTimer(s: State): void {
  const { electionTicks, random, preference, reluctance } = s.options;
  const factor = preference === 'reluctant' ? reluctance : 1;
  s.electionTicks = 0;
  s.electionTimeout = Math.floor((electionTicks + Math.floor(random() * electionTicks)) * factor);
}

/** Whatever was known to be committed is in the log of whoever leads this term, so it needs no comparing. */
function enterTerm(s: State, term: Term, vote: MemberId | undefined): void {
  s.term = term;
  s.vote = vote;
  s.writes.hardStateChanged();
  s.matched = s.commit;
  s.acknowledged = s.commit;
  s.isAckDue = false;
}

function refuseReads(s: State, { postponed, fresh, waiting }: Lead): void {
  for (const { context, asker } of [...postponed, ...fresh, ...waiting]) {
    if (asker === undefined) s.outbox.refusedReads.push(context);
    else {
      const { id: to, epoch } = asker;
      send(s, { type: 'readResponse', from: s.id, to, term: s.term, context, epoch });
    }
  }
}
