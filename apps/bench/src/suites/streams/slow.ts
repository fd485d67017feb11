import { performance } from 'node:perf_hooks';
import type { Child } from '../../child.ts';
import { type Contender, openStage } from './stage.ts';
import type { Kept } from './system.ts';

/** What is the matter with the other consumer: there is none; it gets a tenth of the time; it stands still. */
export type Other = 'none' | 'slow' | 'stopped';

export interface Observed extends Kept {
  /** Datums a second that the steady consumer got. */
  readonly perSecond: number;
}

/** A producer, a steady consumer, and at times another one. */
export interface SlowSession extends AsyncDisposable {
  /** Sends for a while as fast as the steady consumer takes it. */
  observe(other: Other): Promise<Observed>;
}

/** Both consumers receive for so long before the other one is hindered, and anything is counted. */
const SETTLE_MS = 500;
/** Long beside the quarter of a second that a consumer may hold up the others once. */
const WINDOW_MS = 4_000;
/** How a process is made slow, whatever it is: it stands still for most of each period. */
const PERIOD_MS = 200;
const AWAKE_MS = 20;
/** The steady consumer is through with what was sent when nothing more has come for so long. */
const QUIET_MS = 100;

export async function openSlow(contender: Contender): Promise<SlowSession> {
  await using stack = new AsyncDisposableStack();
  const stage = stack.use(openStage(contender, '75B'));
  const steady = await stage.start('consumer');
  const sender = await stage.start('broadcaster');
  await connect(sender, [steady]);
  const owned = stack.move();
  return {
    async observe(other) {
      await using hindered = other === 'none' ? undefined : await stage.start('consumer');
      await connect(sender, hindered === undefined ? [steady] : [steady, hindered]);
      await sender.request('start');
      await pause(SETTLE_MS);
      const perSecond = await rateOf(steady, () => hinder(hindered, other));
      const kept = (await sender.request('stop')) as Kept;
      await quiet(steady);
      return { perSecond, ...kept };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function connect(sender: Child, consumers: readonly Child[]): Promise<void> {
  await Promise.all([
    sender.request('connected', consumers.length),
    ...consumers.map((child) => child.request('connected', 1)),
  ]);
}

/** Takes the time of the window. */
async function hinder(child: Child | undefined, other: Other): Promise<void> {
  if (child === undefined) return pause(WINDOW_MS);
  const endsAt = performance.now() + WINDOW_MS;
  try {
    if (other === 'stopped') {
      child.signal('SIGSTOP');
      await pause(WINDOW_MS);
    } else {
      while (performance.now() < endsAt) {
        child.signal('SIGSTOP');
        await pause(PERIOD_MS - AWAKE_MS);
        child.signal('SIGCONT');
        await pause(AWAKE_MS);
      }
    }
  } finally {
    child.signal('SIGCONT');
  }
}

async function rateOf(consumer: Child, during: () => Promise<void>): Promise<number> {
  const [before, startedAt] = [await total(consumer), performance.now()];
  await during();
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
