import { type Result, type ResultName, resultOf } from '../../result.ts';
import type { Suite, SuiteContext } from '../../suite.ts';
import { inTurns, type Sides } from '../../turns.ts';
import type { StoreContender } from './contender.ts';
import { startJetStream } from './jetstream.ts';
import { startMosaikFold, startMosaikStore } from './mosaik.ts';

const IN_FLIGHT = 256;
const APPENDED = 50_000;
const REPLAYED = 1_000_000;

const append: Omit<ResultName, 'peerName'> = { name: 'store/append-fsync', unit: 'datums/s' };
const replay: Omit<ResultName, 'peerName'> = { name: 'store/replay', unit: 'datums/s' };

const appendInMemory: ResultName = { name: 'store/append-memory', unit: 'datums/s', peerName: '' };
const join: ResultName = {
  name: 'store/fold-join',
  unit: 'ms',
  peerName: 'mosaik without a snapshot',
  isTime: true,
};

export const storeSuite: Suite = {
  name: 'store',
  about: 'datums of 75 bytes kept in files and replayed, beside JetStream',
  results: [append.name, replay.name, appendInMemory.name, join.name],
  extras: [appendInMemory.name],
  async run(context) {
    const { nats } = context.peers;
    await using peer = nats === undefined ? undefined : await startJetStream(nats);
    await using ours = await startMosaikStore();
    const sides: Sides<StoreContender> = { ours, peer };
    const peerName = peer?.name ?? 'JetStream';
    await context.measure([append.name], async () => {
      context.progress(`${append.name}: ${APPENDED} datums, at most ${IN_FLIGHT} unacknowledged`);
      const runs = await inTurns(sides, {
        runs: context.runs,
        take: (contender) => contender.append(APPENDED, IN_FLIGHT),
        warmUp: (contender) => contender.append(APPENDED / 5, IN_FLIGHT),
      });
      return [resultOf({ ...append, peerName }, runs)];
    });
    await context.measure([replay.name], async () => {
      context.progress(`${replay.name}: ${REPLAYED} datums from the first on, by a new process each time`);
      const runs = await inTurns(sides, {
        runs: context.runs,
        take: (contender) => contender.replay(REPLAYED),
        warmUp: (contender) => contender.fill(REPLAYED),
      });
      return [resultOf({ ...replay, peerName }, runs)];
    });
    await context.measure([appendInMemory.name, join.name], () => measureFold(context));
  },
};

/** A view of a million data: how fast these are taken, and how long who comes late takes to have it. */
async function measureFold(context: SuiteContext): Promise<Result[]> {
  await using keeper = await startMosaikFold();
  context.progress(`${appendInMemory.name}: ${REPLAYED} datums, at most ${IN_FLIGHT} not taken`);
  const rate = await keeper.append(REPLAYED, IN_FLIGHT);
  context.progress(`${join.name}: a view of ${REPLAYED} datums, by a new process each time`);
  const joining = { join: () => keeper.join(REPLAYED, { hasSnapshot: true }) };
  const afresh = { join: () => keeper.join(REPLAYED, { hasSnapshot: false }) };
  const joined = await inTurns(
    { ours: joining, peer: afresh },
    { runs: context.runs, take: (side) => side.join() },
  );
  return [resultOf(appendInMemory, [{ ours: rate, peer: undefined }]), resultOf(join, joined)];
}
