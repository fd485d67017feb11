import { type Result, resultOf } from '../../result.ts';
import type { SuiteContext } from '../../suite.ts';
import { takeTurns } from '../../turns.ts';
import { type Observed, type Other, openSlow, type SlowSession } from './slow.ts';
import type { Contender } from './stage.ts';

const MIB = 1024 * 1024;
/** The default of producers: `bufferBytes`. */
const BUFFER_MIB = 8;
/** Each takes four windows of some seconds. */
const RUNS_MAX = 3;
/** Until V8 has compiled what runs: a consumer that goes on to get faster would seem to gain from the other one. */
const WARM_UP_WINDOWS = 3;

const shares = [
  { name: 'streams/slow-consumer', other: 'slow' },
  { name: 'streams/stopped-consumer', other: 'stopped' },
  { name: 'streams/beside-other-work', other: 'working' },
] as const satisfies readonly { name: string; other: Hindered }[];
const queue = 'streams/slow-consumer-queue';
const rss = 'streams/slow-consumer-rss';

export const laggingNames: readonly string[] = [...shares.map(({ name }) => name), queue, rss];

type Hindered = Exclude<Other, 'none'>;

/** What was observed with another consumer, and without it right before: what a machine gives changes from one minute to the next. */
interface Pair {
  readonly alone: Observed;
  readonly beside: Observed;
}
type Observations = Readonly<Partial<Record<Hindered, Pair>>>;

/**
 * What a consumer gets of a producer while another one lags, as a share of what it gets alone, measured just before; and what
 * the producer keeps for the one that lags.
 */
export async function measureLagging(
  context: SuiteContext,
  ours: Contender,
  nats: Contender | undefined,
): Promise<Result[]> {
  const others = othersOf(context);
  context.progress(`streams/slow-consumer: one consumer alone, and beside another one: ${others.join(', ')}`);
  await using stack = new AsyncDisposableStack();
  const open = async (contender: Contender): Promise<SlowSession> => stack.use(await openSlow(contender));
  const sessions = [await open(ours), nats === undefined ? undefined : await open(nats)];
  const rounds = await takeTurns(sessions, {
    runs: Math.min(context.runs, RUNS_MAX),
    take: (session) => observeAll(session, others),
    warmUp: async (session) => {
      for (let window = 0; window < WARM_UP_WINDOWS; window++) await session.observe('none');
    },
  });
  const oursTaken = rounds.flatMap(([taken]) => taken ?? []);
  return [
    ...shares.map(({ name, other }) =>
      resultOf(
        { name, unit: 'of the rate without it', peerName: nats?.name ?? 'NATS' },
        rounds.map(([taken, peer]) => ({ ours: shareOf(taken?.[other]), peer: shareOf(peer?.[other]) })),
      ),
    ),
    resultOf(
      { name: queue, unit: 'MiB', peerName: 'its buffer', isTime: true },
      oursTaken.map((taken) => ({
        ours: mostOf(taken, ({ beside }) => beside.queuedBytes) / MIB,
        peer: BUFFER_MIB,
      })),
    ),
    resultOf(
      { name: rss, unit: 'MiB', peerName: 'the producer without it', isTime: true },
      oursTaken.map((taken) => ({
        ours: mostOf(taken, ({ beside }) => beside.rssBytes) / MIB,
        peer: mostOf(taken, ({ alone }) => alone.rssBytes) / MIB,
      })),
    ),
  ];
}

/** What is kept for one that lags is seen with either kind of it. */
function othersOf({ wants }: SuiteContext): Hindered[] {
  const wanted = shares.filter(({ name }) => wants(name)).map(({ other }): Hindered => other);
  const lagging = wanted.filter((other) => other !== 'working');
  return lagging.length === 0 && wants(queue, rss) ? [...wanted, 'slow'] : wanted;
}

async function observeAll(session: SlowSession, others: readonly Hindered[]): Promise<Observations> {
  const taken: [Hindered, Pair][] = [];
  for (const other of others) {
    const alone = await session.observe('none');
    taken.push([other, { alone, beside: await session.observe(other) }]);
  }
  return Object.fromEntries(taken);
}

function shareOf(pair: Pair | undefined): number | undefined {
  return pair && pair.beside.perSecond / pair.alone.perSecond;
}

/** The most of one that lags; a process that only computes is none. */
function mostOf({ slow, stopped }: Observations, figureOf: (pair: Pair) => number): number {
  const figures = [slow, stopped].flatMap((pair) => (pair === undefined ? [] : [figureOf(pair)]));
  return figures.length === 0 ? Number.NaN : Math.max(...figures);
}
