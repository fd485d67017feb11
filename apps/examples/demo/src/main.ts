/**
 * The demo: ten processes of one program, each told a key, a role and one address, organise themselves into an exchange, and go
 * on trading while parts of it are killed. See the README beside it.
 */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { nowMs } from './journal.ts';
import { type OrderFile, readOrders } from './orders.ts';
import { printReport } from './report/print.ts';
import { readRecords } from './report/records.ts';
import { makeReport } from './report/report.ts';
import { TRADERS } from './stage/cast.ts';
import { Cluster } from './stage/cluster.ts';
import { play } from './stage/play.ts';
import { createScreen, type Screen, silent } from './stage/screen.ts';

const BUNDLED = fileURLToPath(new URL('../orders.ndjson', import.meta.url));
/** The orders are spread over so long, so that everything that happens, happens while they flow. */
const SPREAD_MS = 24_000;
/** Times since the start, of which the last keeps the whole below a minute. */
const LAST_SCENE_MS = 38_000;
const LAST_ORDER_MS = 44_000;
const DRAIN_MS = 7_000;
const STOP_MS = 5_000;
const WATCHED_EVERY_MS = 5_000;
/** Malformed lines that are named. */
const SHOWN = 10;

const HELP = `Usage: npm run demo -- [options]

Ten processes on this machine find each other, trade, and survive kill -9.

  --input FILE   orders of your own: one JSON object on each line, such as
                 {"side":"buy","symbol":"ACME","price":10150,"quantity":5}
  --watch        goes on until Ctrl-C, beginning the orders again at their end
  --json         prints the report alone, as JSON
  --help         this text

Exit code 0 if everything the report checks holds, 1 if not, 2 for a mistake in the options.
`;

/** A mistake of the user: told without a stack trace. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

interface Options {
  readonly input: string;
  readonly isWatched: boolean;
  readonly isJson: boolean;
}

async function main(args: readonly string[]): Promise<number> {
  const options = optionsIn(args);
  if (options === undefined) {
    process.stdout.write(HELP);
    return 0;
  }
  const file = ordersIn(options.input);
  const startMs = nowMs();
  const screen = options.isJson ? silent : createScreen(startMs, nowMs);
  tellOf(file, options.isJson ? (text) => process.stderr.write(`${text}\n`) : (text) => screen.event(text));
  const folder = mkdtempSync(join(tmpdir(), 'mosaik-demo-'));
  try {
    const surprises = await run({ options, folder, startMs, screen });
    const report = makeReport(readRecords(folder), surprises);
    const { orders, malformed } = file;
    const input = { file: options.input, orders: orders.length, malformed };
    const tookMs = Math.round(nowMs() - startMs);
    if (options.isJson) process.stdout.write(`${JSON.stringify({ input, tookMs, ...report }, null, 2)}\n`);
    else process.stdout.write(printReport(report));
    return report.holds ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** From the first process to the last; returns what went otherwise than it should. */
async function run(parts: {
  readonly options: Options;
  readonly folder: string;
  readonly startMs: number;
  readonly screen: Screen;
}): Promise<readonly string[]> {
  const { options, folder, startMs, screen } = parts;
  const leave = new AbortController();
  process.once('SIGINT', () => leave.abort());
  await using cluster = await Cluster.open({
    folder,
    ordersFile: options.input,
    spreadMs: SPREAD_MS,
    isEndless: options.isWatched,
  });
  const { signal } = leave;
  await play({ cluster, screen, signal, endMs: startMs + LAST_SCENE_MS });
  if (options.isWatched) await watch(cluster, screen, signal);
  else await cluster.until(() => areThrough(cluster), startMs + LAST_ORDER_MS - nowMs(), signal);
  cluster.tell('finish');
  screen.event('no more orders are sent; waiting for what is under way');
  const isDrained = await cluster.until(() => areThrough(cluster), DRAIN_MS);
  if (!isDrained) screen.event('not everything has arrived everywhere', 'bad');
  screen.event('all leave, in an orderly way');
  if (!(await cluster.stop(STOP_MS))) screen.event('some had to be ended', 'bad');
  return cluster.surprises;
}

/** All orders are sent, acknowledged, executed by every matcher, and their fills in every view. */
function areThrough({ statuses }: Cluster): boolean {
  const all = [...statuses.values()];
  const orders = all.reduce((sum, { sent = 0 }) => sum + sent, 0);
  const fills = Math.max(...all.map((status) => status.fills ?? 0));
  return all.every(({ isThrough = true, executed = orders, reported = fills }) => {
    return isThrough && executed === orders && reported === fills;
  });
}

async function watch(cluster: Cluster, screen: Screen, signal: AbortSignal): Promise<void> {
  screen.event('Ctrl-C ends it, with a report');
  const showing = setInterval(() => screen.standing(cluster.statuses), WATCHED_EVERY_MS);
  if (!signal.aborted) await once(signal, 'abort');
  clearInterval(showing);
}

function optionsIn(args: readonly string[]): Options | undefined {
  const { input, watch: isWatched, json: isJson, help } = valuesIn(args);
  if (help) return undefined;
  if (isWatched && isJson)
    throw new UsageError('--watch has no end, and --json tells of the end: choose one');
  return { input: input ?? BUNDLED, isWatched, isJson };
}

function valuesIn(args: readonly string[]): {
  readonly input?: string;
  readonly watch: boolean;
  readonly json: boolean;
  readonly help: boolean;
} {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const options = { input: { type: 'string' }, watch: flag, json: flag, help: flag } as const;
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function ordersIn(path: string): OrderFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const file = readOrders(text);
  if (file.orders.length < TRADERS.length)
    throw new UsageError(`${path} has ${file.orders.length} orders; there are ${TRADERS.length} traders`);
  return file;
}

function tellOf({ malformed, left }: OrderFile, tell: (text: string) => void): void {
  for (const { line, why } of malformed.slice(0, SHOWN))
    tell(`line ${line} is no order, and skipped: ${why}`);
  if (malformed.length > SHOWN) tell(`and ${malformed.length - SHOWN} more lines`);
  if (left > 0) tell(`${left} orders are beyond what a run takes, and are left out`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n\n${HELP}`);
  process.exitCode = 2;
}
