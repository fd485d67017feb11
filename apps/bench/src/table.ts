import Table from 'cli-table3';
import type { Result } from './result.ts';

/** The results as a table for a terminal. */
export function formatTable(results: readonly Result[]): string {
  const table = new Table({
    head: ['what', 'unit', 'ours', 'peer', 'ratio', 'range of ours', 'range of the peer', 'peer is'],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, unit, ours, peer, ratio, runs, peerName } of results) {
    table.push([
      name,
      unit,
      formatNumber(ours),
      formatNumber(peer),
      Number.isFinite(ratio) ? ratio.toFixed(2) : '–',
      formatRange(runs.map((run) => run.ours)),
      formatRange(runs.map((run) => run.peer)),
      peerName,
    ]);
  }
  return table.toString();
}

/** From the least to the most. */
export function formatRange(values: readonly number[]): string {
  const [low, high] = [formatNumber(Math.min(...values)), formatNumber(Math.max(...values))];
  return low === high ? low : `${low} … ${high}`;
}

/** Short enough for a table. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return value.toPrecision(3);
}
