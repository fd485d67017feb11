import type { Entry, LogIndex, LogPosition, MemberId, Term } from './types.ts';

/**
 * What members of a group tell each other. Every message may be lost, doubled, late or out of order.
 * The gate that decodes them checks shapes and ranges (whole numbers ≥ 0, consecutive entries, configurations that
 * `decodeConfiguration` accepts); the core trusts them from there on.
 */
export type Message =
  | PreVoteRequest
  | PreVoteResponse
  | VoteRequest
  | VoteResponse
  | AppendRequest
  | AppendResponse
  | HeartbeatRequest
  | HeartbeatResponse
  | CatchUpRequest
  | TimeoutNow
  | ReadRequest
  | ReadResponse;

export interface MessageHeader {
  readonly from: MemberId;
  readonly to: MemberId;
  /** The sender's term; of a pre-vote the one it would stand in. */
  readonly term: Term;
}

/** "Would you vote for me in `term`?", before the term is raised (dissertation §9.6). Promises nothing. */
export interface PreVoteRequest extends MessageHeader {
  readonly type: 'preVoteRequest';
  readonly last: LogPosition;
}

/** When granted, `term` is the one asked about; when not, the voter's own. */
export interface PreVoteResponse extends MessageHeader {
  readonly type: 'preVoteResponse';
  readonly granted: boolean;
}

/** RequestVote (Raft §5.2). */
export interface VoteRequest extends MessageHeader {
  readonly type: 'voteRequest';
  readonly last: LogPosition;
  /** The leader itself asked for this election, so a member that hears from it answers nonetheless (§4.2.3). */
  readonly isTransfer: boolean;
}

export interface VoteResponse extends MessageHeader {
  readonly type: 'voteResponse';
  readonly granted: boolean;
}

/** AppendEntries (Raft §5.3); without entries it asks whether the log matches at `previous`, and tells the commit index. */
export interface AppendRequest extends MessageHeader {
  readonly type: 'append';
  readonly previous: LogPosition;
  /** The entries after `previous`, in order. */
  readonly entries: readonly Entry[];
  readonly commit: LogIndex;
}

/** Cumulative: everything up to `match` equals the leader's log and is durable here. */
export interface AppendResponse extends MessageHeader {
  readonly type: 'appendResponse';
  readonly match: LogIndex;
  /** Set when the log does not match at `previous` of an append. */
  readonly rejection?: AppendRejection;
}

export interface AppendRejection {
  /** The index of the `previous` that did not match. */
  readonly index: LogIndex;
  /** The last place, not after `index`, where this log has a term not above that of `previous`: where a match may be. */
  readonly hint: LogPosition;
}

export interface HeartbeatRequest extends MessageHeader {
  readonly type: 'heartbeat';
  readonly commit: LogIndex;
  /** Counts up within the term; a response to it confirms the reads that were asked for before it. */
  readonly round: number;
}

/** Does not wait for the disk, but for the term to be durable: a slow fsync is not a dead member. */
export interface HeartbeatResponse extends MessageHeader {
  readonly type: 'heartbeatResponse';
  readonly round: number;
  /** As in an append response; makes up for one that was lost. */
  readonly match: LogIndex;
}

/** "What you need next I no longer have in memory: get what is committed elsewhere." Answered by an append response. */
export interface CatchUpRequest extends MessageHeader {
  readonly type: 'catchUp';
  readonly commit: LogIndex;
}

/** "Stand for election now": the last step of a leadership transfer (dissertation §3.10). */
export interface TimeoutNow extends MessageHeader {
  readonly type: 'timeoutNow';
}

/** A read index, asked of the leader by another member (dissertation §6.4). */
export interface ReadRequest extends MessageHeader {
  readonly type: 'readRequest';
  readonly context: number;
  /** Drawn by the asking member when it started, so that it never takes an answer to an earlier life of it. */
  readonly epoch: number;
}

export interface ReadResponse extends MessageHeader {
  readonly type: 'readResponse';
  readonly context: number;
  readonly epoch: number;
  /** What has to be applied before the read; missing when the member asked is no leader, or is no longer. */
  readonly index?: LogIndex;
}
