import type { Condition, GroupId, PeerId, WaitOptions, Watch } from '@mosaik/primitives';
import type { Direction } from '@mosaik/transport';
import type { Reverted } from './member/reverted.ts';
import type { Configuration, LogIndex, MemberId, Term } from './raft/types.ts';
import type { Durability } from './storage/storage.ts';

export type { Reverted, RevertedCommand } from './member/reverted.ts';

/** A command that was applied. */
export interface Executed<Result> {
  /** Of the entry that it was applied with. */
  readonly index: LogIndex;
  readonly result: Result;
}

/** Entries from `from` to `to`, both included. */
export interface IndexRange {
  readonly from: LogIndex;
  readonly to: LogIndex;
}

/** What a query answered, and as of which entry. */
export interface Queried<Answer> {
  readonly result: Answer;
  readonly at: LogIndex;
}

/**
 * How fresh an answer has to be. `strong` is linearizable: it shows everything that was acknowledged, to anybody, before
 * the query began, and needs a quorum. `weak` shows what this member has applied, at once.
 */
export type Consistency = 'weak' | 'strong';

/** A bond, for people. */
export interface BondView {
  readonly peer: PeerId;
  readonly member: MemberId;
  readonly direction: Direction;
  /** Monotonic time when it was made. */
  readonly bondedAtMs: number;
  /** Smoothed round trip; undefined while unmeasured. */
  readonly rttMs: number | undefined;
  readonly role: MemberRole;
  readonly isLeaving: boolean;
}

/** `new`: not counted in yet. */
export type MemberRole = 'leader' | 'voter' | 'learner' | 'new';

/** Where the log of this member stands. */
export interface LogView {
  readonly term: Term;
  readonly lastIndex: LogIndex;
  readonly committed: LogIndex;
  readonly applied: LogIndex;
  readonly snapshot: LogIndex;
}

/** The first thing that keeps a group from working, as data and as text. */
export interface GroupReason {
  readonly code:
    | 'ok'
    | 'closed'
    | 'failed'
    | 'diverged'
    | 'founding'
    | 'damaged'
    | 'catchingUp'
    | 'noQuorum'
    | 'electing'
    | 'leaderUnreachable';
  readonly text: string;
  /** What can be done about it. */
  readonly remedy: string;
  /** Since when, in ms since the Unix epoch by this node's wall clock; `text` says how long that is. Undefined for `ok`. */
  readonly sinceMs: number | undefined;
}

/** A look inside. */
export interface GroupStats {
  readonly member: MemberId | undefined;
  readonly role: MemberRole;
  readonly leader: PeerId | undefined;
  readonly term: Term;
  readonly bonds: number;
  readonly voters: readonly MemberId[];
  readonly learners: readonly MemberId[];
  readonly log: LogView;
  /** Commands of this member that are not settled. */
  readonly pendingCommands: number;
  readonly pendingReads: number;
  readonly leaderChanges: number;
  readonly snapshotsTaken: number;
  readonly snapshotsPulled: number;
  /** Chunks of snapshots that this member has given to others. */
  readonly snapshotChunksServed: number;
  readonly entriesPulled: number;
  /** The group is idle: it sends nothing, and watches its bonds. Whatever is asked of it wakes it. */
  readonly isResting: boolean;
  readonly divergence: { readonly index: LogIndex; readonly member: MemberId } | undefined;
  /** Where the last damaged log was put that this member has found, at the start or later. */
  readonly damagedLog: string | undefined;
}

/** What of a group can be waited for; each condition is awaitable, re-arming and invertible. */
export interface GroupConditions {
  isLeader(): Condition;
  isFollower(): Condition;
  leaderElected(): Condition;
  /** Met when leadership has changed since this was called. */
  leaderChanged(): Condition;
  leaderIs(peer: PeerId): Condition;
  /** Commands can be sent: a leader is known and reachable. */
  online(): Condition;
  offline(): Condition;
  /** This member is out, by its disk or its machine, and stays so until it joins again; the others go on. `why()` tells the cause. */
  failed(): Condition;
  /**
   * A history of this member has lost against an older one: see {@link Group.reverted}. Met from then on; `after` reports that
   * were seen already, the next one is waited for. Default 0.
   */
  reverted(options?: { readonly after?: number | undefined }): Condition;
  committed(): {
    /** This member has applied everything up to an index, or to the end of a range. */
    reaches(position: number | IndexRange): Condition;
  };
}

/** This node's membership in a group. */
export interface Group<Command, Result, Query, Answer> extends AsyncDisposable {
  readonly id: GroupId;
  readonly durability: Durability;
  readonly stats: GroupStats;
  /**
   * Runs a command: resolves when it is committed by a quorum and applied here, exactly once. Commands of one member are
   * applied in call order. Each error below tells by `effect` whether the command is `applied`, `notApplied` or `unknown`,
   * and has the command: a {@link CommandError} as `command`, a {@link CommandsError} in `outcomes`.
   *
   * @throws {CommandRejectedError} as the machine said: not applied.
   * @throws {CommandFailedError} when the machine failed on it: what it had changed by then stays.
   * @throws {CommandMalformedError} when the members cannot decode it: not applied.
   * @throws {CommandInvalidError} when the codec does not take it; @throws {CommandTooLargeError} @throws {GroupOverloadedError}
   *   when too many wait already: not sent, so not applied.
   * @throws {CommandAbortedError} when `signal` fires first: not applied if it had not been sent, or else unknown; what became
   *   of it in the end its `resolved()` tells.
   * @throws {GroupClosedError} @throws {GroupFailedError} the same, when this member ends.
   * @throws {SessionExpiredError} when the group has forgotten this member: unknown.
   * @throws {ResultForgottenError} when its result is not kept any more: applied.
   */
  execute(command: Command, options?: WaitOptions): Promise<Executed<Result>>;
  /**
   * As {@link Group.execute} for each, in order and in as few messages as there is room for. They are taken together, or
   * refused together when one cannot be sent; then each is a command of its own, and one that fails keeps none back.
   * Resolves when all are applied here.
   *
   * @throws {CommandsFailedError} when each was heard of, and some have no result: `outcomes` tells of all, in call order.
   * @throws {CommandsError} of the other kinds as {@link Group.execute}, with `outcomes` of all in call order.
   */
  executeMany(commands: readonly Command[], options?: WaitOptions): Promise<readonly Executed<Result>[]>;
  /** As {@link Group.execute}, for when only the place in the log matters: resolves when it is committed and applied here. */
  feed(command: Command, options?: WaitOptions): Promise<LogIndex>;
  /**
   * As {@link Group.executeMany}, and throws the same; resolves with where the first and the last are. Others may be between
   * them.
   */
  feedMany(commands: readonly Command[], options?: WaitOptions): Promise<IndexRange>;
  /**
   * Asks the machine. A strong query waits for a leader as long as `signal` lets it.
   *
   * @throws {GroupClosedError} @throws {GroupFailedError} @throws {AbortedError}
   * @throws {GroupOverloadedError} when `maxPendingCommands` strong ones wait already.
   */
  query(query: Query, consistency: Consistency, options?: WaitOptions): Promise<Queried<Answer>>;
  when(): GroupConditions;
  /** The members that this one is bonded with. */
  bonds(): Watch<readonly BondView[]>;
  /** Where the log stands, after each change. */
  log(): Watch<LogView>;
  /** What keeps the group from working, if anything does. */
  why(): GroupReason;
  /**
   * Histories of this member that lost against older ones, with their commands; the newest last. Since it joined: a report is
   * gone with the process, the log that it is of stays where it was put.
   */
  reverted(): readonly Reverted<Command>[];
  /** The configuration in force, as far as this member knows. */
  readonly configuration: Configuration;
  /**
   * Hands leadership to another voter, or to the one that is best placed.
   *
   * @throws {LeadershipError} when this member does not lead, the other is no voter, or it did not take over in two election
   *   timeouts: then this member goes on leading.
   */
  transferLeadership(to?: PeerId, options?: WaitOptions): Promise<void>;
  /**
   * Leaves: hands over leadership, is taken out of the voters, and ends. What is under way is refused with its commands. Waits
   * for the others as long as `leaveTimeoutMs`, and until `signal` fires: then this member ends at once, as one whose process
   * has died, but for a last word. That is no error.
   */
  close(options?: WaitOptions): Promise<void>;
}
