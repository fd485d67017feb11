import type { Noted } from '../journal.ts';
import { type Actor, FIRST, isSettled, LATECOMER, TRADERS } from '../stage/cast.ts';
import { killedAt, notesOf, type Records } from './records.ts';

/** What took how long, in ms; undefined for what did not come about. */
export interface Times {
  /** From the start of the last process until everybody knew everybody and the matchers had a leader. */
  readonly toForm: number | undefined;
  /** The same from when the last node took part: without what a process takes to start. */
  readonly toFormOnceUp: number | undefined;
  /** From the kill of the leader until an order was acknowledged that was sent after it. */
  readonly toRecover: number | undefined;
  /** From the start of the killed matcher until it voted again, as it saw it. */
  readonly toReturn: number | undefined;
  /** From the kill of the beacon until it was in nobody's catalog. */
  readonly toNotice: number | undefined;
  /** The longest time without an acknowledgement in the five seconds after that kill. */
  readonly pauseWithoutBeacon: number | undefined;
  /** From the start of the late reporter until its view had a snapshot or fills. */
  readonly toJoinLate: number | undefined;
  /** The longest that it took to make a node, without the start of its process; and to close it. */
  readonly slowestCreate: number | undefined;
  readonly slowestClose: number | undefined;
}

export function makeTimes(records: Records): Times {
  const { byName } = records;
  const all = [...byName.values()].flat();
  return {
    toForm: since(
      lastOf((name) => startOf(records, name)),
      formedAt(records),
    ),
    toFormOnceUp: since(
      lastOf((name) => notesOf(byName.get(name), 'up')[0]?.atMs),
      formedAt(records),
    ),
    toRecover: timeToRecover(records),
    toReturn: timeToReturn(records),
    toNotice: timeToNotice(records),
    pauseWithoutBeacon: pauseWithoutBeacon(records),
    toJoinLate: since(
      startOf(records, LATECOMER.name),
      notesOf(byName.get(LATECOMER.name), 'reported').find(({ next }) => next > 0)?.atMs,
    ),
    slowestCreate: largest(notesOf(all, 'up').map(({ createMs }) => createMs)),
    slowestClose: largest(notesOf(all, 'closed').map(({ closeMs }) => closeMs)),
  };
}

function formedAt({ byName }: Records): number | undefined {
  const settled = FIRST.map((actor) => settledAt(actor, byName.get(actor.name) ?? []));
  return settled.every((atMs) => atMs !== undefined) ? Math.max(...settled) : undefined;
}

/** When the last of those that are started at first came to something. */
function lastOf(momentOf: (name: string) => number | undefined): number {
  return Math.max(...FIRST.map(({ name }) => momentOf(name) ?? Number.NaN));
}

function settledAt(actor: Actor, notes: readonly Noted[]): number | undefined {
  return notesOf(notes, 'topology').find(({ topology }) => isSettled(actor, topology, FIRST.length))?.atMs;
}

/** The slowest trader counts. */
function timeToRecover(records: Records): number | undefined {
  const killedMs = killedAt(records, 'matcher')?.atMs;
  if (killedMs === undefined) return undefined;
  const back = TRADERS.map(
    ({ name }) =>
      notesOf(records.byName.get(name), 'acknowledged').find(({ sentMs }) => sentMs > killedMs)?.atMs,
  );
  return back.every((atMs) => atMs !== undefined) ? Math.max(...back) - killedMs : undefined;
}

function timeToReturn(records: Records): number | undefined {
  const name = killedAt(records, 'matcher')?.name ?? '';
  const actor = FIRST.find((one) => one.name === name);
  const again = notesOf(records.runner, 'started').filter((note) => note.name === name)[1]?.atMs;
  if (actor === undefined || again === undefined) return undefined;
  const later = (records.byName.get(name) ?? []).filter(({ atMs }) => atMs > again);
  return since(again, settledAt(actor, later));
}

function timeToNotice(records: Records): number | undefined {
  const killed = killedAt(records, 'beacon');
  const [beacon] = notesOf(records.byName.get('beacon'), 'up');
  if (killed === undefined || beacon === undefined) return undefined;
  const noticed = FIRST.filter(({ role }) => role !== 'beacon').map(({ name }) =>
    notesOf(records.byName.get(name), 'topology').find(
      ({ atMs, topology }) => atMs > killed.atMs && !topology.peers.includes(beacon.peer),
    ),
  );
  if (!noticed.every((note) => note !== undefined)) return undefined;
  return Math.max(...noticed.map(({ atMs }) => atMs)) - killed.atMs;
}

function pauseWithoutBeacon(records: Records): number | undefined {
  const killedMs = killedAt(records, 'beacon')?.atMs;
  if (killedMs === undefined) return undefined;
  const times = TRADERS.flatMap(({ name }) => notesOf(records.byName.get(name), 'acknowledged'))
    .map(({ atMs }) => atMs)
    .filter((atMs) => atMs > killedMs && atMs < killedMs + 5_000)
    .sort((a, b) => a - b);
  return largest(times.map((atMs, index) => atMs - (times[index - 1] ?? killedMs)));
}

function startOf({ runner }: Records, name: string): number | undefined {
  return notesOf(runner, 'started').find((note) => note.name === name)?.atMs;
}

function since(fromMs: number | undefined, toMs: number | undefined): number | undefined {
  return fromMs === undefined || toMs === undefined ? undefined : toMs - fromMs;
}

function largest(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.max(...values);
}
