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
  { name: 'streams/beside-other-work', other: 'working' },
  { name: 'streams/slow-consumer', other: 'slow' },
  { name: 'streams/stopped-consumer', other: 'stopped' },
] as const satisfies readonly { name: string; other: Hindered }[];
const queue = 'streams/slow-consumer-queue';
const rss = 'streams/slow-consumer-rss';

export const laggingNames: readonly string[] = [...shares.map(({ name }) => name), queue, rss];

type Hindered = Exclude<Other, 'none'>;

/** What was observed with each, and what without it right before: what a machine gives changes from one minute to the next. */
type Observations = Readonly<Record<Hindered, { readonly alone: Observed; readonly beside: Observed }>>;

/**
 * What a consumer gets of a producer while another one lags, as a share of what it gets alone, measured just before; and what
 * the producer keeps for the one that lags.
 */
export async function measureLagging(
  context: SuiteContext,
  ours: Contender,
  nats: Contender | undefined,
): Promise<Result[]> {
  context.progress(
    'streams/slow-consumer: one consumer alone, beside other work, a slow one, one that stands still',
  );
  await using stack = new AsyncDisposableStack();
  const open = async (contender: Contender): Promise<SlowSession> => stack.use(await openSlow(contender));
  const sessions = [await open(ours), nats === undefined ? undefined : await open(nats)];
  const rounds = await takeTurns(sessions, {
    runs: Math.min(context.runs, RUNS_MAX),
    take: observeAll,
    warmUp: async (session) => {
      for (let window = 0; window < WARM_UP_WINDOWS; window++) await session.observe('none');
    },
  });
  const shareOf = (taken: Observations | undefined, other: Hindered): number | undefined =>
    taken && taken[other].beside.perSecond / taken[other].alone.perSecond;
  const oursTaken = rounds.flatMap(([taken]) => taken ?? []);
  return [
    ...shares.map(({ name, other }) =>
      resultOf(
        { name, unit: 'of the rate without it', peerName: nats?.name ?? 'NATS' },
        rounds.map(([taken, peer]) => ({ ours: shareOf(taken, other), peer: shareOf(peer, other) })),
      ),
    ),
    resultOf(
      { name: queue, unit: 'MiB', peerName: 'its buffer', isTime: true },
      oursTaken.map(({ slow, stopped }) => ({
        ours: Math.max(slow.beside.queuedBytes, stopped.beside.queuedBytes) / MIB,
        peer: BUFFER_MIB,
      })),
    ),
    resultOf(
      { name: rss, unit: 'MiB', peerName: 'the producer without it', isTime: true },
      oursTaken.map(({ slow, stopped }) => ({
        ours: Math.max(slow.beside.rssBytes, stopped.beside.rssBytes) / MIB,
        peer: Math.max(slow.alone.rssBytes, stopped.alone.rssBytes) / MIB,
      })),
    ),
  ];
}

async function observeAll(session: SlowSession): Promise<Observations> {
  const observe = async (other: Hindered) => ({
    alone: await session.observe('none'),
    beside: await session.observe(other),
  });
  const working = await observe('working');
  const slow = await observe('slow');
  return { working, slow, stopped: await observe('stopped') };
}
