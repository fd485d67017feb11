import { CAST } from '../stage/cast.ts';
import { type Ledger, makeLedger } from './ledger.ts';
import { killedAt, notesOf, type Records } from './records.ts';
import { makeTimes, type Times } from './times.ts';

/** Something that was promised. */
export interface Check {
  readonly promise: string;
  readonly holds: boolean;
  /** What was found instead. */
  readonly found?: string;
}

export interface Report {
  readonly holds: boolean;
  readonly ledger: Ledger;
  readonly timesMs: Times;
  readonly checks: readonly Check[];
}

/** Tells what happened, from nothing but what the processes wrote down. */
export function makeReport(records: Records, surprises: readonly string[]): Report {
  const ledger = makeLedger(records);
  const timesMs = makeTimes(records);
  const checks = [
    ...checksOfOrders(ledger),
    ...checksOfTimes(timesMs),
    none('no view has another state than a view of the same fills', divergencesIn(records)),
    none('no process ended by itself', surprises),
    none('every process that was not killed left in an orderly way', notClosed(records)),
  ];
  return { holds: checks.every(({ holds }) => holds), ledger, timesMs, checks };
}

function checksOfOrders(ledger: Ledger): Check[] {
  const { sent, acknowledged, executed, fills, reported } = ledger;
  const views = Object.entries(reported);
  const behind = views.filter(([, next]) => next !== fills).map(([name, next]) => `${name} has ${next}`);
  return [
    { promise: 'orders were sent', holds: sent > 0 },
    none('no acknowledged order was lost', ledger.lost),
    none('no order was executed twice', ledger.duplicated),
    none('no order was refused', ledger.refused),
    equal('every order that was sent was acknowledged', acknowledged, sent),
    equal('the matchers executed what was sent, and nothing else', executed, sent),
    none('all matchers wrote down the same orders and fills, in the same order', ledger.disagreements),
    { promise: 'fills were reported', holds: views.length === 3 && fills > 0 },
    none('every reporter has every fill', behind),
    none('every view is what the orders give when matched again', ledger.wrongViews),
  ];
}

function checksOfTimes(times: Times): Check[] {
  const happened = (promise: string, ms: number | undefined): Check => ({ promise, holds: ms !== undefined });
  return [
    happened('the system formed', times.toForm),
    happened('orders went on after the leader was killed', times.toRecover),
    happened('the killed matcher came back from its disk, and votes', times.toReturn),
    happened('the beacon was missed by everybody after it was killed', times.toNotice),
    happened('orders went on without the beacon', times.pauseWithoutBeacon),
    happened('a reporter joined late, without the beacon', times.toJoinLate),
  ];
}

function divergencesIn({ byName }: Records): string[] {
  return [...byName].flatMap(([name, notes]) => {
    const found = notesOf(notes, 'view').at(-1)?.divergences ?? 0;
    return found > 0 ? [`${name} saw ${found}`] : [];
  });
}

/** A matcher that was killed has come back, and leaves as the others do. */
function notClosed(records: Records): string[] {
  const beacon = killedAt(records, 'beacon')?.name;
  return CAST.map(({ name }) => name).filter(
    (name) => name !== beacon && notesOf(records.byName.get(name), 'closed').length === 0,
  );
}

const SHOWN = 3;

function none(promise: string, found: readonly string[]): Check {
  if (found.length === 0) return { promise, holds: true };
  const more = found.length > SHOWN ? `, and ${found.length - SHOWN} more` : '';
  return { promise, holds: false, found: `${found.slice(0, SHOWN).join(', ')}${more}` };
}

function equal(promise: string, value: number, wanted: number): Check {
  return value === wanted
    ? { promise, holds: true }
    : { promise, holds: false, found: `${value} of ${wanted}` };
}
