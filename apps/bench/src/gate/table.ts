import Table from 'cli-table3';
import { formatNumber, formatRange } from '../table.ts';
import type { Compared } from './compare.ts';

/** What was compared, as a table for a terminal; what is worse comes last, where it is seen. */
export function formatCompared(compared: readonly Compared[]): string {
  const table = new Table({
    head: ['what', 'recorded', 'at least', 'now', ''],
    colAligns: ['left', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  });
  const rest = compared.filter(({ verdict }) => verdict !== 'worse');
  const worse = compared.filter(({ verdict }) => verdict === 'worse');
  for (const { name, recorded, bounds, now, verdict } of [...rest, ...worse])
    table.push([
      name,
      recorded.length === 0 ? '–' : formatRange(recorded),
      bounds === undefined ? '–' : formatNumber(bounds.low),
      formatNumber(now),
      verdict === 'worse' ? `✗ ${verdict}` : verdict,
    ]);
  return table.toString();
}
