import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { nowMs } from './journal.ts';
import { type OrderFile, readOrders } from './orders.ts';
import { printReport } from './report/print.ts';
import { readRecords } from './report/records.ts';
import { makeReport } from './report/report.ts';
import { TRADERS } from './stage/cast.ts';
import { Cluster } from './stage/cluster.ts';
import { play } from './stage/play.ts';
import { createScreen, painterOf, type Screen, silent } from './stage/screen.ts';

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

/** How the demo is run. */
export interface DemoOptions {
  /** A file with one order on each line, as JSON. Default: the one that comes with the demo. */
  readonly input?: string | undefined;
  /** Goes on until the signal fires, beginning the orders again at their end. Default false. */
  readonly isWatched?: boolean | undefined;
  /** Prints the report alone, as JSON. Default false. */
  readonly isJson?: boolean | undefined;
  /** What is shown, and the report. */
  readonly stdout: Writable;
  /** Lines of the input that are no orders, when the report is printed alone. */
  readonly stderr: Writable;
  /** Ends it early, with a report. */
  readonly signal: AbortSignal;
}

/** The orders of the user cannot be read. */
export class DemoInputError extends Error {
  override readonly name = 'DemoInputError';
}

/**
 * Runs the demo on this machine; returns whether everything that the report checks holds.
 *
 * @throws {DemoInputError} when there are no orders in the input, or fewer than traders.
 */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const { input = BUNDLED, isJson = false, stdout, stderr } = options;
  const file = ordersIn(input);
  const startMs = nowMs();
  const screen = isJson ? silent : createScreen({ stdout, startMs, now: nowMs });
  tellOf(file, isJson ? (text) => stderr.write(`${text}\n`) : (text) => screen.event(text));
  const folder = mkdtempSync(join(tmpdir(), 'mosaik-demo-'));
  try {
    const surprises = await run({ options, input, folder, startMs, screen });
    const report = makeReport(readRecords(folder), surprises);
    const { orders, malformed } = file;
    const tookMs = Math.round(nowMs() - startMs);
    const told = { input: { file: input, orders: orders.length, malformed }, tookMs, ...report };
    stdout.write(isJson ? `${JSON.stringify(told, null, 2)}\n` : printReport(report, painterOf(stdout)));
    return report.holds;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** From the first process to the last; returns what went otherwise than it should. */
async function run(parts: {
  readonly options: DemoOptions;
  readonly input: string;
  readonly folder: string;
  readonly startMs: number;
  readonly screen: Screen;
}): Promise<readonly string[]> {
  const { options, input, folder, startMs, screen } = parts;
  const { isWatched = false, signal } = options;
  await using cluster = await Cluster.open({
    folder,
    ordersFile: input,
    spreadMs: SPREAD_MS,
    isEndless: isWatched,
  });
  await play({ cluster, screen, signal, endMs: startMs + LAST_SCENE_MS });
  if (isWatched) await watch(cluster, screen, signal);
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

function ordersIn(path: string): OrderFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DemoInputError(`${path} cannot be read: ${why}`, { cause });
  }
  const file = readOrders(text);
  if (file.orders.length < TRADERS.length)
    throw new DemoInputError(`${path} has ${file.orders.length} orders; there are ${TRADERS.length} traders`);
  return file;
}

function tellOf({ malformed, left }: OrderFile, tell: (text: string) => void): void {
  for (const { line, why } of malformed.slice(0, SHOWN))
    tell(`line ${line} is no order, and skipped: ${why}`);
  if (malformed.length > SHOWN) tell(`and ${malformed.length - SHOWN} more lines`);
  if (left > 0) tell(`${left} orders are beyond what a run takes, and are left out`);
}
