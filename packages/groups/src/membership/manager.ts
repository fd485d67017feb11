import { createLog, type Runtime } from '@mosaik/primitives';
import type { Replica } from '../driver/replica.ts';
import type { Peers } from '../member/peers.ts';
import type { Preference } from '../raft/raft.ts';
import type { Configuration, LogIndex, MemberId } from '../raft/types.ts';
import { peerOf } from '../wire/member.ts';
import { type MembershipRules, type MemberView, planConfiguration } from './plan.ts';

const log = createLog('groups:membership');

interface ManagerOptions {
  readonly runtime: Pick<Runtime, 'now'>;
  /** Of the core. */
  readonly tickMs: number;
  readonly self: MemberId;
  readonly replica: Replica;
  readonly peers: Peers;
  /** Whether a bonded member is of the same history. */
  readonly isOurs: (member: MemberId) => boolean;
  readonly rules: MembershipRules;
  readonly preference: Preference;
  readonly isLeaving: () => boolean;
}

/** What a leader does about who votes. */
export class MembershipManager {
  readonly #options: ManagerOptions;
  /** Members of the configuration that there is no bond with, and since when. */
  readonly #absentSinceMs = new Map<MemberId, number>();
  /** Members that want to leave, and since when that is known here. */
  readonly #leavingSinceMs = new Map<MemberId, number>();

  constructor(options: ManagerOptions) {
    this.#options = options;
  }

  /** Looks whether something should change, and changes it; returns whether to look again soon. */
  review(): boolean {
    const { replica } = this.#options;
    const { status } = replica;
    if (status.role !== 'leader' || !status.isEstablished) {
      this.#absentSinceMs.clear();
      this.#leavingSinceMs.clear();
      return true;
    }
    const { configuration, isCommitted } = status.configuration;
    this.#noteAbsence(configuration);
    if (status.transferee !== undefined || !isCommitted) return true;
    if (this.#wantsToLead()) return this.#adjust(configuration) || this.#isExpecting(configuration);
    this.handOver();
    return true;
  }

  /** Whether a leader has nothing to change about who votes, and time alone will not bring it anything. */
  get isSettled(): boolean {
    const { status } = this.#options.replica;
    const { configuration, isCommitted } = status.configuration;
    const isPending = !status.isEstablished || !isCommitted || status.transferee !== undefined;
    if (status.role !== 'leader' || isPending || !this.#wantsToLead()) return false;
    this.#noteAbsence(configuration);
    const isNothingToDo = this.#plan(configuration) === undefined;
    return isNothingToDo && this.#absentSinceMs.size === 0 && this.#leavingSinceMs.size === 0;
  }

  /** Whether a learner may be fit to vote any moment, or somebody may go. */
  #isExpecting({ voters, learners }: Configuration): boolean {
    if (this.#leavingSinceMs.size > 0) return true;
    if (voters.length >= this.#options.rules.maxVoters) return false;
    return learners.some((id) => this.#options.peers.of(id)?.status.preference === 'normal');
  }

  /** Hands leadership to the voter that is best placed for it; false when there is none. */
  handOver(): boolean {
    const { replica, self, rules } = this.#options;
    const { configuration, followers } = replica.status;
    const heirs = followers
      .filter(
        ({ id, silentTicks }) => id !== self && silentTicks <= rules.heardWithinTicks && this.#isHeir(id),
      )
      .filter(({ id }) => configuration.configuration.voters.includes(id))
      .sort((a, b) => b.match - a.match || (a.id < b.id ? -1 : 1));
    const heir = heirs.find(({ id }) => this.#isNormal(id)) ?? heirs[0];
    if (heir === undefined) {
      // Nobody votes yet that could: the others have to be made voters first.
      this.#adjust(configuration.configuration);
      return false;
    }
    log('handing leadership to %s', heir.id);
    return replica.transferLeadership(heir.id).ok;
  }

  /** Who leads only for want of others does not hand over to one that would do the same: they would do so for ever. */
  #isHeir(id: MemberId): boolean {
    return this.#options.isLeaving() ? this.#mayLead(id) : this.#isNormal(id);
  }

  #wantsToLead(): boolean {
    const { preference, isLeaving, self } = this.#options;
    if (isLeaving()) return false;
    if (preference === 'normal') return true;
    const { configuration } = this.#options.replica.status;
    return !configuration.configuration.voters.some((id) => id !== self && this.#isNormal(id));
  }

  #isNormal(id: MemberId): boolean {
    return this.#mayLead(id) && this.#options.peers.of(id)?.status.preference === 'normal';
  }

  #mayLead(id: MemberId): boolean {
    const status = this.#options.peers.of(id)?.status;
    return status !== undefined && !status.isLeaving && status.preference !== 'observer';
  }

  #plan(configuration: Configuration): Configuration | undefined {
    const { replica, self, rules } = this.#options;
    const members = this.#views(configuration);
    const { lastIndex } = replica.status;
    return planConfiguration({ self, configuration, members, lastIndex }, rules);
  }

  #adjust(configuration: Configuration): boolean {
    const next = this.#plan(configuration);
    if (next === undefined) return false;
    const result = this.#options.replica.proposeConfiguration(next);
    log('voters %j, learners %j: %s', next.voters, next.learners, result.ok ? 'proposed' : result.reason);
    return true;
  }

  #views(configuration: Configuration): MemberView[] {
    const { self, peers, isOurs } = this.#options;
    const ids = new Set<MemberId>([...configuration.voters, ...configuration.learners, self]);
    for (const { status } of peers.all()) if (isOurs(status.member)) ids.add(status.member);
    const { followers } = this.#options.replica.status;
    const progress = new Map(followers.map((follower) => [follower.id, follower]));
    return [...ids].sort().map((id) => (id === self ? this.#ownView() : this.#view(id, progress.get(id))));
  }

  #ownView(): MemberView {
    const { self, preference, isLeaving, replica } = this.#options;
    return {
      id: self,
      isBonded: true,
      isReplaced: false,
      isLeaving: isLeaving(),
      preference,
      absentTicks: 0,
      silentTicks: 0,
      match: replica.status.lastIndex,
      isStreaming: true,
    };
  }

  #view(
    id: MemberId,
    progress: { readonly state: string; readonly match: LogIndex; readonly silentTicks: number } | undefined,
  ): MemberView {
    const { peers, isOurs } = this.#options;
    const bonded = peers.of(id);
    const isBonded = bonded !== undefined && isOurs(id);
    return {
      id,
      isBonded,
      isReplaced: bonded === undefined && peers.get(peerOf(id)) !== undefined,
      isLeaving: this.#mayGo(id),
      preference: bonded?.status.preference ?? 'normal',
      absentTicks: this.#absentTicksOf(id),
      silentTicks: progress?.silentTicks ?? 0,
      match: progress?.match ?? (0 as LogIndex),
      isStreaming: progress?.state === 'replicate',
    };
  }

  /**
   * Who leaves is let go when it shows which of the others can still be heard: all voters that stay have answered since it was
   * known here, or had the time to. One that fell silent right before would be counted on, and together with it the leader
   * would be no quorum.
   */
  #mayGo(id: MemberId): boolean {
    const { runtime, rules, tickMs } = this.#options;
    if (!this.#isToLeave(id)) {
      this.#leavingSinceMs.delete(id);
      return false;
    }
    const nowMs = runtime.now();
    const sinceMs = this.#leavingSinceMs.get(id) ?? nowMs;
    this.#leavingSinceMs.set(id, sinceMs);
    const sinceTicks = (nowMs - sinceMs) / tickMs;
    return sinceTicks > rules.heardWithinTicks || sinceTicks >= this.#heardWithinTicks();
  }

  /** Within how many ticks, at most, all voters that stay were heard; one that was just heard may have been a tick ago. */
  #heardWithinTicks(): number {
    const { self, replica } = this.#options;
    const { configuration, followers } = replica.status;
    const { voters } = configuration.configuration;
    const silent = followers
      .filter(({ id }) => id !== self && voters.includes(id) && !this.#isToLeave(id))
      .map(({ silentTicks }) => silentTicks);
    return 1 + Math.max(0, ...silent);
  }

  #isToLeave(id: MemberId): boolean {
    return this.#options.peers.of(id)?.status.isLeaving === true;
  }

  #noteAbsence({ voters, learners }: Configuration): void {
    for (const since of [this.#leavingSinceMs, this.#absentSinceMs])
      for (const id of since.keys()) if (![...voters, ...learners].includes(id)) since.delete(id);
    const { peers, isOurs, self, runtime } = this.#options;
    const nowMs = runtime.now();
    for (const id of [...voters, ...learners]) {
      const isHere = id === self || (peers.of(id) !== undefined && isOurs(id));
      if (isHere) this.#absentSinceMs.delete(id);
      else if (!this.#absentSinceMs.has(id)) this.#absentSinceMs.set(id, nowMs);
    }
  }

  #absentTicksOf(id: MemberId): number {
    const { runtime, tickMs } = this.#options;
    const sinceMs = this.#absentSinceMs.get(id);
    return sinceMs === undefined ? 0 : Math.floor((runtime.now() - sinceMs) / tickMs);
  }
}
