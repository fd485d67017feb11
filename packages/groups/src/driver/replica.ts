import { toError } from '@mosaik/primitives';
import type { Applier } from '../machine/applier.ts';
import type { Message } from '../raft/messages.ts';
import type {
  CatchUpNeed,
  CommittedRange,
  ConfigurationInForce,
  ConfigurationResult,
  ConfirmedRead,
  Leadership,
  Output,
  ProposeResult,
  Raft,
  ReadResult,
  Status,
  TransferResult,
} from '../raft/raft.ts';
import type { Configuration, Entry, LogIndex, MemberId, SnapshotMeta, Term } from '../raft/types.ts';
import type { LogStorage, SnapshotStage } from '../storage/storage.ts';
import { LogWriter } from './log-writer.ts';

/** What happens in a replica; called synchronously, while it turns. None may throw. */
export interface ReplicaObserver {
  send(message: Message): void;
  /** The last chance to propose before the output is taken. */
  beforeOutput(): void;
  onLeadership(leadership: Leadership): void;
  onConfiguration(configuration: ConfigurationInForce): void;
  onCatchUp(need: CatchUpNeed): void;
  /** The machine has applied everything up to here. */
  onApplied(index: LogIndex): void;
  /** The state was replaced by a snapshot: outcomes may have been passed over. */
  onRestored(index: LogIndex): void;
  /** Reads whose index has been applied. */
  onReads(contexts: readonly number[]): void;
  onRefusedReads(contexts: readonly number[]): void;
  /** It can go on no more; nothing is called after this. */
  onFailed(error: Error): void;
}

export interface ReplicaOptions {
  readonly raft: Raft;
  readonly log: LogStorage;
  readonly applier: Applier<unknown, unknown, unknown>;
  readonly observer: ReplicaObserver;
  /** Puts the machine's state in the place of its own: reads the storage's snapshot. */
  readonly restore: (meta: SnapshotMeta) => Promise<void>;
  /** No run of entries that is applied at once goes beyond a multiple of this: there, snapshots are taken. */
  readonly pauseEvery: number;
  /** Lets other events in: after much was applied. */
  readonly yieldTo: (callback: () => void) => void;
}

/**
 * What is applied before other events are let in, at most: an entry of some hundred commands takes a machine about half a
 * millisecond. What comes of the first entry leaves before the next is applied; applied in one go, hundreds of commands
 * become one entry again, and members work in turns instead of side by side.
 */
const BYTES_PER_TURN = 16 * 1024;
const ENTRIES_PER_TURN = 512;

/**
 * The only place where the core meets disk and machine: send, persist, apply, advance.
 *
 * Inputs only change the core; a turn at the end of the microtasks of now takes its output. So all messages that came in
 * one frame, and all commands of one turn of the loop, are answered with one output.
 */
export class Replica {
  readonly #options: ReplicaOptions;
  readonly #writer: LogWriter;
  /** Committed, and not applied yet, because a snapshot is being restored or other events were let in. */
  #backlog: Entry[] = [];
  #reads: ConfirmedRead[] = [];
  #isTurnDue = false;
  #isRestoring = false;
  /** Other events are let in before more is applied. */
  #isYielding = false;
  /** Followers are told how far is committed by the next output, … */
  #tellsCommit = false;
  /** … or by one after other events were let in. */
  #willTellCommit = false;
  #isOver = false;
  #commit: LogIndex;
  #applied: LogIndex;

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.#applied = options.applier.applied.index;
    this.#commit = this.#applied;
    this.#writer = new LogWriter({
      log: options.log,
      onPersisted: (token) => this.#input((raft) => raft.persisted(token)),
      onFailed: (error) => this.fail(error),
    });
  }

  get status(): Status {
    return this.#options.raft.status;
  }

  /** The highest index that this replica has seen committed. */
  get commit(): LogIndex {
    return this.#commit;
  }

  get applied(): LogIndex {
    return this.#applied;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get isBusyWithSnapshot(): boolean {
    return this.#writer.isBusyWithSnapshot || this.#isRestoring;
  }

  step(message: Message): void {
    this.#input((raft) => raft.step(message));
  }

  tick(): void {
    const { raft } = this.#options;
    if (this.#isOver) return;
    const wasFollowing = raft.status.role === 'follower';
    try {
      raft.tick();
    } catch (thrown) {
      this.fail(toError(thrown));
    }
    // A follower that goes on following has nothing to say: with many idle groups that is most of what ticks do.
    if (!(wasFollowing && raft.status.role === 'follower')) this.poke();
  }

  /** To be called in `beforeOutput`, or followed by a turn. */
  propose(commands: readonly Uint8Array[]): ProposeResult {
    return this.#ask((raft) => raft.propose(commands));
  }

  proposeConfiguration(configuration: Configuration): ConfigurationResult {
    return this.#ask((raft) => raft.proposeConfiguration(configuration));
  }

  requestRead(context: number): ReadResult {
    return this.#ask((raft) => raft.requestRead(context));
  }

  transferLeadership(to: MemberId): TransferResult {
    return this.#ask((raft) => raft.transferLeadership(to));
  }

  /** Offers committed entries of others; false when they are of no use. */
  catchUp(range: CommittedRange): boolean {
    return this.#offer((raft) => raft.catchUp(range));
  }

  /** Offers a complete snapshot; false when it is of no use, and still the caller's to discard. */
  installSnapshot(stage: SnapshotStage, term: Term): boolean {
    if (this.isBusyWithSnapshot || !this.#offer((raft) => raft.installSnapshot(stage.meta, term)))
      return false;
    this.#writer.stage(stage);
    return true;
  }

  snapshotAt(index: LogIndex): SnapshotMeta | undefined {
    return this.#options.raft.snapshotAt(index);
  }

  compacted(upTo: LogIndex): void {
    this.#input((raft) => raft.compacted(upTo));
  }

  reportUnreachable(member: MemberId): void {
    this.#input((raft) => raft.reportUnreachable(member));
  }

  /** A turn at the end of the microtasks of now. */
  poke(): void {
    if (this.#isTurnDue || this.#isOver) return;
    this.#isTurnDue = true;
    queueMicrotask(() => this.#turn());
  }

  /** Nothing happens in it from here on. */
  stop(): void {
    this.#isOver = true;
  }

  fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.observer.onFailed(error);
  }

  #input(change: (raft: Raft) => void): void {
    if (this.#isOver) return;
    try {
      change(this.#options.raft);
    } catch (thrown) {
      this.fail(toError(thrown));
    }
    this.poke();
  }

  /** Unlike with what is asked, there is nobody above who could act on what the core throws. */
  #offer(change: (raft: Raft) => boolean): boolean {
    let isTaken = false;
    this.#input((raft) => {
      isTaken = change(raft);
    });
    return isTaken;
  }

  #ask<T>(question: (raft: Raft) => T): T {
    try {
      return question(this.#options.raft);
    } finally {
      this.poke();
    }
  }

  #turn(): void {
    if (this.#isOver) return;
    try {
      this.#options.observer.beforeOutput();
      // Until here, so that what is asked before the output needs no further turn.
      this.#isTurnDue = false;
      const output = this.#options.raft.takeOutput({ withholdsCommit: !this.#tellsCommit });
      this.#tellsCommit = false;
      this.#take(output);
      // What others wait for goes first: messages leave with the microtasks of now, and a log in memory is written in them.
      if (output.messages.length > 0 || output.persist !== undefined) this.#yield();
      this.#apply();
      this.#answerReads();
      if (output.isCommitWithheld) this.#tellCommitSoon();
    } catch (thrown) {
      this.fail(toError(thrown));
    }
  }

  #take(output: Output): void {
    const { observer } = this.#options;
    for (const message of output.messages) observer.send(message);
    const last = output.committed.at(-1);
    if (last !== undefined) this.#commit = last.index;
    if (output.persist !== undefined) this.#writer.write(output.persist, this.#commit);
    if (output.restore !== undefined) this.#restore(output.restore);
    for (const entry of output.committed) this.#backlog.push(entry);
    if (output.leadership !== undefined) observer.onLeadership(output.leadership);
    if (output.configuration !== undefined) observer.onConfiguration(output.configuration);
    if (output.catchUp !== undefined) observer.onCatchUp(output.catchUp);
    for (const read of output.reads) this.#reads.push(read);
    if (output.refusedReads.length > 0) observer.onRefusedReads(output.refusedReads);
  }

  #apply(): void {
    if (this.#isRestoring || this.#isYielding || this.#backlog.length === 0) return;
    const { raft, applier, observer } = this.#options;
    const entries = this.#nextEntries();
    applier.apply(entries);
    this.#applied = applier.applied.index;
    raft.appliedTo(this.#applied);
    observer.onApplied(this.#applied);
    // What was held back until this was applied may follow now.
    if (this.#backlog.length > 0) this.#yield();
    this.poke();
  }

  /** Takes what is applied at once from the backlog. */
  #nextEntries(): readonly Entry[] {
    const { pauseEvery } = this.#options;
    const untilPause = pauseEvery - (this.#applied % pauseEvery);
    const most = Math.min(this.#backlog.length, ENTRIES_PER_TURN, untilPause);
    let count = 0;
    for (let bytes = 0; count < most && bytes < BYTES_PER_TURN; count++)
      bytes += this.#backlog[count]?.data.length ?? 0;
    const entries = count === this.#backlog.length ? this.#backlog : this.#backlog.slice(0, count);
    this.#backlog = count === this.#backlog.length ? [] : this.#backlog.slice(count);
    return entries;
  }

  /**
   * Whoever waits for what was just committed often has the next command: followers are told how far is committed with that,
   * or, where none has come when other events were let in, without.
   */
  #tellCommitSoon(): void {
    if (this.#willTellCommit) return;
    this.#willTellCommit = true;
    this.#options.yieldTo(() => {
      this.#willTellCommit = false;
      this.#tellsCommit = true;
      this.poke();
    });
  }

  /** Applies what is left once other events were let in. */
  #yield(): void {
    if (this.#isYielding || this.#backlog.length === 0) return;
    this.#isYielding = true;
    this.#options.yieldTo(() => {
      this.#isYielding = false;
      this.poke();
    });
  }

  #restore(meta: SnapshotMeta): void {
    this.#isRestoring = true;
    // What was not applied by now is in the snapshot.
    this.#backlog = [];
    this.#options.restore(meta).then(
      () => this.#restored(meta),
      (thrown) => this.fail(toError(thrown)),
    );
  }

  #restored(meta: SnapshotMeta): void {
    if (this.#isOver) return;
    this.#isRestoring = false;
    this.#applied = meta.index;
    if (this.#commit < meta.index) this.#commit = meta.index;
    this.#input((raft) => raft.appliedTo(meta.index));
    this.#options.observer.onRestored(meta.index);
    this.#options.observer.onApplied(meta.index);
  }

  #answerReads(): void {
    if (this.#reads.length === 0) return;
    const ready = this.#reads.filter(({ index }) => index <= this.#applied);
    if (ready.length === 0) return;
    this.#reads = this.#reads.filter(({ index }) => index > this.#applied);
    this.#options.observer.onReads(ready.map(({ context }) => context));
  }
}
