import Table from 'cli-table3';
import type { Result } from './result.ts';

/** The results as a table for a terminal. */
export function formatTable(results: readonly Result[]): string {
  const table = new Table({
    head: ['what', 'unit', 'ours', 'peer', 'peer is', 'ratio', 'range of ours'],
    colAligns: ['left', 'left', 'right', 'right', 'left', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const result of results) {
    const ours = result.runs.map((run) => run.ours);
    table.push([
      result.name,
      result.unit,
      formatNumber(result.ours),
      formatNumber(result.peer),
      result.peerName,
      result.ratio.toFixed(2),
      `${formatNumber(Math.min(...ours))}–${formatNumber(Math.max(...ours))}`,
    ]);
  }
  return table.toString();
}

function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return value.toPrecision(3);
}
