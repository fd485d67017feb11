import { parseArgs } from 'node:util';
import type { Suite } from './suite.ts';

/** What is done: everything measured and shown, or the ratios of a selection compared with those recorded, or recorded. */
export type Task = 'measure' | 'compare' | 'record';

/** What was asked for on the command line. */
export interface Options {
  readonly task: Task;
  /** Names of suites and of results; empty for all that are no extras. */
  readonly only: readonly string[];
  /** Extras, too. */
  readonly all: boolean;
  /** Undefined: as often as the task takes by default. */
  readonly runs: number | undefined;
  readonly json: string | undefined;
}

/** The command line cannot be used; the message says why. */
export class UsageError extends Error {}

/** How often {@link Options.task} `measure` takes each measurement by default. */
export const RUNS = 3;

export function usageOf(suites: readonly Suite[]): string {
  return `Usage: npm run bench -- [options]

Measures mosaik beside its peers, in separate processes on this machine, and prints one table.

Options
  --only NAME   only this suite or result, such as streams or streams/1to1-75B; several by commas, or by giving it again
  --all         everything, also what is in brackets below
  --runs N      how often each measurement is taken (default ${RUNS}); the table shows medians
  --json FILE   also writes the results to FILE, as an array of { name, unit, ours, peer, peerName, ratio, runs }
  --compare     measures a short selection, and fails when a ratio is worse than recorded by more than noise;
                that is what npm run check -- --perf does
  --record      measures the selection several times, and writes the ratios to compare with to apps/bench/recorded.json
  --help        this text

Suites and their results
${suites.map(describe).join('\n')}

Peers are started on loopback and stopped afterwards; TMPDIR says where files go that are synced.`;
}

function describe({ name, about, results, extras = [] }: Suite): string {
  const usual = results.filter((result) => !extras.includes(result));
  const more = extras.length === 0 ? '' : `\n    (${extras.join(' ')})`;
  return `  ${name}: ${about}\n    ${usual.join(' ')}${more}`;
}

/** The results that are measured when nothing else is said, or those that were asked for. */
export function selectedOf(suites: readonly Suite[], { only, all }: Pick<Options, 'only' | 'all'>): string[] {
  if (only.length > 0) return [...only];
  return suites.flatMap(({ results, extras = [] }) =>
    all ? results : results.filter((result) => !extras.includes(result)),
  );
}

/** @throws {UsageError} when an option is not known, or its value is of no use. */
export function readOptions(args: readonly string[], suites: readonly Suite[]): Options | 'help' {
  const { values } = parse(args);
  if (values.help) return 'help';
  const runs = values.runs === undefined ? undefined : Number(values.runs);
  if (runs !== undefined && (!Number.isSafeInteger(runs) || runs < 1))
    throw new UsageError(`--runs takes a whole number from 1 on, not ${values.runs}`);
  const only = (values.only ?? []).flatMap((names) => names.split(','));
  const known = suites.flatMap(({ name, results }) => [name, ...results]);
  const unknown = only.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new UsageError(`there is no suite or result "${unknown}"`);
  if (values.all && only.length > 0) throw new UsageError('--all and --only do not go together');
  return { task: taskOf(values), only, all: values.all ?? false, runs, json: values.json };
}

/** The gate has a selection of its own, so that what it compares is what was recorded. */
function taskOf(values: ReturnType<typeof parse>['values']): Task {
  const tasks = (['compare', 'record'] as const).filter((task) => values[task]);
  const [task = 'measure'] = tasks;
  if (tasks.length > 1) throw new UsageError('--compare and --record do not go together');
  if (task !== 'measure' && (values.only !== undefined || values.json !== undefined || values.all))
    throw new UsageError(`--${task} takes neither --only nor --all nor --json`);
  return task;
}

/** Whether a result was asked for, by its own name or by its suite's. */
export function isWanted(result: string, { only }: Pick<Options, 'only'>): boolean {
  return only.some((name) => result === name || result.startsWith(`${name}/`));
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string', multiple: true },
        all: { type: 'boolean' },
        runs: { type: 'string' },
        json: { type: 'string' },
        compare: { type: 'boolean' },
        record: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
