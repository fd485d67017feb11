import type { Painter } from '../stage/screen.ts';
import type { Report } from './report.ts';

/** The report, for people. */
export function printReport({ ledger, timesMs, checks, holds }: Report, paint: Painter): string {
  const views = Object.entries(ledger.reported).map(([name, fills]) => `${name} ${fills}`);
  const count = (name: string, value: number | string): string => `  ${name.padEnd(34)}${value}`;
  const time = (name: string, ms: number | undefined): string =>
    count(name, ms === undefined ? '–' : `${Math.round(ms)} ms`);
  return [
    '',
    'What the processes wrote down',
    count('orders sent', ledger.sent),
    count('orders acknowledged', ledger.acknowledged),
    count('orders matched', `${ledger.matched}, in ${ledger.fills} fills`),
    count('fills reported', views.join(', ')),
    count('orders lost', ledger.lost.length),
    count('orders duplicated', ledger.duplicated.length),
    '',
    time('to form', timesMs.toForm),
    time('to form, once all were up', timesMs.toFormOnceUp),
    time('to recover from kill -9 of leader', timesMs.toRecover),
    time('until it was back and voted', timesMs.toReturn),
    time('to miss the killed beacon', timesMs.toNotice),
    time('longest pause of orders meanwhile', timesMs.pauseWithoutBeacon),
    time('for the late reporter to catch up', timesMs.toJoinLate),
    time('slowest start of a node', timesMs.slowestCreate),
    time('slowest close of a node', timesMs.slowestClose),
    '',
    ...checks.map(({ promise, holds: isSo, found }) =>
      isSo
        ? `  ${paint('yes', 'good')} ${promise}`
        : `  ${paint('NO ', 'bad')} ${promise}${found ? `: ${found}` : ''}`,
    ),
    '',
    holds ? paint('All of it holds.', 'good') : paint('Not all of it holds.', 'bad'),
    '',
  ].join('\n');
}
