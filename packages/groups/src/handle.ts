import {
  abortable,
  type Condition,
  createWatch,
  type GroupId,
  type PeerId,
  shortId,
  type WaitOptions,
  type Watch,
  type WatchSource,
  waitFor,
} from '@mosaik/primitives';
import { Commands } from './client/commands.ts';
import {
  GroupClosedError,
  GroupFailedError,
  GroupOverloadedError,
  LeadershipError,
  outcomesOfUnsent,
} from './errors.ts';
import type {
  BondView,
  Consistency,
  Executed,
  Group,
  GroupConditions,
  GroupReason,
  GroupStats,
  IndexRange,
  LogView,
  MemberRole,
  Queried,
  Reverted,
} from './group.ts';
import { createApplier } from './machine/applier.ts';
import { explain } from './member/explain.ts';
import type { Member } from './member/member.ts';
import type { Configuration, LogIndex, MemberId, Term } from './raft/types.ts';
import type { Durability } from './storage/storage.ts';
import { memberOfPeer, peerOf } from './wire/member.ts';

const NOBODY: Configuration = { voters: [], learners: [] };

interface HandleOptions {
  readonly member: Member;
  readonly durability: Durability;
  readonly rtt: (peer: PeerId) => number | undefined;
  /** Ends what serves the member. */
  readonly onClosed: () => void;
}

/** The handle on a member: gives types to what the worker does in bytes. */
export class GroupHandle<Command, Result, Query, Answer> implements Group<Command, Result, Query, Answer> {
  readonly durability: Durability;
  readonly #member: Member;
  readonly #options: HandleOptions;
  readonly #commands: Commands;
  readonly #bonds: WatchSource<readonly BondView[]> = createWatch<readonly BondView[]>([]);
  readonly #log: WatchSource<LogView>;
  #closing: Promise<void> | undefined;
  /** Fires when it is not to be waited for the others any more. */
  readonly #hurry = new AbortController();

  constructor(options: HandleOptions) {
    const { member } = options;
    this.#member = member;
    this.#options = options;
    this.durability = options.durability;
    this.#commands = new Commands({
      session: member.session,
      codec: member.machine.codecs.command,
      maxPending: member.settings.maxPendingCommands,
      maxBytes: member.settings.maxCommandBytes,
      requireOpen: (unsent) => this.#requireOpen(unsent),
    });
    this.#log = createWatch(this.#logView(), { equals: isSameLog });
    member.changes.subscribe(() => this.#refresh());
  }

  get id(): GroupId {
    return this.#member.id;
  }

  get configuration(): Configuration {
    return this.#member.life?.works?.replica.status.configuration.configuration ?? NOBODY;
  }

  execute(command: Command, options?: WaitOptions): Promise<Executed<Result>> {
    return this.#commands.runOne(command, options) as Promise<Executed<Result>>;
  }

  async executeMany(
    commands: readonly Command[],
    options?: WaitOptions,
  ): Promise<readonly Executed<Result>[]> {
    return (await this.#commands.run(commands, options)) as readonly Executed<Result>[];
  }

  async feed(command: Command, options?: WaitOptions): Promise<LogIndex> {
    return (await this.execute(command, options)).index;
  }

  async feedMany(commands: readonly Command[], options?: WaitOptions): Promise<IndexRange> {
    const executed = await this.executeMany(commands, options);
    const [first, last] = [executed[0], executed.at(-1)];
    const { applied } = this.#logView();
    return { from: first?.index ?? applied, to: last?.index ?? applied };
  }

  async query(query: Query, consistency: Consistency, options: WaitOptions = {}): Promise<Queried<Answer>> {
    this.#requireOpen([]);
    if (consistency === 'strong') {
      const { reads, settings } = this.#member;
      if (reads.length >= settings.maxPendingCommands)
        throw new GroupOverloadedError(`${reads.length} strong queries wait already (maxPendingCommands)`);
      await this.#untilFresh(options);
    }
    const works = this.#member.life?.works;
    // Without a history there is no state but the empty one.
    const applier = works?.applier ?? createApplier({ machine: this.#member.machine });
    return { result: applier.query(query) as Answer, at: applier.applied.index };
  }

  when(): GroupConditions {
    const member = this.#member;
    const condition = (text: string, check: () => boolean): Condition =>
      member.changes.condition(text, check, () => this.#end([]));
    const { leaderChanges } = member;
    return {
      isLeader: () => condition('this member leads', () => member.isLeader),
      isFollower: () =>
        condition('this member follows', () => member.leader !== undefined && !member.isLeader),
      leaderElected: () => condition('a leader is elected', () => member.leader !== undefined),
      leaderChanged: () => condition('leadership has changed', () => member.leaderChanges > leaderChanges),
      leaderIs: (peer) =>
        condition(
          `${shortId(peer)} leads`,
          () => member.leader !== undefined && peerOf(member.leader) === peer,
        ),
      online: () => condition('the group is online', () => member.isOnline),
      offline: () => condition('the group is offline', () => !member.isOnline),
      failed: () => condition('this member has failed', () => member.failure !== undefined),
      reverted: ({ after = 0 } = {}) =>
        condition(`more than ${after} histories were reverted`, () => member.reversions.length > after),
      committed: () => ({
        reaches: (position) => {
          const index = typeof position === 'number' ? position : position.to;
          const applied = (): number => member.life?.works?.replica.applied ?? 0;
          return condition(`entry ${index} is applied`, () => applied() >= index);
        },
      }),
    };
  }

  bonds(): Watch<readonly BondView[]> {
    return this.#bonds;
  }

  log(): Watch<LogView> {
    return this.#log;
  }

  why(): GroupReason {
    return explain(this.#member);
  }

  reverted(): readonly Reverted<Command>[] {
    return this.#member.reversions as readonly Reverted<Command>[];
  }

  get stats(): GroupStats {
    const member = this.#member;
    const works = member.life?.works;
    const { voters, learners } = this.configuration;
    return {
      member: member.life?.member,
      role: this.#roleOf(member.life?.member),
      leader: member.leader === undefined ? undefined : peerOf(member.leader),
      term: this.#logView().term,
      bonds: member.peers.size,
      voters,
      learners,
      log: this.#logView(),
      pendingCommands: member.session.length,
      pendingReads: member.reads.length,
      leaderChanges: member.leaderChanges,
      snapshotsTaken: works?.snapshots.taken ?? 0,
      snapshotsPulled: works?.puller.pulledSnapshots ?? 0,
      snapshotChunksServed: works?.server.servedChunks ?? 0,
      entriesPulled: works?.puller.pulledEntries ?? 0,
      isResting: member.quiescence.isResting,
      divergence: member.divergence,
      damagedLog: member.damage.where,
    };
  }

  async transferLeadership(to?: PeerId, options: WaitOptions = {}): Promise<void> {
    const member = this.#member;
    const works = member.life?.works;
    if (works === undefined || !member.isLeader) throw new LeadershipError('this member does not lead');
    if (to === undefined) {
      if (!works.manager.handOver()) throw new LeadershipError('nobody else can lead now');
    } else {
      const heir = memberOfPeer(this.configuration.voters, to);
      if (heir === undefined) throw new LeadershipError(`${shortId(to)} is no voter`);
      const result = works.replica.transferLeadership(heir);
      if (!result.ok) throw new LeadershipError(result.reason);
    }
    await this.#untilHandedOver(options);
  }

  /** The core gives up on an heir after an election timeout; one that stood in time may take another to win. */
  async #untilHandedOver({ signal }: WaitOptions): Promise<void> {
    const { runtime, settings } = this.#member;
    const limit = new AbortController();
    const timer = runtime.setTimer(2 * settings.electionTimeoutMs, () => limit.abort());
    const either = signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]);
    try {
      await this.when().isLeader().unmet().wait({ signal: either });
    } catch (thrown) {
      if (limit.signal.aborted && signal?.aborted !== true)
        throw new LeadershipError('the other did not take over');
      throw thrown;
    } finally {
      timer.cancel();
    }
  }

  async close({ signal }: WaitOptions = {}): Promise<void> {
    const onAbort = (): void => this.#hurry.abort();
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#closing ??= this.#close();
    try {
      await this.#closing;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#commands.close((outcomes) => new GroupClosedError('the group was closed', outcomes));
    await this.#member.leave(this.#hurry.signal);
    this.#options.onClosed();
    this.#bonds.close();
    this.#log.close();
  }

  #requireOpen(unsent: readonly unknown[]): void {
    const end = this.#end(unsent);
    if (end !== undefined) throw end;
    if (this.#closing !== undefined)
      throw new GroupClosedError('the group is closed', outcomesOfUnsent(unsent));
  }

  /** Why nothing more is done here, once that is so. */
  #end(unsent: readonly unknown[]): GroupFailedError | GroupClosedError | undefined {
    const { state, failure } = this.#member;
    if (failure !== undefined) return new GroupFailedError(failure, outcomesOfUnsent(unsent));
    return state === 'closed'
      ? new GroupClosedError('the group is closed', outcomesOfUnsent(unsent))
      : undefined;
  }

  #untilFresh({ signal }: WaitOptions): Promise<void> {
    const { reads, changes } = this.#member;
    const fresh = waitFor<void>('a strong query', signal, (resolve, reject) => {
      const read = reads.begin(resolve);
      const unsubscribe = changes.subscribe(() => {
        try {
          this.#requireOpen([]);
        } catch (thrown) {
          reject(thrown as Error);
        }
      });
      this.#member.askReads();
      return () => {
        unsubscribe();
        read.cancel();
      };
    });
    return abortable(fresh, 'a strong query', { signal });
  }

  #refresh(): void {
    if (this.#member.failure !== undefined) {
      const { failure } = this.#member;
      this.#commands.close((outcomes) => new GroupFailedError(failure, outcomes));
    }
    if (this.#bonds.isClosed) return;
    this.#bonds.set(this.#bondViews());
    this.#log.set(this.#logView());
  }

  #bondViews(): readonly BondView[] {
    return this.#member.peers.all().map(({ bond, status }) => ({
      peer: bond.peer,
      member: status.member,
      direction: bond.direction,
      bondedAtMs: bond.bondedAtMs,
      rttMs: this.#options.rtt(bond.peer),
      role: this.#roleOf(status.member),
      isLeaving: status.isLeaving,
    }));
  }

  #roleOf(member: MemberId | undefined): MemberRole {
    if (member === undefined) return 'new';
    if (member === this.#member.leader) return 'leader';
    if (this.configuration.voters.includes(member)) return 'voter';
    return this.configuration.learners.includes(member) ? 'learner' : 'new';
  }

  #logView(): LogView {
    const works = this.#member.life?.works;
    if (works === undefined) return EMPTY_LOG;
    const { term, lastIndex, commit } = works.replica.status;
    const snapshot = works.snapshots.lastIndex as LogIndex;
    return { term, lastIndex, committed: commit, applied: works.replica.applied, snapshot };
  }
}

const ZERO = 0 as LogIndex;
const EMPTY_LOG: LogView = {
  term: 0 as Term,
  lastIndex: ZERO,
  committed: ZERO,
  applied: ZERO,
  snapshot: ZERO,
};

function isSameLog(a: LogView, b: LogView): boolean {
  return (Object.keys(a) as (keyof LogView)[]).every((field) => a[field] === b[field]);
}
