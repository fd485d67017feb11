import type { Raft } from '../../../src/raft/raft.ts';
import type { Configuration, MemberId } from '../../../src/raft/types.ts';
import type { Counts, SimMember } from './member.ts';
import { linkOf, type Network } from './network.ts';
import type { Random } from './random.ts';

/** How likely each fault is at each step of the nemesis. */
export interface Plan {
  readonly crash: number;
  readonly partition: number;
  readonly oneWay: number;
  readonly heal: number;
  readonly stall: number;
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
  readonly now: () => number;
}

/** Does one round of harm. */
export function strike({ plan, random, members, network, counts, now }: NemesisOptions): void {
  const member = random.pick(members)!;
  if (random.chance(plan.crash)) {
    if (member.raft) member.crash();
    else member.start();
  }
  for (const each of members) if (!each.raft && random.chance(0.3)) each.start();
  if (random.chance(plan.partition)) split(members, random, network);
  if (random.chance(plan.oneWay)) cutSome(members, random, network);
  if (random.chance(plan.heal)) network.cut.clear();
  if (random.chance(plan.stall)) member.diskFreeAt = Math.max(member.diskFreeAt, now()) + random.int(50, 400);
  if (random.chance(plan.snapshot)) member.snapshot();
  for (const leader of members.filter((each) => each.isLeader)) {
    if (random.chance(plan.transfer)) transfer(leader, random, counts);
    if (random.chance(plan.membership)) reconfigure(leader, members, random);
  }
}

/** Two sides, which hear nothing of each other. */
function split(members: readonly SimMember[], random: Random, network: Network): void {
  const order = random.shuffle(members);
  const size = random.int(1, Math.max(1, order.length - 1));
  const [left, right] = [order.slice(0, size), order.slice(size)];
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
  const { id } = random.pick(members)!;
  leader.input((raft: Raft) => {
    const { voters, learners } = raft.status.configuration.configuration;
    const others = { voters: voters.filter((each) => each !== id), learners: learners.filter((each) => each !== id) };
    const isVoter = voters.includes(id);
    const isLearner = learners.includes(id);
    if (isVoter && voters.length === 1) return;
    if (isVoter && random.chance(0.3)) raft.proposeConfiguration(others);
    else if (isVoter || !isLearner) raft.proposeConfiguration(sorted(others.voters, [...others.learners, id]));
    else if (random.chance(0.8)) raft.proposeConfiguration(sorted([...others.voters, id], others.learners));
    else raft.proposeConfiguration(others);
  });
}

function sorted(voters: readonly MemberId[], learners: readonly MemberId[]): Configuration {
  return { voters: [...voters].sort(), learners: [...learners].sort() };
}
