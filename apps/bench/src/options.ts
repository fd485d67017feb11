import { parseArgs } from 'node:util';
import type { Suite } from './suite.ts';

/** What was asked for on the command line. */
export interface Options {
  /** Names of suites and of results; empty for all. */
  readonly only: readonly string[];
  readonly runs: number;
  readonly json: string | undefined;
}

/** The command line cannot be used; the message says why. */
export class UsageError extends Error {}

const RUNS = 5;

export function usageOf(suites: readonly Suite[]): string {
  return `Usage: npm run bench -- [options]

Measures mosaik beside its peers, in separate processes on this machine, and prints one table.

Options
  --only NAME   only this suite or result, such as streams or streams/1to1-75B; may be given several times
  --runs N      how often each measurement is taken (default ${RUNS}); the table shows medians
  --json FILE   also writes the results to FILE, as an array of { name, unit, ours, peer, peerName, ratio, runs }
  --help        this text

Suites and their results
${suites.map(({ name, about, results }) => `  ${name}: ${about}\n    ${results.join(' ')}`).join('\n')}

Peers are started on loopback and stopped afterwards; TMPDIR says where files go that are synced.`;
}

/** @throws {UsageError} when an option is not known, or its value is of no use. */
export function readOptions(args: readonly string[], suites: readonly Suite[]): Options | 'help' {
  const { values } = parse(args);
  if (values.help) return 'help';
  const runs = Number(values.runs ?? RUNS);
  if (!Number.isSafeInteger(runs) || runs < 1)
    throw new UsageError(`--runs takes a whole number from 1 on, not ${values.runs}`);
  const only = values.only ?? [];
  const known = suites.flatMap(({ name, results }) => [name, ...results]);
  const unknown = only.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new UsageError(`there is no suite or result "${unknown}"`);
  return { only, runs, json: values.json };
}

/** Whether a result was asked for, by its own name or by its suite's. */
export function isWanted(result: string, { only }: Pick<Options, 'only'>): boolean {
  return only.length === 0 || only.some((name) => result === name || result.startsWith(`${name}/`));
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string', multiple: true },
        runs: { type: 'string' },
        json: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
