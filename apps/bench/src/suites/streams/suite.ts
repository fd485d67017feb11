import { startNats } from '../../peers/nats.ts';
import { type Result, resultOf, roundTripNames, roundTripResults } from '../../result.ts';
import type { Suite, SuiteContext } from '../../suite.ts';
import { inTurns, type Sides } from '../../turns.ts';
import { type Contender, openRoundTrips, openSession, type Workload } from './session.ts';

const workloads: readonly Workload[] = [
  { name: '1to1-75B', payload: '75B', producers: 1, consumers: 1, warmUp: 50_000 },
  { name: '1to8-75B', payload: '75B', producers: 1, consumers: 8, warmUp: 10_000 },
  { name: '8to1-75B', payload: '75B', producers: 8, consumers: 1, warmUp: 10_000 },
  { name: '1to1-1KiB', payload: '1KiB', producers: 1, consumers: 1, warmUp: 20_000 },
  { name: '1to8-1KiB', payload: '1KiB', producers: 1, consumers: 8, warmUp: 5_000 },
  { name: '8to1-1KiB', payload: '1KiB', producers: 8, consumers: 1, warmUp: 5_000 },
  { name: '1to1-64KiB', payload: '64KiB', producers: 1, consumers: 1, warmUp: 1_000 },
  { name: '1to8-64KiB', payload: '64KiB', producers: 1, consumers: 8, warmUp: 200 },
  { name: '8to1-64KiB', payload: '64KiB', producers: 8, consumers: 1, warmUp: 200 },
];

/** Beside what lies below us: how near we come to it when data are large is a bar of the design. */
const overBare: readonly Workload[] = [
  { name: '1to1-75B-libp2p', payload: '75B', producers: 1, consumers: 1, warmUp: 10_000 },
  { name: '1to1-1KiB-libp2p', payload: '1KiB', producers: 1, consumers: 1, warmUp: 10_000 },
  { name: '1to1-64KiB-libp2p', payload: '64KiB', producers: 1, consumers: 1, warmUp: 1_000 },
];

const ROUND_TRIPS = 5_000;
const NATS = 'NATS, unencrypted';

const nameOf = ({ name }: Workload): string => `streams/${name}`;

export const streamsSuite: Suite = {
  name: 'streams',
  about: 'typed streams beside core NATS, a process for each producer and each consumer',
  results: [...[...workloads, ...overBare].map(nameOf), ...roundTripNames('streams')],
  async run(context) {
    await using nats = context.peers.nats === undefined ? undefined : await startNats(context.peers.nats);
    const ours: Contender = { system: 'mosaik', name: 'mosaik' };
    const peer: Contender | undefined = nats && { system: 'nats', name: NATS, address: nats.url };
    const bare: Contender = { system: 'bare', name: 'bare libp2p stream' };
    for (const workload of workloads)
      await context.measure([nameOf(workload)], () => throughput(context, workload, { ours, peer }));
    for (const workload of overBare)
      await context.measure([nameOf(workload)], () => throughput(context, workload, { ours, peer: bare }));
    await context.measure(roundTripNames('streams'), () => roundTrips(context, { ours, peer }));
  },
};

async function throughput(
  context: SuiteContext,
  workload: Workload,
  sides: Sides<Contender>,
): Promise<Result[]> {
  const { name, producers, consumers, payload } = workload;
  context.progress(`streams/${name}: ${producers} × ${payload} to ${consumers}`);
  await using stack = new AsyncDisposableStack();
  const sessions = await openBoth(sides, stack, (contender) => openSession(contender, workload));
  const runs = await inTurns(sessions, {
    runs: context.runs,
    take: (session) => session.throughput(),
    warmUp: (session) => session.warmUp(),
  });
  const peerName = sides.peer?.name ?? NATS;
  return [resultOf({ name: nameOf(workload), unit: 'datums/s', peerName }, runs)];
}

async function roundTrips(context: SuiteContext, sides: Sides<Contender>): Promise<Result[]> {
  context.progress(`streams/rtt: ${ROUND_TRIPS} round trips of 75 bytes`);
  await using stack = new AsyncDisposableStack();
  const sessions = await openBoth(sides, stack, (contender) => openRoundTrips(contender, '75B'));
  const runs = await inTurns(sessions, {
    runs: context.runs,
    take: (session) => session.roundTrips(ROUND_TRIPS),
    warmUp: (session) => session.roundTrips(ROUND_TRIPS),
  });
  return roundTripResults('streams', `${NATS}, request/reply`, runs);
}

/** The processes of both sides are there at once, so that runs can alternate; those that wait do not work. */
async function openBoth<T extends AsyncDisposable>(
  { ours, peer }: Sides<Contender>,
  stack: AsyncDisposableStack,
  open: (contender: Contender) => Promise<T>,
): Promise<Sides<T>> {
  return {
    ours: ours === undefined ? undefined : stack.use(await open(ours)),
    peer: peer === undefined ? undefined : stack.use(await open(peer)),
  };
}
