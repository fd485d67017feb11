import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import { record, runGate } from './gate/gate.ts';
import { formatGrowth, isOfGrowth } from './growth.ts';
import { type Options, RUNS, readOptions, selectedOf, UsageError, usageOf } from './options.ts';
import { adviceFor, describePeers, findPeers, type Peers } from './peers/peers.ts';
import type { Result } from './result.ts';
import { runSuites } from './run.ts';
import { suites } from './suites/all.ts';
import { formatTable } from './table.ts';

/** Does what the arguments ask for; sets the exit code. */
export async function main(args: readonly string[]): Promise<void> {
  try {
    await perform(args);
  } catch (error) {
    const isUsage = error instanceof UsageError;
    console.error(isUsage ? `bench: ${error.message}\n\n${usageOf(suites)}` : error);
    process.exitCode = isUsage ? 2 : 1;
  }
}

async function perform(args: readonly string[]): Promise<void> {
  const options = readOptions(args, suites);
  if (options === 'help') {
    console.log(usageOf(suites));
    return;
  }
  const peers = findPeers();
  for (const line of adviceFor(peers)) console.error(`! ${line}`);
  const { runs } = options;
  const tasks = {
    measure: () => measure(peers, options),
    compare: () => runGate({ suites, peers, runs }),
    record: () => record({ suites, peers, runs }),
  };
  if (!(await tasks[options.task]())) process.exitCode = 1;
}

/** Measures what was asked for and shows it. Whether all of it could be had. */
async function measure(peers: Peers, options: Options): Promise<boolean> {
  const { runs = RUNS, json } = options;
  const only = selectedOf(suites, options);
  const beganAt = performance.now();
  const { results, failures } = await runSuites(suites, peers, { only, runs });
  const minutes = (performance.now() - beganAt) / 60_000;
  printTables(results);
  console.log(
    `Medians of ${runs} runs, ours and the peer's in turns, after a warm-up; ${availableParallelism()} cores, Node ${process.version}, ${describePeers(peers)}; ${minutes.toFixed(1)} min.`,
  );
  if (options.only.length === 0 && !options.all)
    console.log('How cost grows, and more comparisons: --all; what there is: --help.');
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
  for (const failure of failures) console.error(`! not measured: ${failure}`);
  return failures.length === 0;
}

function printTables(results: readonly Result[]): void {
  const growths = suites.flatMap(({ growth = [] }) => growth);
  for (const growth of growths) {
    const table = formatGrowth(growth, results);
    if (table !== undefined) console.log(`${table}\n`);
  }
  const others = results.filter(({ name }) => !isOfGrowth(name, growths));
  if (others.length > 0) console.log(formatTable(others));
}

// Ending by way of `exit` stops the servers and removes their files.
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));
