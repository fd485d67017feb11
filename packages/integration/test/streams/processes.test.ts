import { sleep, systemRuntime } from '@mosaik/primitives';
import { expect, it } from 'vitest';
import { type ConsumerReport, StreamsCluster, type StreamsProcess } from '../support/streams.ts';
import { until } from '../support/wait.ts';

const MIB = 1024 * 1024;
/** What the producer is asked to send; more is only making up for a wait. */
const PER_SECOND = 5_000;
const WINDOW_MS = 3_000;

/** Data a second that a consumer receives, over a while. */
async function rateOf(consumer: StreamsProcess): Promise<number> {
  const [before, startMs] = [await consumer.consumer(), systemRuntime.now()];
  await sleep(systemRuntime, WINDOW_MS);
  const [after, endMs] = [await consumer.consumer(), systemRuntime.now()];
  return ((after.datums - before.datums) / (endMs - startMs)) * 1_000;
}

async function untilSeen(
  consumer: StreamsProcess,
  check: (report: ConsumerReport) => boolean,
): Promise<void> {
  let report = await consumer.consumer();
  const isSeen = async (): Promise<boolean> => {
    report = await consumer.consumer();
    return check(report);
  };
  await until('the consumer has seen it', 20_000, isSeen).catch((error: Error) => {
    throw new Error(`${error.message}; it is ${JSON.stringify(report)}`, { cause: error });
  });
}

it('a producer that waits for two consumers sends when both are there, and both see everything', async () => {
  await using cluster = new StreamsCluster();
  const producer = await cluster.start('streams 0');
  await producer.call('produce', { minimum: 2 });
  await producer.call('flow', { perSecond: 1_000 });
  const first = await cluster.start('streams 1');
  await first.call('consume');
  await until('one is subscribed', 10_000, async () => (await producer.producer()).subscribed === 1);
  const waiting = await producer.producer();
  expect(waiting.isOnline).toBe(false);
  expect(waiting.why).toBe('offline: needs at least 2 consumers, 1 subscribed');
  expect((await first.consumer()).datums).toBe(0);

  const second = await cluster.start('streams 2');
  await second.call('consume');
  for (const consumer of [first, second]) await untilSeen(consumer, ({ datums }) => datums >= 1_000);
  await producer.call('stop');
  const { sent } = await producer.producer();
  for (const consumer of [first, second]) {
    await untilSeen(consumer, ({ last }) => last === sent - 1);
    expect(await consumer.consumer()).toMatchObject({ datums: sent, gaps: [], misplaced: [] });
  }
});

it('a producer that is killed and comes back is found again, and what is missing is a gap', async () => {
  await using cluster = new StreamsCluster();
  const consumer = await cluster.start('killed 0');
  await consumer.call('consume');
  const producer = await cluster.start('killed 1');
  await producer.call('produce', { minimum: 1 });
  await producer.call('flow', { perSecond: 1_000 });
  await untilSeen(consumer, ({ datums }) => datums >= 500);
  producer.signal('SIGKILL');
  await producer.exited;
  const { datums } = await consumer.consumer();

  const again = await cluster.start('killed 1');
  expect(again.peerId).toBe(producer.peerId);
  await again.call('produce', { minimum: 1 });
  await again.call('flow', { perSecond: 1_000 });
  await untilSeen(consumer, (report) => report.datums >= datums + 500);
  const { gaps, misplaced } = await consumer.consumer();
  // JSON has no undefined: a gap without an end has no `to`.
  expect(gaps).toMatchObject([{ producer: producer.peerId }]);
  expect(gaps[0]?.to).toBeUndefined();
  expect(gaps[0]?.from).toBeGreaterThanOrEqual(500);
  expect(misplaced).toEqual([]);
});

it('a consumer that stands still is dropped, is back by itself with the gap, and disturbs nobody', async () => {
  await using cluster = new StreamsCluster();
  const producer = await cluster.start('stopped 0');
  const bufferBytes = 2 * MIB;
  await producer.call('produce', { minimum: 1, bufferBytes });
  const [steady, stopped] = [await cluster.start('stopped 1'), await cluster.start('stopped 2')];
  for (const consumer of [steady, stopped]) await consumer.call('consume');
  await until('both are subscribed', 10_000, async () => (await producer.producer()).subscribed === 2);
  await producer.call('flow', { perSecond: PER_SECOND });
  await untilSeen(steady, ({ datums }) => datums >= PER_SECOND);
  const before = await rateOf(steady);
  const { rssBytes } = await producer.producer();

  stopped.signal('SIGSTOP');
  const during = await rateOf(steady);
  const report = await producer.producer();
  stopped.signal('SIGCONT');
  console.log(
    `before ${before.toFixed(0)}/s, while one stood still ${during.toFixed(0)}/s; at most ` +
      `${(report.maxQueuedBytes / MIB).toFixed(2)} MiB queued, ${((report.maxRssBytes - rssBytes) / MIB).toFixed(0)} MiB more resident`,
  );
  expect(report.droppedTooSlow).toBe(1);
  expect(during / Math.min(before, PER_SECOND)).toBeGreaterThanOrEqual(0.95);
  expect(report.maxQueuedBytes).toBeLessThanOrEqual(bufferBytes + 64 * 1024);
  expect(report.maxRssBytes - rssBytes).toBeLessThan(100 * MIB);

  await untilSeen(stopped, ({ state, gaps }) => state === 'live' && gaps.length > 0);
  const { sent: atLeast } = await producer.producer();
  await untilSeen(stopped, ({ last }) => last >= atLeast);
  await producer.call('stop');
  const { sent } = await producer.producer();
  for (const consumer of [steady, stopped]) await untilSeen(consumer, ({ last }) => last === sent - 1);
  const back = await stopped.consumer();
  expect(back.misplaced).toEqual([]);
  const missing = back.gaps.reduce((sum, { from, to }) => sum + (to ?? Number.NaN) - from, 0);
  expect(back.datums + missing).toBe(sent);
  expect(await steady.consumer()).toMatchObject({ datums: sent, gaps: [], misplaced: [] });
});
