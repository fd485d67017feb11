import { setTimeout as sleep } from 'node:timers/promises';
import type { Status } from '../contract.ts';
import { nowMs } from '../journal.ts';
import { type Actor, BEACON, FIRST, isSettled, LATECOMER, MATCHERS, TRADERS } from './cast.ts';
import type { Cluster } from './cluster.ts';
import { leaderIn, type Screen } from './screen.ts';

/** How long each thing may take before the play goes on without it; the report then says that it does not hold. */
const PATIENCE_MS = { form: 25_000, recover: 12_000, whole: 10_000, notice: 10_000, late: 10_000 } as const;
/** The kill of the leader comes so long after all was formed, and the others after what was before. */
const CALM_MS = { beforeKill: 4_000, beforeReturn: 2_000, beforeBeacon: 2_000, beforeLate: 500 } as const;
const FORMING_EVERY_MS = 500;
const STANDING_EVERY_MS = 2_000;

export interface PlayOptions {
  readonly cluster: Cluster;
  readonly screen: Screen;
  /** Ends the play. */
  readonly signal: AbortSignal;
  /** No scene begins after it; in ms since the Unix epoch. */
  readonly endMs: number;
}

/** What happens, in its order. Nothing in here is for the report: that is made of what was written down. */
export async function play(options: PlayOptions): Promise<void> {
  const { screen, cluster, signal } = options;
  const forming = setInterval(() => screen.standing(cluster.statuses), FORMING_EVERY_MS);
  await startAll(options).finally(() => clearInterval(forming));
  const showing = setInterval(() => screen.standing(cluster.statuses), STANDING_EVERY_MS);
  try {
    for (const scene of [losesLeader, getsItBack, losesBeacon, welcomesLatecomer]) {
      if (signal.aborted || nowMs() > options.endMs) return;
      await scene(options);
    }
  } finally {
    clearInterval(showing);
  }
}

async function startAll(options: PlayOptions): Promise<void> {
  const { cluster, screen, signal } = options;
  const order = FIRST.map((actor) => ({ actor, at: Math.random() })).sort((a, b) => a.at - b.at);
  screen.event(`starting ${order.length} processes in random order, each told one address: the beacon's`);
  const shown = new Set<string>();
  const showNew = (): boolean => {
    for (const [name, { topology }] of cluster.statuses) {
      if (!shown.has(name)) screen.event(`${name} is up, and knows ${topology.peers.length} others`);
      shown.add(name);
    }
    return areSettled(cluster, FIRST);
  };
  for (const { actor } of order) {
    cluster.start(actor);
    await cluster.until(showNew, Math.random() * 200, signal);
    if (signal.aborted) return;
  }
  await expect(options, {
    check: showNew,
    withinMs: PATIENCE_MS.form,
    good: () => 'formed: everybody knows everybody, the matchers have a leader',
    bad: 'the system did not form',
  });
  screen.topology(cluster.statuses);
}

async function losesLeader(options: PlayOptions): Promise<void> {
  const { cluster, screen, signal } = options;
  await calm(CALM_MS.beforeKill, signal);
  const leader = leaderIn(cluster.statuses);
  if (leader === undefined) return screen.event('there is no leader to kill', 'bad');
  const killedMs = nowMs();
  screen.event(`kill -9 of ${leader}, the leader of the matchers`, 'loud');
  await cluster.kill(leader);
  const isServing = (): boolean =>
    TRADERS.every(({ name }) => (cluster.statuses.get(name)?.newestSentMs ?? 0) > killedMs);
  await expect(options, {
    check: isServing,
    withinMs: PATIENCE_MS.recover,
    good: () => `${leaderIn(cluster.statuses) ?? 'another'} leads; new orders are acknowledged`,
    bad: 'orders are not acknowledged again',
  });
}

async function getsItBack(options: PlayOptions): Promise<void> {
  const { cluster, screen, signal } = options;
  await calm(CALM_MS.beforeReturn, signal);
  // Not who has not told of itself yet: on a slow machine that one is only starting.
  const missing = MATCHERS.find(({ name }) => !cluster.isRunning(name));
  if (missing === undefined || signal.aborted) return;
  screen.event(`${missing.name} is started again, with what it has on disk`);
  cluster.start(missing);
  await expect(options, {
    check: () => areSettled(cluster, FIRST),
    withinMs: PATIENCE_MS.whole,
    good: () => `${missing.name} has caught up and votes again`,
    bad: `${missing.name} did not come back`,
  });
}

async function losesBeacon(options: PlayOptions): Promise<void> {
  const { cluster, screen, signal } = options;
  await calm(CALM_MS.beforeBeacon, signal);
  const peer = cluster.statuses.get(BEACON.name)?.peer ?? '';
  screen.event('kill -9 of the beacon, the one address that everybody was told', 'loud');
  await cluster.kill(BEACON.name);
  const isForgotten = (): boolean =>
    [...cluster.statuses.values()].every(({ topology }) => !topology.peers.includes(peer));
  await expect(options, {
    check: isForgotten,
    withinMs: PATIENCE_MS.notice,
    good: () => 'it is gone from every catalog; nothing else has changed',
    bad: 'some still take the beacon for alive',
  });
}

async function welcomesLatecomer(options: PlayOptions): Promise<void> {
  const { cluster, screen, signal } = options;
  await calm(CALM_MS.beforeLate, signal);
  const others = [...cluster.statuses];
  const [name, status] = others[Math.floor(Math.random() * others.length)] ?? [];
  if (name === undefined || status === undefined || signal.aborted) return;
  screen.event(`${LATECOMER.name} joins late, and is told one address: that of ${name}`);
  cluster.start(LATECOMER, status.address);
  await expect(options, {
    check: () => hasCaughtUp(cluster.statuses),
    withinMs: PATIENCE_MS.late,
    good: () => `${LATECOMER.name} has caught up with all fills since the beginning`,
    bad: `${LATECOMER.name} did not catch up`,
  });
}

/** Waits for something, and says whether it came. */
async function expect(
  { cluster, screen, signal }: PlayOptions,
  wanted: {
    readonly check: () => boolean;
    readonly withinMs: number;
    readonly good: () => string;
    readonly bad: string;
  },
): Promise<void> {
  const { check, withinMs, good, bad } = wanted;
  const hasCome = await cluster.until(check, withinMs, signal);
  if (signal.aborted) return;
  if (hasCome) screen.event(good(), 'good');
  else screen.event(bad, 'bad');
}

function hasCaughtUp(statuses: ReadonlyMap<string, Status>): boolean {
  const late = statuses.get(LATECOMER.name);
  return late?.isCaughtUp === true && (late.reported ?? 0) > 0;
}

function areSettled(cluster: Cluster, actors: readonly Actor[]): boolean {
  const { statuses } = cluster;
  return actors.every((actor) => {
    const status = statuses.get(actor.name);
    return status !== undefined && isSettled(actor, status.topology, actors.length);
  });
}

async function calm(durationMs: number, signal: AbortSignal): Promise<void> {
  await sleep(durationMs, undefined, { signal }).catch(() => {});
}
