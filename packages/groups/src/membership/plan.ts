import type { Preference } from '../raft/raft.ts';
import type { Configuration, LogIndex, MemberId } from '../raft/types.ts';

/** What a leader knows of a member, or of a peer that wants to be one. */
export interface MemberView {
  readonly id: MemberId;
  /** There is a bond with this very member, of the same history; the leader itself counts as bonded. */
  readonly isBonded: boolean;
  /** Its peer is bonded as another member: this one has lost its log, and will not come back. */
  readonly isReplaced: boolean;
  readonly isLeaving: boolean;
  readonly preference: Preference;
  /** For how many ticks there has been no bond. */
  readonly absentTicks: number;
  /** For how many ticks nothing came of it; 0 for the leader itself. */
  readonly silentTicks: number;
  readonly match: LogIndex;
  /** It gets entries as they come, not from elsewhere. */
  readonly isStreaming: boolean;
}

export interface MembershipView {
  readonly self: MemberId;
  readonly configuration: Configuration;
  /** Everybody in the configuration, and everybody bonded; in any order. */
  readonly members: readonly MemberView[];
  readonly lastIndex: LogIndex;
}

export interface MembershipRules {
  readonly maxVoters: number;
  /** A member is heard that was silent no longer: somewhat more than two heartbeats. */
  readonly heardWithinTicks: number;
  /** A voter that was silent for longer is demoted. */
  readonly demoteAfterTicks: number;
  /** A learner that was away for longer is forgotten. */
  readonly forgetAfterTicks: number;
  /** A learner is promoted when it is at most so many entries behind, … */
  readonly promoteWithin: number;
  /** … and a voter demoted when it is further behind than this. */
  readonly demoteBeyond: number;
}

/**
 * The next configuration, if the one in force should change: one voter more or less at a time, as the core takes it
 * (dissertation §4.1). What matters most goes first.
 *
 * Learners: everybody who is bonded. Voters: those of them who are well, up to `maxVoters`, an odd number from three on,
 * as an even one takes a larger quorum without surviving more. Observers never. A voter is only demoted while those that
 * are well are a quorum without it, so that the change is committed by the quorum in force.
 */
export function planConfiguration(view: MembershipView, rules: MembershipRules): Configuration | undefined {
  return planLearners(view, rules) ?? planLoss(view, rules) ?? planGain(view, rules);
}

/** How many voters there should be, of so many that are fit to be. */
export function voterTarget(fit: number, maxVoters: number): number {
  const most = Math.min(fit, maxVoters);
  return most > 2 && most % 2 === 0 ? most - 1 : most;
}

function planLearners(view: MembershipView, rules: MembershipRules): Configuration | undefined {
  const { voters, learners } = view.configuration;
  const isKept = (id: MemberId): boolean => {
    const member = memberOf(view, id);
    return member !== undefined && !isGone(member) && member.absentTicks <= rules.forgetAfterTicks;
  };
  const kept = learners.filter(isKept);
  const fresh = view.members
    .filter(
      ({ id, isBonded, isLeaving }) => isBonded && !isLeaving && !voters.includes(id) && !kept.includes(id),
    )
    .map(({ id }) => id);
  if (kept.length === learners.length && fresh.length === 0) return undefined;
  return { voters, learners: [...kept, ...fresh].sort() };
}

/**
 * Voters that will not come back go, then those that are sick are demoted, then those that leave go: who leaves is still
 * there to be counted, and must not go while the others would be no quorum without it.
 */
function planLoss(view: MembershipView, rules: MembershipRules): Configuration | undefined {
  const { configuration, self } = view;
  const { voters, learners } = configuration;
  const others = voters.filter((id) => id !== self);
  const without = (gone: MemberId): Configuration => ({
    voters: voters.filter((id) => id !== gone),
    learners,
  });
  const lost = others.filter((id) => memberOf(view, id)?.isReplaced !== false);
  const sick = others.filter((id) => !lost.includes(id) && !isLeaving(view, id) && !isWell(view, id, rules));
  const leaving = others.filter((id) => !lost.includes(id) && isLeaving(view, id));
  const changes = [
    ...lost.map(without),
    ...sick.map((id) => demote(configuration, id)),
    ...leaving.map(without),
  ];
  if (!hasQuorum(view, voters, rules)) return undefined;
  return changes.find((next) => hasQuorum(view, next.voters, rules));
}

function planGain(view: MembershipView, rules: MembershipRules): Configuration | undefined {
  const { voters, learners } = view.configuration;
  // One that is sick and cannot be demoted counts: without it there is no quorum to change anything.
  const promotable = learners.filter((id) => isPromotable(view, id, rules));
  const target = voterTarget(voters.length + promotable.length, rules.maxVoters);
  if (voters.length < target) return promote(view, promotable);
  if (voters.length > target) return demoteSurplus(view, rules);
  return undefined;
}

function promote(view: MembershipView, promotable: readonly MemberId[]): Configuration | undefined {
  const [best] = [...promotable].sort((a, b) => rank(view, a) - rank(view, b) || (a < b ? -1 : 1));
  if (best === undefined) return undefined;
  const { voters, learners } = view.configuration;
  return { voters: [...voters, best].sort(), learners: learners.filter((id) => id !== best) };
}

function demoteSurplus(view: MembershipView, rules: MembershipRules): Configuration | undefined {
  const { configuration, self } = view;
  const others = configuration.voters.filter((id) => id !== self && isWell(view, id, rules));
  const [worst] = others.sort((a, b) => rank(view, b) - rank(view, a) || (a < b ? 1 : -1));
  return worst === undefined ? undefined : demote(configuration, worst);
}

function demote({ voters, learners }: Configuration, demoted: MemberId): Configuration {
  return {
    voters: voters.filter((id) => id !== demoted),
    learners: [...learners, demoted].sort(),
  };
}

/** The lower, the better a voter. */
function rank(view: MembershipView, id: MemberId): number {
  return memberOf(view, id)?.preference === 'reluctant' ? 1 : 0;
}

function isGone(member: MemberView | undefined): boolean {
  return member === undefined || member.isReplaced || member.isLeaving;
}

function isWell(view: MembershipView, id: MemberId, rules: MembershipRules): boolean {
  const member = memberOf(view, id);
  if (member === undefined || isGone(member) || member.preference === 'observer') return false;
  const isHeard = Math.max(member.silentTicks, member.absentTicks) <= rules.demoteAfterTicks;
  return isHeard && view.lastIndex - member.match <= rules.demoteBeyond;
}

function isPromotable(view: MembershipView, id: MemberId, rules: MembershipRules): boolean {
  const member = memberOf(view, id);
  if (member === undefined || !member.isBonded || isGone(member)) return false;
  if (member.preference === 'observer' || !member.isStreaming || member.silentTicks > rules.heardWithinTicks)
    return false;
  return view.lastIndex - member.match <= rules.promoteWithin;
}

/** Whether those of these voters that can be heard are a quorum of them. */
function hasQuorum(view: MembershipView, voters: readonly MemberId[], rules: MembershipRules): boolean {
  return voters.filter((id) => isHeard(view, id, rules)).length > Math.floor(voters.length / 2);
}

function isHeard(view: MembershipView, id: MemberId, { heardWithinTicks }: MembershipRules): boolean {
  const member = memberOf(view, id);
  return id === view.self || (member?.isBonded === true && member.silentTicks <= heardWithinTicks);
}

function isLeaving(view: MembershipView, id: MemberId): boolean {
  return memberOf(view, id)?.isLeaving === true;
}

function memberOf(view: MembershipView, id: MemberId): MemberView | undefined {
  return view.members.find((member) => member.id === id);
}
