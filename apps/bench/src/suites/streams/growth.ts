import type { Growth } from '../../growth.ts';
import { type Result, resultOf } from '../../result.ts';
import type { SuiteContext } from '../../suite.ts';
import { type Delivery, openSession, type Session } from './session.ts';
import type { Contender } from './stage.ts';

const CONSUMERS = [1, 2, 4, 8, 16];

const nameOf = (consumers: number): string => `streams/growth-consumers-${consumers}`;

export const consumersGrowth: Growth = {
  title: 'streams: consumers of one producer, datums of 75 bytes',
  sizes: CONSUMERS,
  columns: [
    { title: 'delivered/s, all together', nameOf },
    { title: 'µs of CPU a datum delivered', nameOf: (consumers) => `${nameOf(consumers)}-cpu` },
    { title: 'of these the producer', nameOf: (consumers) => `${nameOf(consumers)}-producer-cpu` },
  ],
};

interface Figures {
  readonly perSecond: number;
  readonly cpuMicros: number;
  readonly producerMicros: number;
}

/** One producer to which more and more consumers subscribe. CPU is compared with what it is with one: linear growth is 1. */
export async function measureGrowth(context: SuiteContext, ours: Contender): Promise<Result[]> {
  const workload = { name: 'growth', payload: '75B', producers: 1, consumers: 1 } as const;
  await using session = await openSession(ours, workload);
  const taken: Figures[][] = [];
  for (const consumers of CONSUMERS) {
    context.progress(`${nameOf(consumers)}: 75 bytes to ${consumers}`);
    await session.grow(consumers);
    await session.warmUp();
    const runs: Figures[] = [];
    for (let run = 0; run < context.runs; run++) runs.push(await measure(session));
    taken.push(runs);
  }
  return CONSUMERS.flatMap((consumers, index) => resultsOf(consumers, taken[index] ?? [], taken[0] ?? []));
}

async function measure(session: Session): Promise<Figures> {
  const before = await session.cpu();
  const { delivered, perSecond }: Delivery = await session.run();
  const after = await session.cpu();
  const micros = (seconds: number): number => (seconds * 1_000_000) / delivered;
  const producers = after.producers - before.producers;
  const all = producers + after.consumers - before.consumers;
  return { perSecond, cpuMicros: micros(all), producerMicros: micros(producers) };
}

function resultsOf(consumers: number, runs: readonly Figures[], alone: readonly Figures[]): Result[] {
  const beside = (figure: keyof Figures) =>
    runs.map((run, index) => ({ ours: run[figure], peer: alone[index]?.[figure] }));
  const about = { unit: 'µs/datum', peerName: 'with one consumer', isTime: true };
  const name = nameOf(consumers);
  return [
    resultOf({ name, unit: 'datums/s', peerName: 'with one consumer' }, beside('perSecond')),
    resultOf({ name: `${name}-cpu`, ...about }, beside('cpuMicros')),
    resultOf({ name: `${name}-producer-cpu`, ...about }, beside('producerMicros')),
  ];
}
