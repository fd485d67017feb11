import { performance } from 'node:perf_hooks';
import { type Child, startChild } from '../../child.ts';
import { type Contender, openStage, type Stage } from './stage.ts';
import type { Kept } from './system.ts';

/**
 * What is the matter with the other consumer: there is none; it gets a tenth of the time; it stands still. Or it is none, but a
 * process that computes in as much of the time: what a consumer loses beside that is the cores', which all of them share.
 */
export type Other = 'none' | 'working' | 'slow' | 'stopped';

export interface Observed extends Kept {
  /** Datums a second that the steady consumer got. */
  readonly perSecond: number;
}

/** A producer, a steady consumer, and at times another one. */
export interface SlowSession extends AsyncDisposable {
  /** Sends for a while as fast as the steady consumer takes it. */
  observe(other: Other): Promise<Observed>;
}

/**
 * A consumer that lags may hold up the others for a quarter of a second once, and for a twentieth of the time from then on. Of
 * one that is slow the latter is measured, so that it has been slow for a while; of one that stops the former, over as long
 * as makes it a twentieth.
 */
const SETTLE_MS = 1_000;
/** Before it is slow it is as fast as the other one: one that starts computes more than that, also to compile itself. */
const EQUAL_MS = 2_000;
const WINDOW_MS: Readonly<Record<Other, number>> = {
  none: 3_000,
  working: 3_000,
  slow: 3_000,
  stopped: 5_000,
};
/** How a process is made slow, whatever it is: it stands still for most of each period. */
const PERIOD_MS = 200;
const AWAKE_MS = 20;
/** The steady consumer is through with what was sent when nothing more has come for so long. */
const QUIET_MS = 100;

const SPINNER = new URL('./spinner.ts', import.meta.url);

export async function openSlow(contender: Contender): Promise<SlowSession> {
  await using stack = new AsyncDisposableStack();
  const stage = stack.use(openStage(contender, '75B'));
  const steady = await stage.start('consumer');
  const sender = await stage.start('broadcaster');
  await connect(sender, [steady]);
  const owned = stack.move();
  return {
    async observe(other) {
      await using hindered = await startOther(stage, other);
      const isConsumer = hindered !== undefined && other !== 'working';
      await connect(sender, isConsumer ? [steady, hindered] : [steady]);
      await sender.request('start');
      const perSecond = await rateBeside(steady, hindered, other);
      const kept = (await sender.request('stop')) as Kept;
      await quiet(steady);
      return { perSecond, ...kept };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startOther(stage: Stage, other: Other): Promise<Child | undefined> {
  if (other === 'none') return undefined;
  return other === 'working' ? startChild(SPINNER) : stage.start('consumer');
}

async function connect(sender: Child, consumers: readonly Child[]): Promise<void> {
  await Promise.all([
    sender.request('connected', consumers.length),
    ...consumers.map((child) => child.request('connected', 1)),
  ]);
}

/** Datums a second that a consumer gets once things have settled, while the other one is hindered. */
async function rateBeside(consumer: Child, hindered: Child | undefined, other: Other): Promise<number> {
  const window = (): Promise<number> => rateOf(consumer, WINDOW_MS[other]);
  const isAlternating = other === 'slow' || other === 'working';
  if (!isAlternating) await pause(SETTLE_MS);
  if (hindered === undefined) return window();
  if (other === 'slow') await pause(EQUAL_MS);
  const hindrance = hinder(hindered, other);
  try {
    if (isAlternating) await pause(SETTLE_MS);
    return await window();
  } finally {
    await hindrance.end();
  }
}

/** Stops the process for good, or most of the time; ending it has the process go on. */
function hinder(child: Child, other: Other): { end(): Promise<void> } {
  let isOver = false;
  const alternate = async (): Promise<void> => {
    while (!isOver) {
      child.signal('SIGSTOP');
      await pause(PERIOD_MS - AWAKE_MS);
      child.signal('SIGCONT');
      await pause(AWAKE_MS);
    }
  };
  if (other === 'stopped') child.signal('SIGSTOP');
  const alternating = other === 'stopped' ? undefined : alternate();
  return {
    async end() {
      isOver = true;
      await alternating;
      child.signal('SIGCONT');
    },
  };
}

async function rateOf(consumer: Child, durationMs: number): Promise<number> {
  const [before, startedAt] = [await total(consumer), performance.now()];
  await pause(durationMs);
  const [after, endedAt] = [await total(consumer), performance.now()];
  return (after - before) / ((endedAt - startedAt) / 1000);
}

async function quiet(consumer: Child): Promise<void> {
  for (let before = -1, now = await total(consumer); now !== before; now = await total(consumer)) {
    before = now;
    await pause(QUIET_MS);
  }
}

function total(consumer: Child): Promise<number> {
  return consumer.request('total') as Promise<number>;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
