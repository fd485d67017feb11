import { performance } from 'node:perf_hooks';
import type { Child } from '../../child.ts';
import type { PayloadName } from './payload.ts';
import { type Contender, openStage } from './stage.ts';

/** Who sends what to whom. */
export interface Workload {
  readonly name: string;
  readonly payload: PayloadName;
  readonly producers: number;
  readonly consumers: number;
}

/** The processes of one workload over one system. */
export interface Session extends AsyncDisposable {
  /** Sends and waits until everybody has everything. */
  run(): Promise<Delivery>;
  /** To be called before the first run, and again when consumers were added. */
  warmUp(): Promise<void>;
  /** Adds consumers until there are so many. */
  grow(consumers: number): Promise<void>;
  /** What its processes have computed since they started, in seconds. */
  cpu(): Promise<Cpu>;
}

export interface Delivery {
  /** Datums, of all consumers together. */
  readonly delivered: number;
  readonly perSecond: number;
}

export interface Cpu {
  readonly producers: number;
  readonly consumers: number;
}

/** Round trips between two processes over one system. */
export interface RoundTripSession extends AsyncDisposable {
  roundTrips(count: number): Promise<number[]>;
}

/** What each producer sends first of all. */
const PROBE = 200;
/** What runs last, each by the rate of the one before it. */
const FIRST_SECONDS = 0.3;
const RUN_SECONDS = 1;
/**
 * The first ones warm up, until so many in a row were not the fastest so far: V8 has compiled what runs then. Of nine processes on
 * two cores each computes for a fifth of the time, and what it does once for a thousand data takes a while to be compiled.
 */
const NO_FASTER_RUNS = 3;
const WARM_UP_RUNS_MAX = 20;

export async function openSession(contender: Contender, workload: Workload): Promise<Session> {
  await using stack = new AsyncDisposableStack();
  const stage = stack.use(openStage(contender, workload.payload));
  const consumers = await stage.startAll('consumer', workload.consumers);
  const producers = await stage.startAll('producer', workload.producers);
  await connect(producers, consumers);
  let each = PROBE;
  const run = async (): Promise<Delivery> => {
    const startedAt = performance.now();
    const received = consumers.map((child) => child.request('receive', each * producers.length));
    const sent = producers.map((child) => child.request('send', each));
    await Promise.all([...sent, ...received]);
    const delivered = each * producers.length * consumers.length;
    return { delivered, perSecond: delivered / ((performance.now() - startedAt) / 1000) };
  };
  const owned = stack.move();
  return {
    run,
    async warmUp() {
      const runFor = async (seconds: number): Promise<number> => {
        const { perSecond } = await run();
        each = Math.ceil((perSecond * seconds) / (producers.length * consumers.length));
        return perSecond;
      };
      each = PROBE;
      for (const seconds of [FIRST_SECONDS, RUN_SECONDS]) await runFor(seconds);
      let best = 0;
      let noFaster = 0;
      for (let runs = 0; runs < WARM_UP_RUNS_MAX && noFaster < NO_FASTER_RUNS; runs++) {
        const perSecond = await runFor(RUN_SECONDS);
        noFaster = perSecond > best ? 0 : noFaster + 1;
        best = Math.max(best, perSecond);
      }
    },
    async grow(count) {
      consumers.push(...(await stage.startAll('consumer', count - consumers.length)));
      await connect(producers, consumers);
    },
    cpu: async () => ({ producers: await cpuOf(producers), consumers: await cpuOf(consumers) }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export async function openRoundTrips(contender: Contender, payload: PayloadName): Promise<RoundTripSession> {
  await using stack = new AsyncDisposableStack();
  const stage = stack.use(openStage(contender, payload));
  const responder = await stage.start('responder');
  const requester = await stage.start('requester');
  await connect([responder], [requester]);
  const owned = stack.move();
  return {
    roundTrips: (count) => requester.request('roundTrips', count) as Promise<number[]>,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Waits until each of the ones has all of the others. */
async function connect(ones: readonly Child[], others: readonly Child[]): Promise<void> {
  await Promise.all([
    ...ones.map((child) => child.request('connected', others.length)),
    ...others.map((child) => child.request('connected', ones.length)),
  ]);
}

async function cpuOf(children: readonly Child[]): Promise<number> {
  const seconds = await Promise.all(children.map((child) => child.cpuSeconds()));
  return seconds.reduce((sum, one) => sum + one, 0);
}
