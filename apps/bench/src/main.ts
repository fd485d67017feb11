import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { linkSuite } from './link/suite.ts';
import type { Result } from './result.ts';
import type { Suite, SuiteContext } from './suite.ts';
import { formatTable } from './table.ts';

const suites: readonly Suite[] = [linkSuite];

const usage = `Usage: npm run bench -- [options]

Measures mosaik beside its peers, in separate processes on this machine, and prints one table.

Options
  --only NAME   only this suite; may be given several times. Suites: ${suites.map((suite) => suite.name).join(', ')}
  --runs N      how often each measurement is taken (default 5); the table shows medians
  --json FILE   also writes the results to FILE, as an array of { name, unit, ours, peer, peerName, ratio, runs }
  --help        this text`;

class UsageError extends Error {}

function readOptions(
  args: readonly string[],
): { suites: readonly Suite[]; runs: number; json: string | undefined } | 'help' {
  const { values } = parse(args);
  if (values.help) return 'help';
  const runs = Number(values.runs ?? 5);
  if (!Number.isSafeInteger(runs) || runs < 1)
    throw new UsageError(`--runs takes a whole number from 1 on, not ${values.runs}`);
  return { suites: choose(values.only ?? []), runs, json: values.json };
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

function choose(only: readonly string[]): readonly Suite[] {
  const unknown = only.find((name) => !suites.some((suite) => suite.name === name));
  if (unknown !== undefined) throw new UsageError(`there is no suite "${unknown}"`);
  return only.length === 0 ? suites : suites.filter((suite) => only.includes(suite.name));
}

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options === 'help') {
    console.log(usage);
    return;
  }
  const context: SuiteContext = { runs: options.runs, progress: (text) => console.error(`· ${text}`) };
  const results: Result[] = [];
  for (const suite of options.suites) {
    context.progress(`${suite.name}: ${suite.about}`);
    results.push(...(await suite.run(context)));
  }
  console.log(formatTable(results));
  console.log(
    `Medians of ${options.runs} runs, ours and the peer's in turns; ${availableParallelism()} cores, Node ${process.version}.`,
  );
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error instanceof UsageError ? `bench: ${error.message}\n\n${usage}` : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
