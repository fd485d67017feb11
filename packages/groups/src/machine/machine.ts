import type { Codec } from '@mosaik/primitives';
import type { LogIndex, Term } from '../raft/types.ts';

/**
 * Whether a member wants to lead. `reluctant` multiplies its election timeout by the factor (above 1), so that others
 * come first; an `observer` never votes and never leads.
 */
export type LeadershipPreference = 'normal' | 'observer' | { readonly reluctant: number };

/** What `apply` may know besides its command; the same on all members. Not to be kept: the next command may get the same object. */
export interface ApplyContext {
  readonly index: LogIndex;
  readonly term: Term;
  /**
   * The wall clock of the leader that took the command, in ms since the Unix epoch; never goes back from one command to
   * the next. Use it instead of the clock.
   */
  readonly now: number;
  /** A number in [0, 1) that is the same on all members; use it instead of `Math.random`. Not for secrets. */
  random(): number;
}

/** What `query` may know. */
export interface QueryContext {
  /** The last entry that the state contains. */
  readonly index: LogIndex;
}

/**
 * One replica of a state, owned by one member.
 *
 * `apply` must be deterministic: the same commands in the same order give the same state and the same results on every
 * machine, at any time, in every release that shares the signature. No clock, no chance, no I/O, no global state, and no
 * promises; what it needs of these is in its context.
 *
 * What `apply` throws goes to whoever sent the command, and the machine goes on with whatever the command had changed until
 * then: check first, change after. Throw a `CommandRejectedError` for what a caller is to be told.
 */
export interface MachineInstance<Command, Result, Query, Answer> {
  apply(command: Command, context: ApplyContext): Result;
  /**
   * As `apply` for each in order, where that is quicker together; must give the same. An error of this is an error of
   * every command of the batch: a machine whose commands can fail one by one should not have it.
   */
  applyBatch?(commands: readonly Command[], contexts: readonly ApplyContext[]): readonly Result[];
  /**
   * As `apply`, from the bytes of a command to a result that nobody may ever read, and goes before it where it is given; must
   * give the same. For machines that move most of a command as it is. The bytes are a view of the log: what is kept is copied.
   *
   * @throws {DecodeError} for what is no command, before anything has changed.
   */
  applyEncoded?(command: Uint8Array, context: ApplyContext): EncodedResult<Result>;
  /** Reads the state; must not change it. */
  query(query: Query, context: QueryContext): Answer;
  /**
   * The state as it is at the moment of the call, in chunks of at most 16 MiB. It is read while further commands are
   * applied, none of which may show in it: copy what is small, and keep what is large in a structure that can be cloned
   * cheaply. The same state must give the same bytes on all members for them to serve it together.
   */
  snapshot(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** Replaces the state by one that `snapshot` gave, cut into the same chunks. */
  restore(chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** A hash of the state, for comparison with the other members; default: of the snapshot. */
  hash?(): Uint8Array;
}

/** A result that is made where somebody waits for it, and written where somebody keeps it. It never changes. */
export interface EncodedResult<Result> {
  /** Of {@link EncodedResult.encode}. */
  readonly byteLength: number;
  /** The result as the codec of the machine writes it. */
  encode(): Uint8Array;
  /** The result as `apply` would have returned it. */
  value(): Result;
}

/** How the values of a machine are written; CBOR where none is given. */
export interface MachineCodecs<Command, Result, Query, Answer> {
  readonly command: Codec<Command>;
  readonly result: Codec<Result>;
  readonly query: Codec<Query>;
  readonly answer: Codec<Answer>;
}

/**
 * What a group replicates, as it is given to `groups.join({ machine })`: a definition, of which each member makes its own
 * instance. Made by the helper `machine`, or written by hand.
 */
export interface StateMachine<Command, Result, Query, Answer> {
  /** What members must agree upon: a name and a version, such as `shop.stock/2`. Part of the group's id. */
  readonly signature: string;
  readonly codecs: MachineCodecs<Command, Result, Query, Answer>;
  /** Default `normal`. */
  readonly leadership?: LeadershipPreference | undefined;
  /** An empty state. */
  create(): MachineInstance<Command, Result, Query, Answer>;
}
