import { performance } from 'node:perf_hooks';
import { type Child, startChild } from '../../child.ts';
import type { PayloadName } from './payload.ts';
import type { Role, SystemName } from './system.ts';

/** Who sends what to whom. */
export interface Workload {
  readonly name: string;
  readonly payload: PayloadName;
  readonly producers: number;
  readonly consumers: number;
  /** Datums that each producer sends to warm up; by the rate of these the runs are sized. */
  readonly warmUp: number;
}

/** A system under test. */
export interface Contender {
  readonly name: string;
  readonly system: SystemName;
  /** Its server, where it has one. */
  readonly address?: string;
}

/** The processes of one workload over one system. */
export interface Session extends AsyncDisposable {
  /** Sends and waits until everybody has everything; datums delivered a second, all consumers together. */
  throughput(): Promise<number>;
  warmUp(): Promise<void>;
}

/** Round trips between two processes over one system. */
export interface RoundTripSession extends AsyncDisposable {
  roundTrips(count: number): Promise<number[]>;
}

const RUN_SECONDS = 1.5;

export async function openSession(contender: Contender, workload: Workload): Promise<Session> {
  await using stack = new AsyncDisposableStack();
  const start = starter(contender, workload.payload, stack);
  const consumers = await startAll(workload.consumers, () => start('consumer'));
  const producers = await startAll(workload.producers, () => start('producer'));
  await Promise.all([
    ...consumers.map((child) => child.request('connected', workload.producers)),
    ...producers.map((child) => child.request('connected', workload.consumers)),
  ]);
  let each = workload.warmUp;
  const run = async (): Promise<number> => {
    const startedAt = performance.now();
    const received = consumers.map((child) => child.request('receive', each * producers.length));
    const sent = producers.map((child) => child.request('send', each));
    await Promise.all([...sent, ...received]);
    const seconds = (performance.now() - startedAt) / 1000;
    return (each * producers.length * consumers.length) / seconds;
  };
  const owned = stack.move();
  return {
    throughput: run,
    async warmUp() {
      await run();
      const rate = await run();
      each = Math.ceil((rate * RUN_SECONDS) / (producers.length * consumers.length));
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export async function openRoundTrips(contender: Contender, payload: PayloadName): Promise<RoundTripSession> {
  await using stack = new AsyncDisposableStack();
  const start = starter(contender, payload, stack);
  const responder = await start('responder');
  const requester = await start('requester');
  await Promise.all([responder.request('connected', 1), requester.request('connected', 1)]);
  const owned = stack.move();
  return {
    roundTrips: (count) => requester.request('roundTrips', count) as Promise<number[]>,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Starts processes, each knowing the server's address, or where there is none that of the first. */
function starter(
  { system, address = '' }: Contender,
  payload: PayloadName,
  stack: AsyncDisposableStack,
): (role: Role) => Promise<Child> {
  let known = address;
  return async (role) => {
    const child = await startChild(new URL('./worker.ts', import.meta.url), [system, role, known, payload]);
    stack.use(child);
    if (known === '') known = child.ready;
    return child;
  };
}

/** One after the other: all at once would ask two cores for nine starts. */
async function startAll(count: number, start: () => Promise<Child>): Promise<Child[]> {
  const children: Child[] = [];
  for (let index = 0; index < count; index++) children.push(await start());
  return children;
}
