import Table from 'cli-table3';
import type { Result } from './result.ts';
import { formatNumber } from './table.ts';

/** How some results grow with the size of something: shown as a table of their own, a line for each size. */
export interface Growth {
  readonly title: string;
  readonly sizes: readonly number[];
  readonly columns: readonly GrowthColumn[];
}

export interface GrowthColumn {
  readonly title: string;
  /** The name of the result at this size. */
  readonly nameOf: (size: number) => string;
}

/** Whether a result is shown by one of these tables. */
export function isOfGrowth(name: string, growths: readonly Growth[]): boolean {
  return growths.some(({ sizes, columns }) =>
    columns.some(({ nameOf }) => sizes.some((size) => nameOf(size) === name)),
  );
}

/** Those sizes that were measured; undefined when none was. Behind each median is how it compares with the first one. */
export function formatGrowth(
  { title, sizes, columns }: Growth,
  results: readonly Result[],
): string | undefined {
  const medians = new Map(results.map(({ name, ours }) => [name, ours]));
  const rows = sizes.map((size) => ({
    size,
    values: columns.map(({ nameOf }) => medians.get(nameOf(size))),
  }));
  const measured = rows.filter(({ values }) => values.some((value) => value !== undefined));
  const [first] = measured;
  if (first === undefined) return undefined;
  const table = new Table({
    head: ['', ...columns.map((column) => column.title)],
    colAligns: ['right', ...columns.map(() => 'right' as const)],
    style: { head: [], border: [], compact: true },
  });
  for (const { size, values } of measured)
    table.push([size, ...values.map((value, column) => formatCell(value, first.values[column]))]);
  return `${title}\n${table.toString()}`;
}

function formatCell(value: number | undefined, first: number | undefined): string {
  if (value === undefined) return '–';
  const growth = first === undefined ? '' : ` (× ${(value / first).toFixed(2)})`;
  return `${formatNumber(value)}${growth}`;
}
