import { startNats } from '../../peers/nats.ts';
import { type Result, resultOf, roundTripNames, roundTripResults } from '../../result.ts';
import type { Suite, SuiteContext } from '../../suite.ts';
import { takeTurns } from '../../turns.ts';
import { consumersGrowth, measureGrowth } from './growth.ts';
import { laggingNames, measureLagging } from './lagging.ts';
import { openRoundTrips, openSession, type Workload } from './session.ts';
import type { Contender } from './stage.ts';

const workloads: readonly Workload[] = [
  { name: '1to1-75B', payload: '75B', producers: 1, consumers: 1 },
  { name: '1to8-75B', payload: '75B', producers: 1, consumers: 8 },
  { name: '8to1-75B', payload: '75B', producers: 8, consumers: 1 },
  { name: '1to1-1KiB', payload: '1KiB', producers: 1, consumers: 1 },
  { name: '1to8-1KiB', payload: '1KiB', producers: 1, consumers: 8 },
  { name: '8to1-1KiB', payload: '1KiB', producers: 8, consumers: 1 },
  { name: '1to1-64KiB', payload: '64KiB', producers: 1, consumers: 1 },
  { name: '1to8-64KiB', payload: '64KiB', producers: 1, consumers: 8 },
  { name: '8to1-64KiB', payload: '64KiB', producers: 8, consumers: 1 },
];

const ROUND_TRIPS = 5_000;
/** Until V8 has compiled what a round trip takes: before, one in a hundred waits for that. */
const WARM_UP_ROUND_TRIPS = 20_000;

/** What ours is compared with: its results are named like the workload, with a suffix. */
interface Comparison {
  readonly suffix: string;
  /** Of the round trips, where that is not the contender's. */
  readonly roundTripsName: string;
  readonly contender: Contender;
  readonly isFor: (workload: string) => boolean;
}

const ours: Contender = { system: 'mosaik', name: 'mosaik' };
const nats: Comparison = {
  suffix: '',
  roundTripsName: 'NATS, unencrypted, request/reply',
  contender: { system: 'nats', name: 'NATS, unencrypted' },
  isFor: () => true,
};
const bare: Comparison = {
  suffix: '-libp2p',
  roundTripsName: 'bare libp2p stream, there and back',
  contender: { system: 'bare', name: 'bare libp2p stream, same codec' },
  isFor: () => true,
};
/** What lies below us and has nothing to do but to encrypt: how near we come to it when data are large. */
const bytes: Comparison = {
  suffix: '-libp2p-bytes',
  roundTripsName: '',
  contender: { system: 'bytes', name: 'bare libp2p stream, bytes only' },
  isFor: (workload) => workload === '1to1-64KiB',
};
const comparisons: readonly Comparison[] = [nats, bare, bytes];
const RTT = 'rtt';

const comparisonsOf = (workload: string): Comparison[] => comparisons.filter(({ isFor }) => isFor(workload));
const namesOf = ({ name }: Workload): string[] =>
  comparisonsOf(name).map(({ suffix }) => `streams/${name}${suffix}`);
const roundTripNamesOf = ({ suffix }: Comparison): string[] => roundTripNames('streams', suffix);

const growthNames = consumersGrowth.columns.flatMap(({ nameOf }) => consumersGrowth.sizes.map(nameOf));
const roundTripsNames = comparisonsOf(RTT).flatMap(roundTripNamesOf);

/** What there are bars for; the rest compares more. */
const core: readonly string[] = [
  'streams/1to1-75B',
  'streams/1to8-75B',
  'streams/8to1-75B',
  'streams/1to1-64KiB',
  'streams/1to1-64KiB-libp2p',
];

export const streamsSuite: Suite = {
  name: 'streams',
  about: 'typed streams beside core NATS and a bare libp2p stream, a process for each producer and consumer',
  results: [...workloads.flatMap(namesOf), ...roundTripsNames, ...laggingNames, ...growthNames],
  extras: [
    ...workloads.flatMap(namesOf).filter((name) => !core.includes(name)),
    ...roundTripNamesOf(bare),
    ...laggingNames.filter((name) => name.startsWith('streams/stopped') || name.startsWith('streams/beside')),
    ...growthNames,
  ],
  growth: [consumersGrowth],
  async run(context) {
    await using server = context.peers.nats === undefined ? undefined : await startNats(context.peers.nats);
    const present = ({ contender }: Comparison): Contender | undefined => {
      if (contender.system !== 'nats') return contender;
      return server && { ...contender, address: server.url };
    };
    for (const workload of workloads)
      await context.measure(namesOf(workload), () => throughput(context, workload, present));
    await context.measure(roundTripsNames, () => roundTrips(context, present));
    await context.measure(laggingNames, () => measureLagging(context, ours, present(nats)));
    await context.measure(growthNames, () => measureGrowth(context, ours));
  },
};

type Present = (comparison: Comparison) => Contender | undefined;

async function throughput(context: SuiteContext, workload: Workload, present: Present): Promise<Result[]> {
  const { name, producers, consumers, payload } = workload;
  const nameBeside = ({ suffix }: Comparison): string => `streams/${name}${suffix}`;
  const wanted = comparisonsOf(name).filter((comparison) => context.wants(nameBeside(comparison)));
  context.progress(`streams/${name}: ${producers} × ${payload} to ${consumers}`);
  await using stack = new AsyncDisposableStack();
  const open = (contender: Contender) => openSession(contender, workload);
  const rounds = await takeTurns(await openAll([ours, ...wanted.map(present)], stack, open), {
    runs: context.runs,
    take: async (session) => (await session.run()).perSecond,
    warmUp: (session) => session.warmUp(),
  });
  return wanted.map((comparison, index) =>
    resultOf(
      { name: nameBeside(comparison), unit: 'datums/s', peerName: comparison.contender.name },
      rounds.map(([first, ...others]) => ({ ours: first, peer: others[index] })),
    ),
  );
}

async function roundTrips(context: SuiteContext, present: Present): Promise<Result[]> {
  const wanted = comparisonsOf(RTT).filter((comparison) => context.wants(...roundTripNamesOf(comparison)));
  context.progress(`streams/rtt: ${ROUND_TRIPS} round trips of 75 bytes`);
  await using stack = new AsyncDisposableStack();
  const open = (contender: Contender) => openRoundTrips(contender, '75B');
  const rounds = await takeTurns(await openAll([ours, ...wanted.map(present)], stack, open), {
    runs: context.runs,
    take: (session) => session.roundTrips(ROUND_TRIPS),
    warmUp: (session) => session.roundTrips(WARM_UP_ROUND_TRIPS),
  });
  return wanted.flatMap(({ roundTripsName, suffix }, index) => {
    const runs = rounds.map(([first, ...others]) => ({ ours: first, peer: others[index] }));
    return roundTripResults('streams', roundTripsName, runs, suffix);
  });
}

/** The processes of all sides are there at once, so that runs can alternate; those that wait do not work. */
async function openAll<T extends AsyncDisposable>(
  contenders: readonly (Contender | undefined)[],
  stack: AsyncDisposableStack,
  open: (contender: Contender) => Promise<T>,
): Promise<(T | undefined)[]> {
  const opened: (T | undefined)[] = [];
  for (const contender of contenders)
    opened.push(contender === undefined ? undefined : stack.use(await open(contender)));
  return opened;
}
