// Who leads: Raft §5.2 and §5.4.1, with pre-votes (dissertation §9.6) and leaders that are not disturbed (§4.2.3).

import type { PreVoteRequest, PreVoteResponse, TimeoutNow, VoteRequest, VoteResponse } from './messages.ts';
import { tallyOf } from './quorum.ts';
import {
  becomeCandidate,
  becomeFollower,
  becomeLeader,
  becomePreCandidate,
  restartElectionTimer,
} from './roles.ts';
import {
  electorate,
  isConfigurationCommitted,
  isDiskStalled,
  isVoter,
  type State,
  send,
  sendDurably,
} from './state.ts';
import type { LogPosition, MemberId, Term } from './types.ts';

/** Time passes for a member that does not lead. */
export function tickElection(s: State): void {
  s.electionTicks++;
  if (s.electionTicks < s.electionTimeout) return;
  if (mayStand(s)) preCampaign(s);
  else becomeFollower(s, s.term, undefined);
}

/**
 * A leader heard of within the shortest election timeout is taken to be alive: who asks for votes is cut off from it, or
 * was removed, and is not answered (dissertation §4.2.3). A leader is alive to itself: it steps down when it has lost touch.
 */
export function isLeaderAlive(s: State): boolean {
  return s.role === 'leader' || (s.leader !== undefined && s.electionTicks < s.options.electionTicks);
}

export function handlePreVoteRequest(s: State, { from: to, term: asked, last }: PreVoteRequest): void {
  if (isLeaderAlive(s)) return;
  const isFit = isUpToDate(s, last);
  const granted = asked > s.term && isFit;
  if (granted) send(s, { type: 'preVoteResponse', from: s.id, to, term: asked, granted });
  else sendDurably(s, { type: 'preVoteResponse', from: s.id, to, term: s.term, granted });
  // Who asks cannot win against the longer log here, and has no leader any more: it will grant now what it did not answer before.
  if (!isFit && s.role === 'preCandidate' && mayStand(s)) preCampaign(s);
}

export function handlePreVoteResponse(s: State, { from, term, granted }: PreVoteResponse): void {
  if (s.role !== 'preCandidate') return;
  if (granted && term !== s.term + 1) return;
  if (count(s, from, granted) === 'won') campaign(s, false);
}

/** Voters answer whoever asks, in their configuration or not: it may be newer than theirs (dissertation §4.2.2). */
export function handleVoteRequest(s: State, { from: to, last }: VoteRequest): void {
  const granted = (s.vote === undefined || s.vote === to) && isUpToDate(s, last);
  if (granted) castVote(s, to);
  sendDurably(s, { type: 'voteResponse', from: s.id, to, term: s.term, granted });
}

export function handleVoteResponse(s: State, { from, granted }: VoteResponse): void {
  if (s.role !== 'candidate') return;
  if (count(s, from, granted) === 'won') becomeLeader(s);
}

/** The leader hands over: stand at once, without asking first whether that would be welcome. */
export function handleTimeoutNow(s: State, _message: TimeoutNow): void {
  if (s.role !== 'leader' && mayStand(s) && isVoter(s)) campaign(s, true);
}

/**
 * Voters stand for election; and a member that the last configuration in its log takes the vote from, as long as it does not know
 * that to be committed: nobody else may have that entry, and then nobody else can win (dissertation §4.2.2).
 */
function mayStand(s: State): boolean {
  if (s.options.preference === 'observer' || isDiskStalled(s)) return false;
  if (isVoter(s)) return true;
  const { previous } = s.configurations;
  return !isConfigurationCommitted(s) && previous?.configuration.voters.includes(s.id) === true;
}

function preCampaign(s: State): void {
  becomePreCandidate(s);
  if (count(s, s.id, true) === 'won') {
    campaign(s, false);
    return;
  }
  const term = (s.term + 1) as Term;
  for (const to of otherVoters(s)) {
    send(s, { type: 'preVoteRequest', from: s.id, to, term, last: positionOf(s.log.last) });
  }
}

/** The own vote, too, counts only when it is durable: it comes back as a message then. */
function campaign(s: State, isTransfer: boolean): void {
  becomeCandidate(s);
  const { id: from, term } = s;
  if (isVoter(s)) sendDurably(s, { type: 'voteResponse', from, to: from, term, granted: true });
  const last = positionOf(s.log.last);
  for (const to of otherVoters(s)) sendDurably(s, { type: 'voteRequest', from, to, term, last, isTransfer });
}

function castVote(s: State, candidate: MemberId): void {
  if (s.vote === undefined) {
    s.vote = candidate;
    s.writes.hardStateChanged();
  }
  if (s.role === 'preCandidate') becomeFollower(s, s.term, undefined);
  else restartElectionTimer(s);
}

/** Counts a vote, the first one of each voter; a lost election is over. */
function count(s: State, from: MemberId, granted: boolean): 'won' | 'lost' | 'open' {
  if (!s.votes.has(from)) s.votes.set(from, granted);
  const tally = tallyOf(electorate(s), (member) => s.votes.get(member));
  if (tally === 'lost') becomeFollower(s, s.term, undefined);
  return tally;
}

/** Whether a candidate's log has all that may be committed: the later term wins, then the longer log (Raft §5.4.1). */
function isUpToDate({ log }: State, { index, term }: LogPosition): boolean {
  const { last } = log;
  return term > last.term || (term === last.term && index >= last.index);
}

function otherVoters(s: State): MemberId[] {
  return s.configurations.current.configuration.voters.filter((id) => id !== s.id);
}

function positionOf({ index, term }: LogPosition): LogPosition {
  return { index, term };
}
