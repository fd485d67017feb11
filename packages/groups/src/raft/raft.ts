/**
 * The consensus core: one member of one group, as a state machine without clock, disk, network or chance of its own.
 *
 * Call any input, then {@link Raft.takeOutput}, and do what it says. The driver's loop:
 *
 * 1. send `messages`, in any order, without waiting for anything: what depends on the disk is not among them before
 *    `persisted` has been called;
 * 2. start writing `persist`, writes in the order of their tokens, and call `persisted(token)` when it is durable (a
 *    later token covers the earlier ones; several may be under way);
 * 3. if `restore` is set, replace the machine's state by that snapshot; then apply `committed`, in order, and call
 *    `appliedTo`;
 * 4. answer `reads` once the machine has applied their index, and fail `refusedReads`.
 *
 * Every input runs to completion and only changes this object. Nothing is emitted twice.
 */
import type { Message } from './messages.ts';
import type { Configuration, Entry, HardState, LogIndex, MemberId, SnapshotMeta, Term } from './types.ts';

/** What a node wants to be: a voter like all others, one that stands only when nobody else does, or a listener. */
export type Preference = 'normal' | 'reluctant' | 'observer';

/** What the storage held when the process started. A new member has an empty one: `{}`. */
export interface StoredState {
  readonly hardState?: HardState;
  /**
   * What the log begins after. A founder's is `{ index: 0, term: 0, configuration }`, stored before it starts; without
   * one the member knows nobody, stands for nothing, and waits for a leader that counts it in.
   */
  readonly snapshot?: SnapshotMeta;
  /** The entries after the snapshot, without holes. */
  readonly entries?: readonly Entry[];
}

export interface RaftOptions {
  readonly id: MemberId;
  /** A number in [0, 1), from the driver's `Runtime`. */
  readonly random: () => number;
  readonly stored?: StoredState;
  readonly preference?: Preference;
  /** Ticks between two heartbeats of a leader. Default 1. */
  readonly heartbeatTicks?: number;
  /**
   * Ticks without a leader after which a member stands for election, at least; the exact number is drawn anew each time from
   * `[electionTicks, 2 × electionTicks)`. A leader that hears from no quorum for as long steps down. Default 10.
   */
  readonly electionTicks?: number;
  /**
   * Whether the first entry of all is the configuration that the first leader began with, so that whoever has an entry knows who
   * votes: for members of which only the founder is told. Default false: all begin with the same one, and the entry is empty.
   */
  readonly recordsFirstVoters?: boolean;
  /** By how much longer a reluctant member waits. Default 3. */
  readonly reluctance?: number;
  /** Bytes of entries in one append message; one larger entry goes alone. Default 1 MiB. */
  readonly appendBytesMax?: number;
  /** Bytes of entries sent to one follower and not acknowledged. Default 8 MiB. */
  readonly inflightBytesMax?: number;
  /** Append messages sent to one follower and not acknowledged. Default 256. */
  readonly inflightMessagesMax?: number;
  /**
   * Bytes of entries that are in the log and not yet applied here. Beyond, a leader refuses proposals (`overloaded`) and
   * a follower takes no entries until it has caught up. Default 64 MiB.
   */
  readonly unappliedBytesMax?: number;
  /** Bytes of entries handed out to be applied and not yet reported by `appliedTo`. Default 4 MiB. */
  readonly applyingBytesMax?: number;
  /** Bytes of applied entries kept in memory for followers that are behind. Default 16 MiB. */
  readonly retainedBytesMax?: number;
  /** Reads under way; beyond, they are refused. Default 65,536. */
  readonly readsMax?: number;
}

export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader';

/** Who leads, as far as this member knows. */
export interface Leadership {
  readonly term: Term;
  readonly role: Role;
  /** Undefined while nobody is known to lead this term. */
  readonly leader: MemberId | undefined;
}

/** A configuration that came into force, or whose entry was committed. */
export interface ConfigurationInForce {
  /** Where it is in the log; 0 for a founder's first one. */
  readonly index: LogIndex;
  readonly configuration: Configuration;
  /** Until then it may still be taken back, by the truncation of its entry. */
  readonly isCommitted: boolean;
}

/** How far a follower is, in the eyes of the leader. */
export interface FollowerStatus {
  readonly id: MemberId;
  readonly state: 'probe' | 'replicate' | 'catchingUp';
  /** It is known to have durably what the leader has, up to here. */
  readonly match: LogIndex;
  /** Ticks since a message of this term came from it. */
  readonly silentTicks: number;
}

export interface Status extends Leadership {
  readonly id: MemberId;
  readonly vote: MemberId | undefined;
  /** The highest index known to be committed. */
  readonly commit: LogIndex;
  /** The highest index that the driver reported as applied. */
  readonly applied: LogIndex;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** The last index known to be durable here. */
  readonly durable: LogIndex;
  /** The first index that is still in memory. */
  readonly firstIndex: LogIndex;
  readonly configuration: ConfigurationInForce;
  /** An entry of the leader's own term is committed: it can serve reads and change the configuration. */
  readonly isEstablished: boolean;
  /** Whom leadership is being handed to. */
  readonly transferee: MemberId | undefined;
  /** Sorted by id; empty unless leader. */
  readonly followers: readonly FollowerStatus[];
}

/** Counts the writes of one member from 1. */
export type WriteToken = number & { readonly __brand: 'WriteToken' };

/** One atomic write. Its parts take effect in this order; writes in the order of their tokens. */
export interface Persist {
  readonly token: WriteToken;
  readonly hardState: HardState | undefined;
  /** The staged snapshot (see `installSnapshot`) becomes what the log begins after; entries up to it go. */
  readonly snapshot: SnapshotMeta | undefined;
  /** Entries from this index on go. */
  readonly truncateFrom: LogIndex | undefined;
  /** To be appended; the first follows what is left. */
  readonly entries: readonly Entry[];
}

export interface ConfirmedRead {
  readonly context: number;
  /** A machine that has applied this index gives a linearizable answer. */
  readonly index: LogIndex;
}

/** Committed entries that this member lacks and its leader cannot send: pull them, or a snapshot, from any members. */
export interface CatchUpNeed {
  /** The first one missing. */
  readonly from: LogIndex;
  /** The last one known to be committed; inclusive. */
  readonly to: LogIndex;
  readonly leader: MemberId;
}

/** All that came of the inputs since the last one. */
export interface Output {
  /**
   * To be sent now. A leader's appends are here before its own fsync (its own acknowledgement counts only once durable);
   * votes, acknowledgements and whatever shows a new term were held back in the core until `persisted`.
   */
  readonly messages: readonly Message[];
  /** To be written; undefined when there is nothing. */
  readonly persist: Persist | undefined;
  /** The machine's state has to be replaced by this (durable) snapshot before `committed` is applied. */
  readonly restore: SnapshotMeta | undefined;
  /** To be applied, in order. Committed by a quorum, and durable here, so that a machine is never ahead of its log. */
  readonly committed: readonly Entry[];
  readonly reads: readonly ConfirmedRead[];
  /** Contexts of reads that cannot be confirmed here any more; ask again, of the leader of then. */
  readonly refusedReads: readonly number[];
  /** Set when any of it changed. */
  readonly leadership: Leadership | undefined;
  /** Set when it changed, or was committed. */
  readonly configuration: ConfigurationInForce | undefined;
  /** Set each time the leader says so (once a heartbeat), until caught up. */
  readonly catchUp: CatchUpNeed | undefined;
  /** The commit index was withheld from followers: take an output that withholds nothing soon. */
  readonly isCommitWithheld: boolean;
}

export interface OutputOptions {
  /**
   * No message goes out for the commit index alone: it goes with the next entries, the next heartbeat, or the next output
   * that does not say so. For a driver that is about to propose more. Default false.
   */
  readonly withholdsCommit?: boolean | undefined;
}

/** Why something was not taken. `leader` is where to go instead, where that is known. */
export interface Refusal<Reason extends string> {
  readonly ok: false;
  readonly reason: Reason;
  readonly leader: MemberId | undefined;
}

export interface Accepted {
  readonly ok: true;
}

/** Where proposals stand in the log: `count` entries from `index` on. Lost if another entry appears at their place. */
export interface Proposed extends Accepted {
  readonly term: Term;
  readonly index: LogIndex;
  readonly count: number;
}

export type ProposeResult = Proposed | Refusal<'notLeader' | 'transferring' | 'overloaded'>;

/**
 * - `notEstablished`: no entry of the own term is committed yet (the fix of single-server changes, see decision 6);
 * - `pending`: the configuration in force is not committed yet;
 * - `notOneVoter`: more than one voter would come or go; `noVoters`: none would be left; `malformed`: unsorted, or double.
 */
export type ConfigurationResult =
  | Proposed
  | Refusal<
      'notLeader' | 'transferring' | 'notEstablished' | 'pending' | 'notOneVoter' | 'noVoters' | 'malformed'
    >;

export type ReadResult = Accepted | Refusal<'noLeader' | 'tooMany'>;

/** `notVoter`: also the leader itself; `transferring`: to somebody else, already. */
export type TransferResult = Accepted | Refusal<'notLeader' | 'notVoter' | 'transferring'>;

/** Committed entries, as members told that hold them. */
export interface CommittedRange {
  /** Without holes. The first is at most at `status.commit + 1`; what is already committed here is skipped. */
  readonly entries: readonly Entry[];
  /** The highest term of the members they came from, when they said that these are committed. */
  readonly term: Term;
}

/** One member of a group. Synchronous; not re-entrant; nothing of it survives but what was persisted. */
export interface Raft {
  readonly id: MemberId;
  readonly status: Status;

  /** Takes a message that came from another member. Messages that are not addressed to this one are a bug of the driver. */
  step(message: Message): void;

  /** Time passes: call it every `tickMs`, whatever that is to the driver. */
  tick(): void;

  /** Appends commands to the log, if this member leads. The data is neither copied nor looked at, and must not change. */
  propose(commands: readonly Uint8Array[]): ProposeResult;

  /**
   * Appends a configuration, which is in force from now on: one voter may come or go, or turn into a learner; learners
   * come and go freely. A leader that it does not name as a voter steps down once it is committed (dissertation §4.2.2).
   */
  proposeConfiguration(configuration: Configuration): ConfigurationResult;

  /**
   * Asks for the index up to which a strong read has to wait. Resolved by `reads` or `refusedReads` with the same
   * context, or never, when messages are lost: give up after a while and ask again with another context.
   */
  requestRead(context: number): ReadResult;

  /** Hands leadership to a voter. Proposals are refused until it has stood for election, or an election timeout is over. */
  transferLeadership(to: MemberId): TransferResult;

  /** All writes up to this token are durable. */
  persisted(token: WriteToken): void;

  /** The machine has applied everything up to here. */
  appliedTo(index: LogIndex): void;

  /** The position and configuration of a snapshot of the machine as of `index`; undefined if not known any more. */
  snapshotAt(index: LogIndex): SnapshotMeta | undefined;

  /** The storage has let go of entries up to here, which a durable snapshot of its own covers. */
  compacted(upTo: LogIndex): void;

  /**
   * A snapshot pulled from other members is durably staged beside the log. When it is of use (true), the next output has
   * the write that puts it in force, and later one has `restore`; otherwise (false) it can be thrown away.
   *
   * @param term The highest term of the members it came from, when they said that it is committed.
   */
  installSnapshot(meta: SnapshotMeta, term: Term): boolean;

  /** Takes committed entries that the driver has pulled from other members; false when they do not join on. */
  catchUp(range: CommittedRange): boolean;

  /** The connection to a member broke: what was under way to it is sent anew when it answers. */
  reportUnreachable(member: MemberId): void;

  /** Hands over what is to be done, and forgets it. */
  takeOutput(options?: OutputOptions): Output;
}
