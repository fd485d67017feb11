import { hasMemoryFolder } from '../../peers/folder.ts';
import { percentile, type ResultName, resultOf } from '../../result.ts';
import type { Suite, SuiteContext } from '../../suite.ts';
import { inTurns, type Sides } from '../../turns.ts';
import type { GroupContender } from './contender.ts';
import { startEtcdContender } from './etcd.ts';

/** Unanswered commands of the pipelined runs; with more, etcd was no faster here. */
const IN_FLIGHT = 256;
const WARM_UP = 3_000;
const PIPELINED = 15_000;
const ONE_AT_A_TIME = 1_000;

type Storage = 'memory' | 'sqlite';

interface Measurement {
  readonly about: Omit<ResultName, 'peerName'>;
  readonly storage: Storage;
  readonly take: (contender: GroupContender) => Promise<number>;
}

const measurements: readonly Measurement[] = [
  ...(['memory', 'sqlite'] as const).flatMap(writesOn),
  {
    about: { name: 'groups/strong-query', unit: 'ms, p50', isTime: true },
    storage: 'sqlite',
    take: async (contender) => percentile(await contender.strongQueries(ONE_AT_A_TIME), 0.5) ?? Number.NaN,
  },
  {
    about: { name: 'groups/failover-ms', unit: 'ms', isTime: true },
    storage: 'sqlite',
    take: (contender) => contender.failover(),
  },
];

function writesOn(storage: Storage): Measurement[] {
  return [
    {
      about: { name: `groups/${storage}-pipelined`, unit: 'commands/s' },
      storage,
      take: (contender) => contender.pipelined(PIPELINED, IN_FLIGHT),
    },
    {
      about: { name: `groups/${storage}-p50`, unit: 'ms', isTime: true },
      storage,
      take: async (contender) => percentile(await contender.oneAtATime(ONE_AT_A_TIME), 0.5) ?? Number.NaN,
    },
  ];
}

export const groupsSuite: Suite = {
  name: 'groups',
  about: 'replicated commands in a group of three processes, beside etcd',
  results: measurements.map(({ about }) => about.name),
  async run(context) {
    for (const storage of ['memory', 'sqlite'] as const) {
      const wanted = measurements.filter(
        ({ about, storage: where }) => where === storage && context.wants(about.name),
      );
      if (wanted.length > 0) await measureOn(context, storage, wanted);
    }
  },
};

async function measureOn(
  context: SuiteContext,
  storage: Storage,
  wanted: readonly Measurement[],
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const { ours, peer } = await startBoth(context, storage);
  for (const contender of [ours, peer]) if (contender !== undefined) stack.use(contender);
  for (const contender of [ours, peer]) await contender?.pipelined(WARM_UP, IN_FLIGHT);
  for (const { about, take } of wanted) {
    await context.measure([about.name], async () => {
      context.progress(about.name);
      const runs = await inTurns({ ours, peer }, { runs: context.runs, take });
      return [resultOf({ ...about, peerName: peer?.name ?? 'etcd' }, runs)];
    });
  }
}

/** What is in memory at ours is on a file system in memory at etcd, which knows files only. */
async function startBoth(context: SuiteContext, storage: Storage): Promise<Sides<GroupContender>> {
  const { etcd } = context.peers;
  const where = storage === 'memory' ? 'memory' : 'disk';
  const canRun = etcd !== undefined && (where === 'disk' || hasMemoryFolder);
  return { peer: canRun ? await startEtcdContender(etcd, { storage: where }) : undefined };
}
