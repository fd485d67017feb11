import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { adviceFor, describePeers, findPeers } from './peers/peers.ts';
import type { Result } from './result.ts';
import type { Suite, SuiteContext } from './suite.ts';
import { groupsSuite } from './suites/groups/suite.ts';
import { linkSuite } from './suites/link/suite.ts';
import { storeSuite } from './suites/store/suite.ts';
import { streamsSuite } from './suites/streams/suite.ts';
import { formatTable } from './table.ts';

const suites: readonly Suite[] = [linkSuite, streamsSuite, groupsSuite, storeSuite];

const usage = `Usage: npm run bench -- [options]

Measures mosaik beside its peers, in separate processes on this machine, and prints one table.

Options
  --only NAME   only this suite or result, such as streams or streams/1to1-75B; may be given several times
  --runs N      how often each measurement is taken (default 5); the table shows medians
  --json FILE   also writes the results to FILE, as an array of { name, unit, ours, peer, peerName, ratio, runs }
  --help        this text

Suites and their results
${suites.map(({ name, about, results }) => `  ${name}: ${about}\n    ${results.join(' ')}`).join('\n')}

Peers are started on loopback and stopped afterwards; TMPDIR says where files go that are synced.`;

class UsageError extends Error {}

interface Options {
  readonly only: readonly string[];
  readonly runs: number;
  readonly json: string | undefined;
}

function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parse(args);
  if (values.help) return 'help';
  const runs = Number(values.runs ?? 5);
  if (!Number.isSafeInteger(runs) || runs < 1)
    throw new UsageError(`--runs takes a whole number from 1 on, not ${values.runs}`);
  const only = values.only ?? [];
  const known = suites.flatMap(({ name, results }) => [name, ...results]);
  const unknown = only.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new UsageError(`there is no suite or result "${unknown}"`);
  return { only, runs, json: values.json };
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

/** Whether a result was asked for, by its own name or by its suite's. */
function isWanted(result: string, only: readonly string[]): boolean {
  return only.length === 0 || only.some((name) => result === name || result.startsWith(`${name}/`));
}

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options === 'help') {
    console.log(usage);
    return;
  }
  const peers = findPeers();
  for (const line of adviceFor(peers)) console.error(`! ${line}`);
  const context: SuiteContext = {
    runs: options.runs,
    peers,
    progress: (text) => console.error(`· ${text}`),
    wants: (result) => isWanted(result, options.only),
  };
  const results: Result[] = [];
  for (const suite of suites.filter((candidate) => candidate.results.some(context.wants))) {
    context.progress(`${suite.name}: ${suite.about}`);
    results.push(...(await suite.run(context)).filter(({ name }) => context.wants(name)));
  }
  console.log(formatTable(results));
  console.log(
    `Medians of ${options.runs} runs, ours and the peer's in turns, after a warm-up; ${availableParallelism()} cores, Node ${process.version}, ${describePeers(peers)}.`,
  );
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
}

// Ending by way of `exit` stops the servers and removes their files.
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error instanceof UsageError ? `bench: ${error.message}\n\n${usage}` : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
