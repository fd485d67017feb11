import type { RaftOptions } from '../../../src/raft/raft.ts';
import type { Rules } from '../../../src/raft/rules.ts';
import type { MemberId } from '../../../src/raft/types.ts';
import { catchUp } from './catch-up.ts';
import { createDisk } from './disk.ts';
import { type Counts, type Moment, SimMember } from './member.ts';
import { type NemesisOptions, type Plan, seize, strike } from './nemesis.ts';
import { createNetwork, type NetworkFaults } from './network.ts';
import { createOracle } from './oracle.ts';
import { createRandom, type Random } from './random.ts';
import { createSchedule, type Schedule } from './schedule.ts';

/** A run that failed: its seed is all it takes to see it again. */
class SeedFailure extends Error {
  override readonly name = 'SeedFailure';
  readonly seed: number;

  constructor(seed: number, cause: unknown) {
    super(`seed ${seed}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.seed = seed;
  }
}

const tickLength = 10;
/** The slowest clock, and the longest delay of what is not held up. */
const tickMax = 15;
const delayMax = 41;

/** What is tried. */
export interface Trial {
  readonly rules: Partial<Rules>;
  /**
   * A leader serves reads for as long as it leads, without asking anybody. They may be stale for as long as it can lead without
   * knowing that it does not any more, and no longer: that is what check-quorum bounds, where processes do not stand still and
   * no message is late by more than an election timeout.
   */
  readonly readsByLease?: boolean;
}

/** Runs one seed: a time of faults with everything checked as it happens, then all is healed, and must go on. */
export function runSeed(seed: number, trial: Trial = { rules: {} }): Counts {
  try {
    return run(createRandom(seed), trial);
  } catch (cause) {
    throw new SeedFailure(seed, cause);
  }
}

function run(random: Random, { rules, readsByLease = false }: Trial): Counts {
  const schedule = createSchedule();
  const counts = noCounts();
  const members: SimMember[] = [];
  const network = createNetwork({
    schedule,
    random,
    faults: readsByLease ? { ...drawFaults(random), stragglers: 0 } : drawFaults(random),
    deliver: (message) => members.find(({ id }) => id === message.to)?.receive(message),
  });
  const theme = drawTheme(random);
  const ids = Array.from({ length: drawSize(random, theme) }, (_, place) => `m${place}` as MemberId);
  const founders = ids.slice(0, drawFounders(random, theme, ids.length));
  const electionTicks = theme === 'votes' ? random.int(3, 5) : random.int(3, 14);
  const tuning = drawTuning(random, electionTicks);
  const oracle = createOracle({
    now: () => schedule.now,
    // A lease ends an election timeout after the last that was heard, which was said a delay before.
    staleMax: readsByLease ? electionTicks * tickMax + delayMax : 0,
  });
  const plan = { ...themed(drawPlan(random), theme), ...(readsByLease ? { sleep: 0 } : {}) };
  const isBusy = { now: true };
  const nemesis: NemesisOptions = { plan, random, members, network, counts, schedule, isBusy };
  for (const id of ids) {
    members.push(
      new SimMember({
        id,
        schedule,
        random,
        oracle,
        counts,
        tuning: { ...tuning, preference: random.chance(0.1) ? 'reluctant' : 'normal' },
        rules,
        speeds: drawSpeeds(random),
        disk: createDisk(founders.includes(id) ? founders : []),
        send: network.send,
        onCrash: () => {
          network.lose(id);
          for (const other of members) if (other.id !== id) other.input((raft) => raft.reportUnreachable(id));
        },
        onMoment: (member, moment) => seize(member, moment, nemesis),
        onNeed: (member, need) => catchUp(member, need, { members, network, random, counts }),
      }),
    );
  }
  startClients({ schedule, random, members, isBusy });
  for (let step = 0; step < 300; step++) {
    schedule.runUntil(schedule.now + random.int(10, 60));
    strike(nemesis);
  }
  isBusy.now = false;
  network.heal();
  // Raft is live where messages take much less than an election timeout (§5.6).
  network.faults.delay = Math.min(network.faults.delay, electionTicks);
  for (const member of members) {
    if (!member.raft) member.start();
  }
  requireProgress(schedule, members, oracle.committed);
  return counts;
}

/** Once nothing fails any more, somebody leads, commits something new, and everybody it counts in gets it. */
function requireProgress(schedule: Schedule, members: readonly SimMember[], committed: number): void {
  const deadline = schedule.now + 3000 * tickLength;
  let goal: number | undefined;
  while (schedule.now < deadline) {
    schedule.runUntil(schedule.now + 5 * tickLength);
    const leader = members.filter(({ isLeader }) => isLeader).sort((a, b) => termOf(b) - termOf(a))[0];
    if (!leader?.raft) continue;
    const { status } = leader.raft;
    if (goal === undefined || status.lastIndex < goal) {
      leader.input((raft) => {
        const proposed = raft.propose([new Uint8Array(1)]);
        if (proposed.ok) goal = Math.max(proposed.index, committed + 1);
      });
      continue;
    }
    const { voters, learners } = status.configuration.configuration;
    const inForce = members.filter(({ id }) => voters.includes(id) || learners.includes(id));
    const reached = goal;
    if (inForce.every(({ machine }) => machine.index >= reached)) return;
  }
  const states = members.map(({ id, raft, machine }) => {
    const { role, term, commit, lastIndex, configuration } = raft!.status;
    return `${id} ${role} ${term} ${machine.index}/${commit}/${lastIndex} ${configuration.configuration.voters}`;
  });
  throw new Error(`no progress after everything was healed: ${states.join('; ')}`);
}

function termOf({ raft }: SimMember): number {
  return raft?.status.term ?? 0;
}

interface ClientOptions {
  readonly schedule: Schedule;
  readonly random: Random;
  readonly members: readonly SimMember[];
  readonly isBusy: { readonly now: boolean };
}

/** Clients that write to whoever leads, or thinks so, and read from anybody. */
function startClients({ schedule, random, members, isBusy }: ClientOptions): void {
  const pause = random.int(4, 40);
  const next = (): void => {
    if (!isBusy.now) return;
    for (const leader of members.filter(({ isLeader }) => isLeader)) {
      for (let count = random.int(0, 3); count > 0; count--) leader.write(new Uint8Array(random.int(1, 60)));
    }
    const reader = random.chance(0.5) ? random.pick(members.filter(({ isLeader }) => isLeader)) : undefined;
    (reader ?? random.pick(members))?.read();
    schedule.after(random.int(1, pause), next);
  };
  schedule.after(1, next);
}

/**
 * Most runs have some of everything. Some are about one thing, as the histories in which it goes wrong take several steps that
 * chance alone rarely takes: leaders that come and go before others have heard of them, those that change who votes, and voters
 * that crash while several candidates ask them.
 */
type Theme = 'everything' | 'leaders' | 'voters' | 'votes';

function drawTheme(random: Random): Theme {
  if (random.chance(0.55)) return 'everything';
  return random.pick(['leaders', 'voters', 'votes'] as const)!;
}

/** One to seven; mostly the sizes whose quorums are small, as that is where mistakes show. */
function drawSize(random: Random, theme: Theme): number {
  if (theme === 'leaders' || theme === 'votes') return 3;
  if (theme === 'voters') return 4;
  return random.chance(0.6) ? random.int(3, 5) : random.int(1, 7);
}

/** Majorities of two changes of an even number of voters may have nobody in common. */
function drawFounders(random: Random, theme: Theme, size: number): number {
  if (theme === 'voters') return random.chance(0.3) ? 2 : 4;
  return random.chance(0.6) ? size : random.int(1, size);
}

function themed(plan: Plan, theme: Theme): Plan {
  if (theme === 'leaders') {
    const isolateAt = { voted: 0, elected: 0.5, committed: 0.2, any: 0 };
    return { ...plan, isolateAt, membership: 0, eagerness: 0, partition: 0, oneWay: 0, stall: 0, heal: 0.02 };
  }
  if (theme === 'voters') {
    const calm = { crash: 0.02, sleep: 0, stall: 0, transfer: 0, oneWay: 0, partition: 0, heal: 0.02 };
    const never = { voted: 0, elected: 0, committed: 0, any: 0 };
    return {
      ...plan,
      ...calm,
      crashAt: never,
      isolateAt: never,
      membership: 0.06,
      eagerness: 0.9,
      isolation: 0.8,
    };
  }
  if (theme === 'votes') {
    const crashAt = { voted: 0.5, elected: 0, committed: 0.02, any: 0 };
    const isolateAt = { voted: 0, elected: 0.2, committed: 0, any: 0 };
    return { ...plan, crashAt, isolateAt, membership: 0, eagerness: 0, oneWay: 0, stall: 0, heal: 0.2 };
  }
  return plan;
}

function drawFaults(random: Random): NetworkFaults {
  const isCalm = random.chance(0.2);
  return {
    loss: isCalm ? 0 : random.next() * 0.2,
    duplication: isCalm ? 0 : random.next() * 0.2,
    delay: random.chance(0.7) ? random.int(1, 15) : random.int(10, 40),
    stragglers: isCalm ? 0 : random.next() * 0.05,
  };
}

/** Clocks of members do not run alike; some disks and machines are slow. */
function drawSpeeds(random: Random): { fsync: number; apply: number; tick: number } {
  return {
    fsync: random.chance(0.2) ? random.int(10, 20) : random.int(1, 8),
    apply: random.chance(0.2) ? random.int(20, 100) : random.int(1, 8),
    tick: random.chance(0.7) ? tickLength : random.int(tickLength - 4, tickMax),
  };
}

/** Small bounds, so that they are hit. */
function drawTuning(random: Random, electionTicks: number): Partial<RaftOptions> {
  return {
    electionTicks,
    heartbeatTicks: electionTicks > 8 ? random.int(1, 2) : 1,
    appendBytesMax: random.chance(0.4) ? random.int(1, 80) : random.int(64, 2000),
    inflightBytesMax: random.int(200, 8000),
    inflightMessagesMax: random.int(1, 16),
    unappliedBytesMax: random.int(2000, 50_000),
    applyingBytesMax: random.int(200, 5000),
    retainedBytesMax: random.chance(0.5) ? random.int(0, 1000) : 100_000,
    readsMax: random.int(2, 100),
  };
}

function drawMoments(random: Random): Record<Moment, number> {
  const maybe = (most: number): number => (random.chance(0.5) ? 0 : random.next() * most);
  return { voted: maybe(0.7), elected: maybe(0.7), committed: maybe(0.1), any: maybe(0.002) };
}

function drawPlan(random: Random): Plan {
  const maybe = (most: number): number => (random.chance(0.4) ? 0 : random.next() * most);
  return {
    crash: maybe(0.5),
    partition: maybe(0.15),
    oneWay: maybe(0.15),
    heal: 0.05 + random.next() * 0.15,
    stall: maybe(0.1),
    snapshot: maybe(0.3),
    sleep: maybe(0.1),
    eagerness: maybe(0.8),
    isolation: maybe(0.8),
    crashAt: drawMoments(random),
    isolateAt: drawMoments(random),
    transfer: maybe(0.1),
    membership: maybe(0.4),
  };
}

export function noCounts(): Counts {
  return {
    elections: 0,
    truncations: 0,
    catchUps: 0,
    snapshots: 0,
    reads: 0,
    writes: 0,
    configurations: 0,
    transfers: 0,
    crashes: 0,
  };
}
