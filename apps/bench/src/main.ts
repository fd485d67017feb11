import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { formatGrowth, isOfGrowth } from './growth.ts';
import { readOptions, UsageError, usageOf } from './options.ts';
import { adviceFor, describePeers, findPeers } from './peers/peers.ts';
import type { Result } from './result.ts';
import { runSuites } from './run.ts';
import type { Suite } from './suite.ts';
import { discoverySuite } from './suites/discovery/suite.ts';
import { groupsSuite } from './suites/groups/suite.ts';
import { linkSuite } from './suites/link/suite.ts';
import { nodeSuite } from './suites/node/suite.ts';
import { storeSuite } from './suites/store/suite.ts';
import { streamsSuite } from './suites/streams/suite.ts';
import { formatTable } from './table.ts';

const suites: readonly Suite[] = [
  linkSuite,
  discoverySuite,
  streamsSuite,
  groupsSuite,
  storeSuite,
  nodeSuite,
];

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args, suites);
  if (options === 'help') {
    console.log(usageOf(suites));
    return;
  }
  const peers = findPeers();
  for (const line of adviceFor(peers)) console.error(`! ${line}`);
  const { results, failures } = await runSuites(suites, peers, options);
  printTables(results);
  console.log(
    `Medians of ${options.runs} runs, ours and the peer's in turns, after a warm-up; ${availableParallelism()} cores, Node ${process.version}, ${describePeers(peers)}.`,
  );
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
  for (const failure of failures) console.error(`! not measured: ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
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

main(process.argv.slice(2)).catch((error: Error) => {
  const isUsage = error instanceof UsageError;
  console.error(isUsage ? `bench: ${error.message}\n\n${usageOf(suites)}` : error);
  process.exitCode = isUsage ? 2 : 1;
});
