/** The election period a message or an entry belongs to; at most one leader each. Starts at 0, which has none. */
export type Term = number & { readonly __brand: 'Term' };

/** The place of an entry in the log; the first entry has 1, 0 is the place before it. */
export type LogIndex = number & { readonly __brand: 'LogIndex' };

/**
 * A member of a group, for as long as its log lives: a peer and the incarnation of its storage. A node that comes back
 * without its disk is another member, so that a lost vote is never cast twice. Opaque here; sorts as text.
 */
export type MemberId = string & { readonly __brand: 'MemberId' };

/** What an entry is for: a command of the state machine, the leader's first sign of its term, or who votes. */
export type EntryKind = 'command' | 'noop' | 'configuration';

/** One place in the replicated log. Never changed once made; the data is opaque to the core, but for a configuration's. */
export interface Entry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly kind: EntryKind;
  readonly data: Uint8Array;
}

/** Where a log stands: the term and index of an entry. */
export interface LogPosition {
  readonly index: LogIndex;
  readonly term: Term;
}

/** What must be durable before anything that follows from it leaves the node (Raft §5, figure 2, "persistent state"). */
export interface HardState {
  readonly term: Term;
  /** Whom this member voted for in `term`. */
  readonly vote: MemberId | undefined;
}

/** Who votes and who only listens. Sorted by id, without duplicates; nobody is in both. */
export interface Configuration {
  readonly voters: readonly MemberId[];
  readonly learners: readonly MemberId[];
}

/** What a snapshot stands for: everything up to a position, and the configuration in force there. */
export interface SnapshotMeta extends LogPosition {
  readonly configuration: Configuration;
}
