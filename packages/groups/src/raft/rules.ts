import { majority, type Quorum } from './quorum.ts';
import type { Configuration, LogIndex, MemberId, Term } from './types.ts';

/**
 * The rules that safety hangs on, in one place, each a predicate of few words. The simulator replaces them one by one by
 * plausible wrong ones, to prove that it would notice.
 */
export interface Rules {
  /** What of a vote is stored with the term: the vote (Raft §5.2: persisted before it is answered). */
  readonly storedVote: (vote: MemberId | undefined) => MemberId | undefined;
  /** How far a member's log counts as stored, for its acknowledgements and its own vote on commitment: what is durable. */
  readonly stored: (durable: LogIndex, last: LogIndex) => LogIndex;
  /** Whether an entry that enough members have may be committed by that: one of the leader's own term (Raft §5.4.2). */
  readonly isCommittedByCounting: (entry: Term, current: Term) => boolean;
  /** Who counts for commitment, reads and being in touch: a majority of all voters, reachable or not, and nobody else. */
  readonly quorum: (configuration: Configuration, isReachable: (member: MemberId) => boolean) => Quorum;
  /** Whether the configuration may change: once an entry of the leader's own term is committed (see decision 6). */
  readonly mayReconfigure: (isEstablished: boolean) => boolean;
  /** Whether an entry of the leader replaces the one at its place: only if they differ (Raft §5.3). */
  readonly isConflict: (own: Term, leaders: Term) => boolean;
  /** Whether entries from an index on may go: none that is committed (Raft §5.4, leader completeness). */
  readonly mayTruncate: (from: LogIndex, commit: LogIndex) => boolean;
  /** Whether a leader that hears from no quorum steps down (dissertation §6.2). */
  readonly checksQuorum: boolean;
  /** The round of heartbeats whose reads are confirmed: the last one that a quorum has answered (dissertation §6.4). */
  readonly confirmedRound: (answered: number, sent: number) => number;
}

export const safeRules: Rules = {
  storedVote: (vote) => vote,
  stored: (durable) => durable,
  isCommittedByCounting: (entry, current) => entry === current,
  quorum: ({ voters }) => ({ members: voters, size: majority(voters.length) }),
  mayReconfigure: (isEstablished) => isEstablished,
  isConflict: (own, leaders) => own !== leaders,
  mayTruncate: (from, commit) => from > commit,
  checksQuorum: true,
  confirmedRound: (answered) => answered,
};
