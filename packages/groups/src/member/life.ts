import { createLog, type Runtime } from '@mosaik/primitives';
import { Holds } from '../catch-up/holds.ts';
import { Puller } from '../catch-up/puller.ts';
import { CatchUpServer } from '../catch-up/server.ts';
import { Proposals } from '../driver/proposals.ts';
import { Replica } from '../driver/replica.ts';
import { type Applier, type ApplyObserver, createApplier } from '../machine/applier.ts';
import type { LeadershipPreference, StateMachine } from '../machine/machine.ts';
import { MembershipManager } from '../membership/manager.ts';
import { type ConsensusSettings, type GroupsTestOptions, ticksOf } from '../options.ts';
import { createRaftWith } from '../raft/create.ts';
import type { Message } from '../raft/messages.ts';
import type { CatchUpNeed, ConfigurationInForce, Leadership, Preference, StoredState } from '../raft/raft.ts';
import type { LogIndex, MemberId } from '../raft/types.ts';
import type { History } from '../wire/history.ts';
import type { GroupMessage } from '../wire/messages.ts';
import { beginHistory, type OpenedLog, restoreFrom } from './log-book.ts';
import type { Peers } from './peers.ts';
import { Snapshots } from './snapshots.ts';

const log = createLog('groups:member');

/** What a life needs of its member; called synchronously. */
export interface LifeHost {
  readonly runtime: Runtime;
  readonly peers: Peers;
  readonly settings: ConsensusSettings;
  readonly machine: StateMachine<unknown, unknown, unknown, unknown>;
  readonly isLeaving: () => boolean;
  readonly rules: GroupsTestOptions['rules'];
  readonly watchCore: GroupsTestOptions['watchCore'];
  readonly applyObserver: ApplyObserver<unknown>;
  send(to: MemberId, message: GroupMessage): boolean;
  /** Strong reads that wait are asked for. */
  beforeOutput(): void;
  onLeadership(leadership: Leadership): void;
  onConfiguration(configuration: ConfigurationInForce): void;
  onApplied(index: LogIndex): void;
  onRestored(): void;
  onReads(contexts: readonly number[]): void;
  onRefusedReads(contexts: readonly number[]): void;
  /** Something of the history is known to be committed, for the first time. */
  onEstablished(): void;
  onFailed(error: Error): void;
}

/** What works in a life that has a history. */
export interface Works {
  readonly history: History;
  readonly replica: Replica;
  readonly applier: Applier<unknown, unknown, unknown>;
  readonly proposals: Proposals;
  readonly puller: Puller;
  readonly server: CatchUpServer;
  readonly manager: MembershipManager;
  readonly snapshots: Snapshots;
}

/**
 * One life of a member's log: opened, perhaps without a history at first, and closed.
 *
 *     new ─ found, adopt ─▶ working ─▶ closed
 *     recovered ─────────▶ working
 */
export class Life {
  readonly opened: OpenedLog;
  readonly preference: Preference;
  readonly #host: LifeHost;
  readonly #reluctance: number;
  #works: Works | undefined;
  #isBeginning = false;
  #isClosed = false;
  #isEstablished: boolean;

  constructor(host: LifeHost, opened: OpenedLog) {
    this.#host = host;
    this.opened = opened;
    this.#isEstablished = opened.isEstablished;
    const { leadership = 'normal' } = host.machine;
    this.preference = preferenceOf(leadership);
    this.#reluctance = typeof leadership === 'object' ? leadership.reluctant : 1;
  }

  get member(): MemberId {
    return this.opened.member;
  }

  /** Undefined while there is no history. */
  get works(): Works | undefined {
    return this.#works;
  }

  get history(): History | undefined {
    return this.#works?.history;
  }

  get isEstablished(): boolean {
    return this.#isEstablished;
  }

  /** A history is being written into the log, or the state restored from it. */
  get isBeginning(): boolean {
    return this.#isBeginning;
  }

  get isLeader(): boolean {
    return this.#works?.replica.status.role === 'leader';
  }

  /** Goes on with what the log holds, if it holds anything. */
  async recover(): Promise<void> {
    const { history, stored } = this.opened;
    if (history !== undefined) await this.#work(history, stored);
  }

  /** Begins to be a member of a history: that of others, or one that these voters found. */
  async begin(history: History, voters: readonly MemberId[]): Promise<void> {
    if (this.#isBeginning || this.#works !== undefined || this.#isClosed) return;
    this.#isBeginning = true;
    try {
      await this.#work(history, await beginHistory(this.opened.log, history, voters));
      if (voters.includes(this.member)) this.hurry();
    } finally {
      this.#isBeginning = false;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const works = this.#works;
    works?.replica.stop();
    works?.puller.close();
    await works?.snapshots.idle();
    await works?.server.close();
    await this.opened.log.close();
  }

  /**
   * Lets the time pass that a member waits for a leader, or a candidate for votes: there is no leader in a group that was just
   * founded, whose process is gone does not lead, and votes that were split do not come. It only hurries: members that still
   * hear of a leader refuse this one their pre-votes.
   */
  hurry(): void {
    const { settings } = this.#host;
    const ticksMax = 2 * ticksOf(settings, settings.electionTimeoutMs) + 2;
    const replica = this.#works?.replica;
    const before = replica?.status.role;
    if (before !== 'follower' && before !== 'candidate') return;
    for (let tick = 0; tick < ticksMax && replica?.status.role === before; tick++) replica.tick();
  }

  async #work(history: History, stored: StoredState): Promise<void> {
    const { machine, settings, runtime } = this.#host;
    const applier = createApplier({
      machine,
      runtime,
      observer: this.#applyObserver(),
      rules: this.#host.rules?.applier,
      guard: settings.guardDeterminism,
      hashEvery: settings.compareStateEvery > 0 ? settings.compareStateEvery : undefined,
    });
    await restoreFrom(this.opened.log, applier);
    if (this.#isClosed) return;
    this.#works = this.#build(history, stored, applier);
    log('%s: history %s of %d', this.member, history.id, history.foundedAtMs);
    this.#works.replica.poke();
  }

  /** What the member hears of applying; not of a state that is still hashed when this life is over, and another history begins. */
  #applyObserver(): ApplyObserver<unknown> {
    const { applyObserver } = this.#host;
    return {
      ...applyObserver,
      hashed: (index, hash) => {
        if (!this.#isClosed) applyObserver.hashed?.(index, hash);
      },
    };
  }

  #build(history: History, stored: StoredState, applier: Works['applier']): Works {
    const { runtime, peers, settings } = this.#host;
    const opened = this.opened.log;
    const replica = this.#createReplica(history, stored, applier);
    const holds = new Holds(runtime);
    const snapshots = new Snapshots({
      log: opened,
      history,
      replica,
      applier,
      settings,
      holds,
      fail: (error) => replica.fail(error),
    });
    const isOurs = (id: MemberId): boolean => peers.of(id)?.status.history?.id === history.id;
    const puller = new Puller({
      runtime,
      log: opened,
      replica,
      members: () =>
        peers
          .all()
          .map(({ status }) => status.member)
          .filter(isOurs),
      send: (to, message) => this.#host.send(to, message),
      lockSnapshots: () => snapshots.lock(),
    });
    const manager = new MembershipManager({
      runtime,
      tickMs: settings.tickMs,
      self: this.member,
      replica,
      peers,
      isOurs,
      isLeaving: () => this.#host.isLeaving(),
      preference: this.preference,
      rules: {
        maxVoters: settings.maxVoters,
        heardWithinTicks: 2 * ticksOf(settings, settings.heartbeatMs) + 1,
        demoteAfterTicks: ticksOf(settings, settings.demoteAfterMs),
        forgetAfterTicks: ticksOf(settings, settings.forgetAfterMs),
        // Half of what costs the vote again, so that it is not lost and won in turns.
        promoteWithin: Math.min(256, Math.floor(settings.demoteBehindEntries / 2)),
        demoteBeyond: settings.demoteBehindEntries,
      },
    });
    const proposals = new Proposals({
      propose: (entries) => replica.propose(entries),
      wallNow: () => runtime.wallNow(),
      applied: () => replica.applied,
    });
    const server = new CatchUpServer({ runtime, log: opened, replica, holds });
    return { history, replica, applier, proposals, puller, server, manager, snapshots };
  }

  #createReplica(history: History, stored: StoredState, applier: Works['applier']): Replica {
    const { settings, runtime } = this.#host;
    const heartbeatTicks = ticksOf(settings, settings.heartbeatMs);
    const raft = createRaftWith({
      rules: this.#host.rules?.raft ?? {},
      id: this.member,
      random: () => runtime.random(),
      stored,
      preference: this.preference,
      reluctance: this.#reluctance,
      recordsFirstVoters: true,
      heartbeatTicks,
      retainedBytesMax: settings.retainBytes,
      electionTicks: Math.max(heartbeatTicks + 1, ticksOf(settings, settings.electionTimeoutMs)),
    });
    const host = this.#host;
    return new Replica({
      raft: host.watchCore?.(raft, { history: history.id, stored }) ?? raft,
      log: this.opened.log,
      applier,
      pauseEvery: settings.snapshotEvery,
      yieldTo: (callback) => runtime.yieldTo(callback),
      restore: () => restoreFrom(this.opened.log, applier),
      observer: {
        send: (message) => this.#send(message),
        beforeOutput: () => {
          if (this.isLeader) this.#works?.proposals.flush();
          host.beforeOutput();
        },
        onLeadership: (leadership) => this.#onLeadership(leadership),
        onConfiguration: (configuration) => host.onConfiguration(configuration),
        onCatchUp: (need) => this.#onCatchUp(need),
        onApplied: (index) => this.#onApplied(index),
        onRestored: (index) => {
          this.#works?.snapshots.restored(index);
          host.onRestored();
        },
        onReads: (contexts) => host.onReads(contexts),
        onRefusedReads: (contexts) => host.onRefusedReads(contexts),
        onFailed: (error) => host.onFailed(error),
      },
    });
  }

  #send(message: Message): void {
    this.#host.send(message.to, { kind: 'raft', message });
  }

  #onLeadership(leadership: Leadership): void {
    if (leadership.role !== 'leader') this.#works?.proposals.clear();
    this.#host.onLeadership(leadership);
  }

  #onCatchUp(need: CatchUpNeed): void {
    void this.#works?.puller.pull(need);
  }

  #onApplied(index: LogIndex): void {
    if (!this.#isEstablished && index > 0) {
      this.#isEstablished = true;
      this.#host.onEstablished();
    }
    this.#host.onApplied(index);
    this.#works?.snapshots.applied(index);
  }
}

function preferenceOf(leadership: LeadershipPreference): Preference {
  return typeof leadership === 'object' ? 'reluctant' : leadership;
}
