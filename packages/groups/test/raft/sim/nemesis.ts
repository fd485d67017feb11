import type { Raft } from '../../../src/raft/raft.ts';
import type { Configuration, MemberId } from '../../../src/raft/types.ts';
import type { Counts, Moment, SimMember } from './member.ts';
import { linkOf, type Network } from './network.ts';
import type { Random } from './random.ts';
import type { Schedule } from './schedule.ts';

/** How likely each fault is at each step of the nemesis. */
export interface Plan {
  readonly crash: number;
  readonly partition: number;
  readonly oneWay: number;
  readonly heal: number;
  readonly stall: number;
  /** A member stands still for a while. */
  readonly sleep: number;
  /** Who is elected changes the configuration at once, or tries to. */
  readonly eagerness: number;
  /** Who has changed the configuration is cut off before others know. */
  readonly isolation: number;
  /** What follows a moment, at once or soon, is a crash. */
  readonly crashAt: Readonly<Record<Moment, number>>;
  /** Or a cut. */
  readonly isolateAt: Readonly<Record<Moment, number>>;
  readonly snapshot: number;
  readonly transfer: number;
  readonly membership: number;
}

export interface NemesisOptions {
  readonly plan: Plan;
  readonly random: Random;
  readonly members: readonly SimMember[];
  readonly network: Network;
  readonly counts: Counts;
  readonly schedule: Schedule;
  /** Harm is done until then. */
  readonly isBusy: { readonly now: boolean };
}

/** Does one round of harm. */
export function strike(options: NemesisOptions): void {
  const { random, members } = options;
  const leaders = members.filter((each) => each.isLeader);
  const member = (random.chance(0.4) ? random.pick(leaders) : undefined) ?? random.pick(members)!;
  harmMember(member, options);
  harmNetwork(options);
  for (const leader of leaders) disturbLeader(leader, options);
}

function harmMember(member: SimMember, { plan, random, members, schedule }: NemesisOptions): void {
  if (random.chance(plan.crash)) {
    if (member.raft) member.crash();
    else member.start();
  }
  for (const each of members) if (!each.raft && random.chance(0.3)) each.start();
  if (random.chance(plan.stall))
    member.diskFreeAt = Math.max(member.diskFreeAt, schedule.now) + random.int(50, 400);
  if (random.chance(plan.snapshot)) member.snapshot();
  if (random.chance(plan.sleep)) member.sleep(random.int(20, 400));
}

function harmNetwork({ plan, random, members, network }: NemesisOptions): void {
  if (random.chance(plan.partition)) split(members, random, network);
  if (random.chance(plan.oneWay)) cutSome(members, random, network);
  if (random.chance(plan.heal)) network.cut.clear();
}

function disturbLeader(leader: SimMember, options: NemesisOptions): void {
  const { plan, random, members, counts } = options;
  if (random.chance(plan.transfer)) transfer(leader, random, counts);
  if (!random.chance(plan.membership)) return;
  reconfigure(leader, members, random);
  if (random.chance(plan.isolation)) isolate(leader, options);
}

/** What a moment is made of: the member goes on, or ends, or is cut off, or does what it should wait with. */
export function seize(member: SimMember, moment: Moment, options: NemesisOptions): void {
  const { plan, random, members, network, isBusy } = options;
  if (!isBusy.now) return;
  const isPatient = moment === 'elected' || random.chance(0.3);
  if (random.chance(plan.crashAt[moment])) {
    if (moment === 'voted' && random.chance(0.5)) leaveOnlyWayBy(member, options);
    member.later(isPatient ? random.int(0, 12) : 0, () =>
      crashForAWhile(member, isPatient ? 300 : 5, options),
    );
  } else if (random.chance(plan.isolateAt[moment])) {
    member.later(random.int(0, 12), () => isolate(member, options));
  }
  if (moment !== 'elected' || !random.chance(plan.eagerness)) return;
  member.later(0, () => isBusy.now && reconfigure(member, members, random));
  if (random.chance(plan.isolation))
    member.later(random.int(0, 8), () => isBusy.now && split(members, random, network));
}

function crashForAWhile(member: SimMember, most: number, { random, schedule, isBusy }: NemesisOptions): void {
  if (!isBusy.now || !member.raft) return;
  member.crash();
  schedule.after(random.int(1, most), () => {
    if (!member.raft) member.start();
  });
}

/** The others reach each other no more, but all reach the member: what it says to one the other does not learn. */
function leaveOnlyWayBy(member: SimMember, { members, network }: NemesisOptions): void {
  network.cut.clear();
  const others = members.filter((other) => other !== member);
  for (const a of others) {
    for (const b of others) if (a !== b) network.cut.add(linkOf(a.id, b.id));
  }
}

/** Nobody hears of a member any more, nor it of them, and what it sent last did not arrive. */
function isolate(member: SimMember, { members, network, isBusy }: NemesisOptions): void {
  if (!isBusy.now) return;
  network.lose(member.id);
  separate(
    [member],
    members.filter((other) => other !== member),
    network,
  );
}

/** Two sides, which hear nothing of each other. */
function split(members: readonly SimMember[], random: Random, network: Network): void {
  const order = random.shuffle(members);
  const half = Math.max(1, Math.floor(order.length / 2));
  const size = random.chance(0.4) ? half : random.int(1, Math.max(1, order.length - 1));
  const [left, right] = [order.slice(0, size), order.slice(size)];
  separate(left, right, network);
}

function separate(left: readonly SimMember[], right: readonly SimMember[], network: Network): void {
  network.cut.clear();
  for (const a of left) {
    for (const b of right) {
      network.cut.add(linkOf(a.id, b.id));
      network.cut.add(linkOf(b.id, a.id));
    }
  }
}

/** Any links, in any direction: members that hear and cannot speak, or reach each other only by way of a third. */
function cutSome(members: readonly SimMember[], random: Random, network: Network): void {
  const likelihood = random.next() * 0.6;
  for (const a of members) {
    for (const b of members) if (a !== b && random.chance(likelihood)) network.cut.add(linkOf(a.id, b.id));
  }
}

function transfer(leader: SimMember, random: Random, counts: Counts): void {
  leader.input((raft) => {
    const to = random.pick(raft.status.configuration.configuration.voters);
    if (to !== undefined && raft.transferLeadership(to).ok) counts.transfers++;
  });
}

/** One step: somebody is counted in, gets a vote, loses it, or is counted out. */
function reconfigure(leader: SimMember, members: readonly SimMember[], random: Random): void {
  leader.input((raft: Raft) => {
    const { configuration } = raft.status.configuration;
    const next = stepFrom(configuration, whoseTurn(configuration, members, random), random);
    if (next.voters.length > 0) raft.proposeConfiguration(next);
  });
}

/** Anybody; rather somebody without a vote, so that there tend to be voters enough. */
function whoseTurn({ voters }: Configuration, members: readonly SimMember[], random: Random): MemberId {
  const others = members.filter(({ id }) => !voters.includes(id));
  const prefersOther = voters.length < 4 && random.chance(0.6);
  return ((prefersOther ? random.pick(others) : undefined) ?? random.pick(members)!).id;
}

function stepFrom({ voters, learners }: Configuration, id: MemberId, random: Random): Configuration {
  const otherVoters = voters.filter((each) => each !== id);
  const otherLearners = learners.filter((each) => each !== id);
  const isVoter = voters.includes(id);
  const isLearner = learners.includes(id);
  if (isVoter ? random.chance(0.3) : isLearner && random.chance(0.2))
    return sorted(otherVoters, otherLearners);
  const becomesVoter = !isVoter && isLearner;
  return becomesVoter
    ? sorted([...otherVoters, id], otherLearners)
    : sorted(otherVoters, [...otherLearners, id]);
}

function sorted(voters: readonly MemberId[], learners: readonly MemberId[]): Configuration {
  return { voters: [...voters].sort(), learners: [...learners].sort() };
}
