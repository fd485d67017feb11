import { performance } from 'node:perf_hooks';
import { type Child, startChild } from '../../child.ts';
import type { Growth } from '../../growth.ts';
import { type Result, resultOf } from '../../result.ts';
import type { SuiteContext } from '../../suite.ts';
import { MEMBERS } from './contender.ts';

const GROUPS = [1, 10, 100];
/** After something has formed, before it counts as idle. */
const SETTLE_MS = 5_000;
/** Of all runs together: what groups that rest do every 15 s or so is seen once. */
const IDLE_MS = 15_000;
const IDLE_RUN_MS_MIN = 4_000;

const nameOf = (groups: number): string => `groups/growth-groups-${groups}`;

export const crowdGrowth: Growth = {
  title: `groups: so many groups of the same ${MEMBERS} nodes, without work`,
  sizes: GROUPS,
  columns: [
    { title: 'ms until all have formed', nameOf: (groups) => `${nameOf(groups)}-formation` },
    { title: '% of a core, the node that leads most', nameOf: (groups) => `${nameOf(groups)}-idle-cpu` },
  ],
};

export const crowdNames: readonly string[] = GROUPS.flatMap((groups) =>
  crowdGrowth.columns.map((column) => column.nameOf(groups)),
);

interface Figures {
  readonly formationMs: number;
  /** Of a core, in percent. */
  readonly idle: readonly number[];
}

/** Nodes that share more and more groups; idle, they are compared with the same nodes in no group. */
export async function measureCrowds(context: SuiteContext): Promise<Result[]> {
  context.progress('groups/growth-groups: nodes in no group, for comparison');
  const none = await measureCrowd(0, context.runs);
  const taken: Figures[] = [];
  for (const groups of GROUPS) {
    context.progress(`${nameOf(groups)}: ${groups} groups without work`);
    taken.push(await measureCrowd(groups, context.runs));
  }
  return GROUPS.flatMap((groups, index) => {
    const { formationMs, idle } = taken[index] as Figures;
    const name = nameOf(groups);
    const formations = [{ ours: formationMs, peer: taken[0]?.formationMs }];
    const idles = idle.map((ours, run) => ({ ours, peer: none.idle[run] }));
    return [
      resultOf({ name: `${name}-formation`, unit: 'ms', peerName: 'one group', isTime: true }, formations),
      resultOf({ name: `${name}-idle-cpu`, unit: '% of a core', peerName: 'no group', isTime: true }, idles),
    ];
  });
}

/** Has processes that know each other join so many groups, and then do nothing. */
async function measureCrowd(groups: number, runs: number): Promise<Figures> {
  await using stack = new AsyncDisposableStack();
  const members: Child[] = [];
  for (let member = 0; member < MEMBERS; member++) {
    const args = [`crowd-${member}`, members[0]?.ready ?? ''];
    members.push(stack.use(await startChild(new URL('./crowd-member.ts', import.meta.url), args)));
  }
  const all = <T>(what: string, number = 0): Promise<T[]> =>
    Promise.all(members.map((child) => child.request(what, number) as Promise<T>));
  await all('meet', MEMBERS - 1);
  const startedAt = performance.now();
  await all('join', groups);
  const formationMs = performance.now() - startedAt;
  await all('idle', SETTLE_MS);
  const leads = await all<number>('leads');
  const leader = leads.indexOf(Math.max(...leads));
  const idle: number[] = [];
  for (let run = 0; run < runs; run++) {
    const percent = await all<number>('idle', Math.max(IDLE_RUN_MS_MIN, IDLE_MS / runs));
    idle.push(percent[leader] ?? Number.NaN);
  }
  return { formationMs, idle };
}
