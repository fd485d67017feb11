import { hasMemoryFolder } from '../../peers/folder.ts';
import { percentile, type ResultName, resultOf } from '../../result.ts';
import type { Suite, SuiteContext } from '../../suite.ts';
import { inTurns, type Sides } from '../../turns.ts';
import type { Consistency, GroupContender, Place } from './contender.ts';
import { crowdGrowth, crowdNames, measureCrowds } from './crowd.ts';
import { startEtcdContender } from './etcd.ts';
import { measureMembers, membersGrowth, membersNames } from './members.ts';
import { startMosaikContender } from './mosaik.ts';

/** Unanswered commands of the pipelined runs. From 256 on etcd was no faster here. */
const IN_FLIGHT = 1_024;
const WARM_UP = 5_000;
/** What a pipelined run lasts, by the rate of the warm-up. */
const RUN_SECONDS = 2;
const ONE_AT_A_TIME = 1_000;

type Storage = 'memory' | 'sqlite';

interface Measurement {
  readonly about: Omit<ResultName, 'peerName'>;
  readonly storage: Storage;
  readonly take: (contender: GroupContender, pipelined: number) => Promise<number>;
}

const storages = ['memory', 'sqlite'] as const;
const places = ['leader', 'follower'] as const;

const measurements: readonly Measurement[] = [
  ...storages.flatMap((storage) => places.flatMap((place) => writesOf(storage, place))),
  ...storages.flatMap((storage) =>
    (['strong', 'weak'] as const).flatMap((consistency) =>
      places.map((place) => queriesOf(storage, consistency, place)),
    ),
  ),
  {
    about: { name: 'groups/failover-ms', unit: 'ms', isTime: true },
    storage: 'sqlite',
    take: (contender) => contender.failover(),
  },
];

/** What is measured at the leader has the plain name. */
function suffixOf(place: Place): string {
  return place === 'leader' ? '' : `-${place}`;
}

function writesOf(storage: Storage, place: Place): Measurement[] {
  const name = (what: string): string => `groups/${storage}-${what}${suffixOf(place)}`;
  return [
    {
      about: { name: name('pipelined'), unit: 'commands/s' },
      storage,
      take: (contender, count) => contender.at(place).pipelined(count, IN_FLIGHT),
    },
    {
      about: { name: name('p50'), unit: 'ms', isTime: true },
      storage,
      take: async (contender) => median(await contender.at(place).oneAtATime(ONE_AT_A_TIME)),
    },
  ];
}

/** What is measured in SQLite has the plain name: nothing is written for a query. */
function queriesOf(storage: Storage, consistency: Consistency, place: Place): Measurement {
  const name = `${storage === 'sqlite' ? '' : `${storage}-`}${consistency}-query${suffixOf(place)}`;
  return {
    about: { name: `groups/${name}`, unit: 'ms, p50', isTime: true },
    storage,
    take: async (contender) => median(await contender.at(place).queries(consistency, ONE_AT_A_TIME)),
  };
}

function median(times: readonly number[]): number {
  return percentile(times, 0.5) ?? Number.NaN;
}

/** What a follower is asked, and queries by the other storage and consistency. */
function isExtra(name: string): boolean {
  return name.endsWith('-follower') || name.includes('weak') || name === 'groups/memory-strong-query';
}

export const groupsSuite: Suite = {
  name: 'groups',
  about: 'replicated commands in a group of three processes, beside etcd',
  results: [...measurements.map(({ about }) => about.name), ...membersNames, ...crowdNames],
  extras: [...measurements.map(({ about }) => about.name).filter(isExtra), ...membersNames, ...crowdNames],
  growth: [membersGrowth, crowdGrowth],
  async run(context) {
    for (const storage of storages) {
      const wanted = measurements.filter(
        ({ about, storage: where }) => where === storage && context.wants(about.name),
      );
      if (wanted.length > 0) await measureOn(context, storage, wanted);
    }
    await context.measure(membersNames, () => measureMembers(context));
    await context.measure(crowdNames, () => measureCrowds(context));
  },
};

async function measureOn(
  context: SuiteContext,
  storage: Storage,
  wanted: readonly Measurement[],
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const { ours, peer } = await startBoth(context, storage, stack);
  const counts = new Map<GroupContender, number>();
  for (const contender of [ours, peer])
    if (contender !== undefined) counts.set(contender, await warmUp(contender));
  for (const { about, take } of wanted) {
    await context.measure([about.name], async () => {
      context.progress(about.name);
      const runs = await inTurns(
        { ours, peer },
        { runs: context.runs, take: (contender) => take(contender, counts.get(contender) ?? WARM_UP) },
      );
      return [resultOf({ ...about, peerName: peer?.name ?? 'etcd' }, runs)];
    });
  }
}

/** Works for a while; how many commands then make a run. */
async function warmUp(contender: GroupContender): Promise<number> {
  for (const place of places) await contender.at(place).pipelined(WARM_UP, IN_FLIGHT);
  const rate = await contender.at('leader').pipelined(WARM_UP, IN_FLIGHT);
  return Math.ceil(rate * RUN_SECONDS);
}

/** What is in memory at ours is on a file system in memory at etcd, which knows files only. */
async function startBoth(
  context: SuiteContext,
  storage: Storage,
  stack: AsyncDisposableStack,
): Promise<Sides<GroupContender>> {
  const { etcd } = context.peers;
  const where = storage === 'memory' ? 'memory' : 'disk';
  const ours = stack.use(await startMosaikContender({ storage }));
  if (etcd === undefined || (where === 'memory' && !hasMemoryFolder)) return { ours };
  return { ours, peer: stack.use(await startEtcdContender(etcd, { storage: where })) };
}
