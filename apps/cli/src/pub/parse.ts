import type { Line } from './lines.ts';

/** What lines become: text as it is, or the values of newline-delimited JSON. */
export type Format = 'lines' | 'ndjson';

/** The datum of a line, or why it has none; undefined for a blank line of NDJSON, which means nothing. */
export type Parsed = { readonly datum: unknown } | { readonly problem: string } | undefined;

export function parseLine(line: Line, format: Format): Parsed {
  if (format === 'lines') return { datum: line };
  if (typeof line !== 'string') return { problem: 'not UTF-8' };
  if (line.trim() === '') return undefined;
  try {
    return { datum: JSON.parse(line) };
  } catch (thrown) {
    return { problem: (thrown as Error).message };
  }
}
