import type { Growth } from '../../growth.ts';
import { percentile, type Result, resultOf } from '../../result.ts';
import type { SuiteContext } from '../../suite.ts';
import { startMosaikContender } from './mosaik.ts';

const MEMBERS = [1, 3, 5, 7];
const IN_FLIGHT = 1_024;
const WARM_UP = 20_000;
const COMMANDS = 50_000;
const ONE_AT_A_TIME = 500;

const nameOf = (members: number): string => `groups/growth-members-${members}`;

export const membersGrowth: Growth = {
  title: 'groups: members that vote, in memory, commands given to the leader',
  sizes: MEMBERS,
  columns: [
    { title: 'commands/s, pipelined', nameOf },
    { title: 'ms, one at a time, p50', nameOf: (members) => `${nameOf(members)}-p50` },
    { title: 'µs of CPU a command, all members', nameOf: (members) => `${nameOf(members)}-cpu` },
  ],
};

export const membersNames: readonly string[] = MEMBERS.flatMap((members) =>
  membersGrowth.columns.map((column) => column.nameOf(members)),
);

interface Figures {
  readonly perSecond: number;
  readonly p50: number;
  readonly cpuMicros: number;
}

/** Groups of more and more members, one after the other; compared with a member that is alone. */
export async function measureMembers(context: SuiteContext): Promise<Result[]> {
  const taken: Figures[][] = [];
  for (const members of MEMBERS) {
    context.progress(`${nameOf(members)}: ${COMMANDS} commands in a group of ${members}`);
    taken.push(await measureGroup(members, context.runs));
  }
  return MEMBERS.flatMap((members, index) => resultsOf(members, taken[index] ?? [], taken[0] ?? []));
}

async function measureGroup(members: number, runs: number): Promise<Figures[]> {
  await using group = await startMosaikContender({ storage: 'memory', members });
  const client = group.at('leader');
  await client.pipelined(WARM_UP, IN_FLIGHT);
  const figures: Figures[] = [];
  for (let run = 0; run < runs; run++) {
    const before = await group.cpuSeconds();
    const perSecond = await client.pipelined(COMMANDS, IN_FLIGHT);
    const cpuMicros = (((await group.cpuSeconds()) - before) * 1_000_000) / COMMANDS;
    const p50 = percentile(await client.oneAtATime(ONE_AT_A_TIME), 0.5) ?? Number.NaN;
    figures.push({ perSecond, p50, cpuMicros });
  }
  return figures;
}

function resultsOf(members: number, runs: readonly Figures[], alone: readonly Figures[]): Result[] {
  const beside = (figure: keyof Figures) =>
    runs.map((run, index) => ({ ours: run[figure], peer: alone[index]?.[figure] }));
  const about = { peerName: 'a member that is alone' };
  const name = nameOf(members);
  return [
    resultOf({ ...about, name, unit: 'commands/s' }, beside('perSecond')),
    resultOf({ ...about, name: `${name}-p50`, unit: 'ms', isTime: true }, beside('p50')),
    resultOf({ ...about, name: `${name}-cpu`, unit: 'µs/command', isTime: true }, beside('cpuMicros')),
  ];
}
