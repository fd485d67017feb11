import { createRaftWith } from '../../../src/raft/create.ts';
import type { Message } from '../../../src/raft/messages.ts';
import type { CatchUpNeed, Output, Persist, Raft, RaftOptions } from '../../../src/raft/raft.ts';
import type { Rules } from '../../../src/raft/rules.ts';
import type { Entry, LogIndex, MemberId } from '../../../src/raft/types.ts';
import { compact, type Disk, storedState, writeDisk, writeLog } from './disk.ts';
import { entryAt, judgeVotes, type LogCopy, type MachineState, type Oracle } from './oracle.ts';
import type { Random } from './random.ts';
import type { Schedule } from './schedule.ts';

export interface Speeds {
  /** Longest time of an fsync. */
  fsync: number;
  /** Longest time between committed and applied. */
  apply: number;
  /** How often a member ticks. */
  tick: number;
}

/** What happened in a run; a run in which nothing happens proves nothing. */
export interface Counts {
  elections: number;
  truncations: number;
  catchUps: number;
  snapshots: number;
  reads: number;
  writes: number;
  configurations: number;
  transfers: number;
  crashes: number;
}

/** When a crash or a cut hurts most: something was just promised, or is not known to others yet. */
export type Moment = 'voted' | 'elected' | 'committed' | 'any';

export interface MemberOptions {
  readonly id: MemberId;
  readonly schedule: Schedule;
  readonly random: Random;
  readonly oracle: Oracle;
  readonly speeds: Speeds;
  readonly counts: Counts;
  readonly tuning: Partial<RaftOptions>;
  readonly rules: Partial<Rules>;
  readonly disk: Disk;
  send(message: Message): void;
  /** The process ended, and what it had sent with it. */
  onCrash(member: SimMember): void;
  /** Something was done that a fault may follow at once. */
  onMoment(member: SimMember, moment: Moment): void;
  /** The member lacks committed entries. */
  onNeed(member: SimMember, need: CatchUpNeed): void;
}

interface Pending {
  readonly begun: number;
  readonly index: number;
  readonly term: number;
}

/** A member with a disk that loses what it was not done writing, a machine, and clients. */
export class SimMember {
  readonly id: MemberId;
  readonly disk: Disk;
  raft: Raft | undefined;
  machine: MachineState = { index: 0, chain: 0 };
  log: LogCopy = { base: { index: 0 as LogIndex, term: 0 as never }, entries: [] };
  isCatchingUp = false;
  /** The disk does nothing before. */
  diskFreeAt = 0;
  #isAsleep = false;
  #missed: Message[] = [];
  #life = 0;
  #commit = 0;
  #writing: Persist[] = [];
  #applying: Entry[] = [];
  #isApplying = false;
  #isFlushing = false;
  #writes: Pending[] = [];
  readonly #reads = new Map<number, number>();
  #confirmed: { readonly index: number; readonly begun: number }[] = [];
  #nextContext = 1;
  readonly #options: MemberOptions;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.id = options.id;
    this.disk = options.disk;
    this.start();
    this.#tick();
  }

  get isLeader(): boolean {
    return this.raft?.status.role === 'leader';
  }

  start(): void {
    const { id, random, tuning, rules } = this.#options;
    const { disk } = this;
    this.#life++;
    this.raft = createRaftWith({ ...tuning, id, random: random.next, rules, stored: storedState(disk) });
    this.machine = disk.snapshot.state;
    this.log = { base: disk.log.base, entries: [...disk.log.entries] };
    this.#commit = disk.snapshot.meta.index;
    this.isCatchingUp = false;
  }

  /** Loses what is not durable: of the writes under way, some may have reached the disk, the oldest first. */
  crash(): void {
    const { random, counts } = this.#options;
    const lucky = random.int(0, this.#writing.length);
    for (const persist of this.#writing.slice(0, random.chance(0.5) ? 0 : lucky))
      writeDisk(this.disk, persist);
    this.raft = undefined;
    this.#isAsleep = false;
    this.#missed = [];
    this.#life++;
    this.#writing = [];
    this.#applying = [];
    this.#isApplying = false;
    this.#isFlushing = false;
    this.#writes = [];
    this.#reads.clear();
    this.#confirmed = [];
    counts.crashes++;
    if (random.chance(0.5)) this.#options.onCrash(this);
  }

  receive(message: Message): void {
    if (this.#isAsleep) this.#missed.push(message);
    else this.input((raft) => raft.step(message));
  }

  /** The process stands still, as one does that is swapped out; what comes meanwhile waits, and clients are first. */
  sleep(duration: number): void {
    if (this.#isAsleep || !this.raft) return;
    this.#isAsleep = true;
    this.later(duration, () => {
      const missed = this.#missed;
      this.#missed = [];
      this.#isAsleep = false;
      this.read();
      for (const message of missed) this.receive(message);
    });
  }

  /** Hands the core an input, and does what comes of it. */
  input(act: (raft: Raft) => void): void {
    if (!this.raft) return;
    act(this.raft);
    const withholdsCommit = this.#options.random.chance(0.3);
    const output = this.raft.takeOutput({ withholdsCommit });
    if (output.isCommitWithheld) this.later(this.#options.random.int(0, 3), () => this.input(() => {}));
    const known = this.#commit;
    this.#handle(this.raft, output);
    const moment = this.#momentOf(output, this.#commit > known);
    this.#options.onMoment(this, moment);
  }

  write(data: Uint8Array): void {
    if (this.#isAsleep) return;
    const begun = this.#options.oracle.floor();
    this.input((raft) => {
      const proposed = raft.propose([data]);
      if (proposed.ok) this.#writes.push({ begun, index: proposed.index, term: proposed.term });
    });
  }

  read(): void {
    if (this.#isAsleep) return;
    const context = this.#nextContext++;
    this.#reads.set(context, this.#options.oracle.readFloor());
    this.input((raft) => raft.requestRead(context));
  }

  /** Takes a snapshot of the machine, and lets go of the log up to it. */
  snapshot(): void {
    const { raft } = this;
    const meta = raft?.snapshotAt(raft.status.applied);
    if (!raft || !meta || meta.index <= this.disk.snapshot.meta.index || meta.index !== this.machine.index)
      return;
    compact(this.disk, { meta, state: this.machine });
    raft.compacted(meta.index);
  }

  /** Runs what a driver does later, unless the process has ended by then. */
  later(delay: number, act: () => unknown): void {
    const life = this.#life;
    this.#options.schedule.after(delay, () => {
      if (life === this.#life) act();
    });
  }

  #momentOf({ messages, leadership }: Output, isCommitNews: boolean): Moment {
    if (leadership?.role === 'leader') return 'elected';
    if (messages.some((message) => message.type === 'voteResponse' && message.granted)) return 'voted';
    return isCommitNews && this.isLeader ? 'committed' : 'any';
  }

  #tick(): void {
    const { schedule, speeds } = this.#options;
    schedule.after(speeds.tick, () => {
      if (!this.#isAsleep) this.input((raft) => raft.tick());
      this.#tick();
    });
  }

  #handle(raft: Raft, output: Output): void {
    if (output.persist) this.#persist(raft, output.persist);
    this.#check(raft, output);
    for (const message of output.messages) this.#options.send(message);
    if (output.restore) this.#restore(output.restore.index);
    if (output.committed.length > 0) this.#apply(output.committed);
    for (const read of output.reads) this.#confirm(read.context, read.index);
    for (const context of output.refusedReads) this.#reads.delete(context);
    if (output.catchUp) this.#options.onNeed(this, output.catchUp);
  }

  #check(raft: Raft, { leadership, configuration, messages }: Output): void {
    const { oracle, counts } = this.#options;
    judgeVotes(oracle, messages);
    if (leadership?.role === 'leader') {
      counts.elections++;
      oracle.leads(this.id, leadership.term, this.log);
    }
    if (configuration?.isCommitted) counts.configurations++;
    const { commit, term } = raft.status;
    for (let index = this.#commit + 1; index <= commit; index++) {
      const entry = entryAt(this.log, index);
      if (entry) oracle.commits(this.id, entry, term);
    }
    this.#commit = commit;
  }

  #persist(raft: Raft, persist: Persist): void {
    const { counts, oracle } = this.#options;
    if (persist.truncateFrom !== undefined && !persist.snapshot) counts.truncations++;
    writeLog(this.log, persist);
    for (const entry of persist.entries) {
      const before = entryAt(this.log, entry.index - 1);
      oracle.appended(entry, before?.term ?? this.log.base.term);
    }
    this.#writing.push(persist);
    if (!this.#isFlushing) this.#flush(raft);
  }

  /** One fsync at a time, for all the writes that have come by its beginning. */
  #flush(raft: Raft): void {
    const { schedule, random, speeds } = this.#options;
    const last = this.#writing.at(-1);
    this.#isFlushing = last !== undefined;
    if (!last) return;
    const stalled = Math.max(0, this.diskFreeAt - schedule.now);
    this.later(stalled + Math.floor(random.next() * speeds.fsync), () => {
      while (this.#writing.length > 0 && this.#writing[0]!.token <= last.token) {
        writeDisk(this.disk, this.#writing.shift()!);
      }
      this.#flush(raft);
      this.input(() => raft.persisted(last.token));
    });
  }

  #restore(index: number): void {
    const { snapshot } = this.disk;
    this.#options.oracle.restored(this.id, snapshot.meta, snapshot.state);
    this.#options.counts.snapshots++;
    this.#applying = [];
    this.machine = snapshot.state;
    this.#writes = this.#writes.filter((write) => write.index > index);
    this.later(0, () => this.input((raft) => raft.appliedTo(index as LogIndex)));
    this.#answer();
  }

  #apply(entries: readonly Entry[]): void {
    this.#applying.push(...entries);
    if (this.#isApplying) return;
    this.#isApplying = true;
    this.later(Math.floor(this.#options.random.next() * this.#options.speeds.apply), () => {
      this.#isApplying = false;
      const batch = this.#applying;
      this.#applying = [];
      for (const entry of batch) this.machine = this.#options.oracle.applied(this.id, entry, this.machine);
      this.#acknowledge(batch);
      this.#answer();
      if (batch.length > 0) this.input((raft) => raft.appliedTo(batch.at(-1)!.index));
    });
  }

  /** A write is done when what was proposed is what was applied at its place; if it is not, nobody is told anything. */
  #acknowledge(batch: readonly Entry[]): void {
    const { oracle, counts } = this.#options;
    const first = batch[0]?.index ?? 0;
    const rest: Pending[] = [];
    for (const write of this.#writes) {
      const entry = batch[write.index - first];
      if (!entry) {
        if (write.index > this.machine.index) rest.push(write);
      } else if (entry.term === write.term) {
        oracle.completed('write', write.index, write.begun);
        counts.writes++;
      }
    }
    this.#writes = rest;
  }

  #confirm(context: number, index: number): void {
    const begun = this.#reads.get(context);
    if (begun === undefined) return;
    this.#reads.delete(context);
    this.#confirmed.push({ index, begun });
    this.#answer();
  }

  /** Reads see the machine once it has applied their index. */
  #answer(): void {
    const { oracle, counts } = this.#options;
    const rest: { readonly index: number; readonly begun: number }[] = [];
    for (const read of this.#confirmed) {
      if (read.index > this.machine.index) rest.push(read);
      else {
        oracle.completed('read', this.machine.index, read.begun);
        counts.reads++;
      }
    }
    this.#confirmed = rest;
  }
}
