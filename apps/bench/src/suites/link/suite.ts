import { startChild } from '../../child.ts';
import { percentile, type Result, resultOf, roundTripNames, roundTripResults } from '../../result.ts';
import type { Suite, SuiteContext } from '../../suite.ts';
import { inTurns } from '../../turns.ts';
import { connectBare, startBare } from './bare.ts';
import { connectOurs, startOurs } from './ours.ts';
import type { Load, Subject } from './workload.ts';

const loads: readonly Load[] = [
  { name: '100B', bytes: 100, messages: 1_000_000 },
  { name: '4KiB', bytes: 4096, messages: 60_000 },
  { name: '64KiB', bytes: 65_536, messages: 4_000 },
];

/** What the bare stream is given of a load: at its rate, without coalescing, the run takes as long as ours. */
const BARE_SHARE: Record<string, number> = { '100B': 0.06, '4KiB': 0.5, '64KiB': 1 };

const ROUND_TRIPS = 3_000;
const WARM_UP_ROUND_TRIPS = 10_000;
const ROUND_TRIPS_BESIDE_BULK = 2_000;
const BESIDE_BULK = ['link/rtt-p50-under-bulk', 'link/rtt-p99-under-bulk', 'link/bulk-beside-rtt'];
const WARM_UP = 0.2;

export const linkSuite: Suite = {
  name: 'link',
  about: 'links beside bare libp2p streams, two processes each',
  results: [...loads.map(({ name }) => `link/${name}`), ...roundTripNames('link'), ...BESIDE_BULK],
  async run(context) {
    await using oursChild = await startChild(new URL('./responder.ts', import.meta.url), ['ours']);
    await using bareChild = await startChild(new URL('./responder.ts', import.meta.url), ['bare']);
    await using transport = await startOurs('bench driver');
    const node = await startBare();
    try {
      const ours = await connectOurs(transport, oursChild.ready);
      const bare = connectBare(node, bareChild.ready);
      for (const load of loads)
        await context.measure([`link/${load.name}`], () => throughput(context, load, ours, bare));
      await context.measure(roundTripNames('link'), () => roundTrips(context, ours, bare));
      await context.measure(BESIDE_BULK, () => besideBulk(context, ours, bare));
    } finally {
      await node.stop();
    }
  },
};

async function throughput(
  context: SuiteContext,
  load: Load,
  ours: Subject,
  bare: Subject,
): Promise<Result[]> {
  const rate = async (subject: Subject, share: number): Promise<number> => {
    const part = { ...load, messages: Math.ceil(load.messages * share) };
    context.progress(`link/${load.name}: ${part.messages} messages over a ${subject.name}`);
    return part.messages / (await subject.transfer(part));
  };
  const shareOf = (subject: Subject): number => (subject === bare ? (BARE_SHARE[load.name] ?? 1) : 1);
  const runs = await inTurns(
    { ours, peer: bare },
    {
      runs: context.runs,
      take: (subject) => rate(subject, shareOf(subject)),
      warmUp: (subject) => rate(subject, WARM_UP * shareOf(subject)),
    },
  );
  return [resultOf({ name: `link/${load.name}`, unit: 'messages/s', peerName: bare.name }, runs)];
}

async function roundTrips(context: SuiteContext, ours: Subject, bare: Subject): Promise<Result[]> {
  context.progress(`link/rtt: ${ROUND_TRIPS} round trips of 100 bytes`);
  const runs = await inTurns(
    { ours, peer: bare },
    {
      runs: context.runs,
      take: (subject) => subject.roundTrips(ROUND_TRIPS, 100),
      warmUp: (subject) => subject.roundTrips(WARM_UP_ROUND_TRIPS, 100),
    },
  );
  return roundTripResults('link', bare.name, runs);
}

/** One stream saturates the pair, another one wants an answer. What the bulk got meanwhile is told too, or idling would win. */
async function besideBulk(context: SuiteContext, ours: Subject, bare: Subject): Promise<Result[]> {
  context.progress(`link/rtt-under-bulk: ${ROUND_TRIPS_BESIDE_BULK} round trips of 100 bytes beside 64 KiB`);
  const runs = await inTurns(
    { ours, peer: bare },
    {
      runs: context.runs,
      take: (subject) => subject.besideBulk(ROUND_TRIPS_BESIDE_BULK, 100),
      warmUp: (subject) => subject.besideBulk(ROUND_TRIPS_BESIDE_BULK, 100),
    },
  );
  const share = (part: number) =>
    runs.map(({ ours: own, peer }) => ({
      ours: percentile(own?.times, part),
      peer: percentile(peer?.times, part),
    }));
  const rate = runs.map(({ ours: own, peer }) => ({
    ours: own && own.bytesPerSecond / 1e6,
    peer: peer && peer.bytesPerSecond / 1e6,
  }));
  const times = { unit: 'ms', peerName: bare.name, isTime: true };
  return [
    resultOf({ ...times, name: 'link/rtt-p50-under-bulk' }, share(0.5)),
    resultOf({ ...times, name: 'link/rtt-p99-under-bulk' }, share(0.99)),
    resultOf({ name: 'link/bulk-beside-rtt', unit: 'MB/s', peerName: bare.name }, rate),
  ];
}
