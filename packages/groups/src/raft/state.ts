import { membersOf, nobody } from './configuration.ts';
import { type Configurations, createConfigurations } from './configurations.ts';
import { invariant } from './invariant.ts';
import { createLog, type Log } from './log.ts';
import type { Message } from './messages.ts';
import { checkStored, type Options, type TestOptions, withDefaults } from './options.ts';
import type { Progress } from './progress.ts';
import { majority, type Quorum } from './quorum.ts';
import type { CatchUpNeed, ConfirmedRead, RaftOptions, Role } from './raft.ts';
import type { LogIndex, LogPosition, MemberId, SnapshotMeta, Term } from './types.ts';
import { createWrites, type Writes } from './writes.ts';

/** A read that waits for a quorum to answer a heartbeat sent after it came. */
export interface WaitingRead {
  readonly context: number;
  /** Who asked, if another member did. */
  readonly asker: { readonly id: MemberId; readonly epoch: number } | undefined;
  readonly index: LogIndex;
  /** Assigned when the heartbeats leave. */
  readonly round: number;
}

/** A handing over of leadership that is under way (dissertation §3.10). */
export interface Transfer {
  readonly to: MemberId;
  ticks: number;
  isAsked: boolean;
}

/** What only a leader has. */
export interface Lead {
  /** Those it sends to: everybody in the configuration but itself, and, until it is committed, who was before. Sorted. */
  followers: Progress[];
  /** Where its first entry is: once that is committed, the leader is established. */
  readonly firstOwn: LogIndex;
  heartbeatTicks: number;
  isHeartbeatDue: boolean;
  /** Of the last heartbeats sent. */
  round: number;
  /** Came before an entry of the own term was committed. */
  postponed: Omit<WaitingRead, 'index' | 'round'>[];
  /** Wait for the heartbeats that the next output has. */
  fresh: Omit<WaitingRead, 'round'>[];
  waiting: WaitingRead[];
  transfer: Transfer | undefined;
}

/** All that a member is. Changed by the functions of this folder only, each input running to completion. */
export interface State {
  readonly options: Options;
  readonly id: MemberId;
  /** Tells the answers to the reads of this life from those to an earlier one. */
  readonly epoch: number;
  term: Term;
  vote: MemberId | undefined;
  role: Role;
  leader: MemberId | undefined;
  readonly log: Log;
  readonly configurations: Configurations;
  readonly writes: Writes;
  /** Invariant: never falls. */
  commit: LogIndex;
  /** Invariant: `applied <= handedOut <= commit`, but for a snapshot that waits to be durable. */
  applied: LogIndex;
  handedOut: LogIndex;
  applyingBytes: number;
  /**
   * A follower's log is known to be the leader's of this term up to here.
   * Invariant: `commit <= matched` in a term that has a leader, as that leader has all that is committed.
   */
  matched: LogIndex;
  /** What of it the leader was told. */
  acknowledged: LogIndex;
  isAckDue: boolean;
  /** Ticks since there was a sign of a leader, or since the last try to become one. */
  electionTicks: number;
  electionTimeout: number;
  votes: Map<MemberId, boolean>;
  /** Ticks since a write was durable, while some are under way. */
  stalledTicks: number;
  lead: Lead | undefined;
  readonly outbox: Outbox;
}

/** What the next output will have. */
export interface Outbox {
  messages: Message[];
  reads: ConfirmedRead[];
  refusedReads: number[];
  restore: SnapshotMeta | undefined;
  catchUp: CatchUpNeed | undefined;
  isConfigurationNews: boolean;
}

const zero: LogIndex = 0 as LogIndex;

export function createState(given: RaftOptions & TestOptions): State {
  const { hardState, snapshot, entries = [] } = given.stored ?? {};
  checkStored(given.stored ?? {});
  const options = withDefaults(given);
  const base: LogPosition = { index: snapshot?.index ?? zero, term: snapshot?.term ?? (0 as Term) };
  const log = createLog({ base, entries, retainedBytesMax: options.retainedBytesMax });
  const configuration = snapshot?.configuration ?? nobody;
  return {
    options,
    id: options.id,
    epoch: Math.floor(options.random() * 2 ** 32),
    term: hardState?.term ?? (0 as Term),
    vote: hardState?.vote,
    role: 'follower',
    leader: undefined,
    log,
    configurations: createConfigurations({ index: base.index, configuration }, entries),
    writes: createWrites(log.last.index),
    commit: base.index,
    applied: base.index,
    handedOut: base.index,
    applyingBytes: 0,
    matched: base.index,
    acknowledged: base.index,
    isAckDue: false,
    electionTicks: 0,
    electionTimeout: 0,
    votes: new Map(),
    stalledTicks: 0,
    lead: undefined,
    outbox: {
      messages: [],
      reads: [],
      refusedReads: [],
      restore: undefined,
      catchUp: undefined,
      isConfigurationNews: true,
    },
  };
}

/** Sends now: for what does not show anything that is not durable. */
export function send(s: State, message: Message): void {
  invariant(message.to !== s.id, 'a member does not write to itself');
  s.outbox.messages.push(message);
}

/** Sends once the term and vote are durable. A message to itself is taken then. */
export function sendDurably(s: State, message: Message): void {
  if (s.writes.isHardStateDurable) send(s, message);
  else s.writes.sendWhenHardStateDurable(message);
}

/** How far the own log counts as stored. */
export function storedIndex(s: State): LogIndex {
  return s.options.rules.stored(s.writes.durable, s.log.last.index);
}

/** What a follower may acknowledge: what is the leader's, and stored. */
export function acknowledgeable(s: State): LogIndex {
  return Math.min(s.matched, storedIndex(s)) as LogIndex;
}

/** Whether the leader's first own entry is committed (reads and membership changes wait for it). */
export function isEstablished(s: State): boolean {
  return s.lead !== undefined && s.commit >= s.lead.firstOwn;
}

export function isConfigurationCommitted(s: State): boolean {
  return s.configurations.current.index <= s.commit;
}

export function isVoter(s: State): boolean {
  return s.configurations.current.configuration.voters.includes(s.id);
}

/** Who elects: always a majority of the voters in force. */
export function electorate(s: State): Quorum {
  const { voters } = s.configurations.current.configuration;
  return { members: voters, size: majority(voters.length) };
}

export function progressOf(lead: Lead, member: MemberId): Progress | undefined {
  return lead.followers.find((each) => each.id === member);
}

/** Everybody in force but the member itself, sorted. */
export function othersInForce(s: State): MemberId[] {
  return membersOf(s.configurations.current.configuration).filter((id) => id !== s.id);
}

/** The disk has not answered for as long as it takes to give up a leader. */
export function isDiskStalled(s: State): boolean {
  return s.stalledTicks >= s.options.electionTicks;
}
