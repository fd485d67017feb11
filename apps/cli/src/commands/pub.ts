import { resolve } from 'node:path';
import {
  AbortedError,
  DatumRefusedError,
  type Network,
  type Producer,
  type ProducerOptions,
  stream,
} from 'mosaik';
import { memory } from 'mosaik/store';
import { sqlite } from 'mosaik/store/sqlite';
import type { Context } from '../context.ts';
import { ExitCode } from '../exit-code.ts';
import { usage } from '../failure.ts';
import { join } from '../node/join.ts';
import { bytesText, countText, durationText, plural, rateText } from '../output/format.ts';
import { lineRuns } from '../pub/lines.ts';
import { type Format, parseLine } from '../pub/parse.ts';
import { Progress } from '../pub/progress.ts';
import { interrupted } from '../waiting.ts';

export interface PubOptions {
  readonly stream: string;
  readonly format: Format;
  /** How many consumers must be there for a line to be sent; undefined: one, or none when it is kept. */
  readonly consumers: number | undefined;
  readonly dropSlow?: boolean;
  /** `memory`, or a file: keeps what is sent, so that who comes late can replay it. */
  readonly keep?: string;
  /** Stays after the last line, to serve what is kept. */
  readonly stay?: boolean;
}

/** How it went. */
interface Report {
  lines: number;
  skipped: number;
  undelivered: number;
  /** Consumers that went before the last line. */
  left: number;
  isInterrupted: boolean;
}

/** Sends the lines of standard input to a stream, one datum each, and waits for whoever is slow. */
export async function pub(context: Context, options: PubOptions): Promise<ExitCode> {
  const { world, console } = context;
  if (options.stay === true && options.keep === undefined)
    throw usage('--stay serves what is kept: say --keep, too');
  if (world.stdin.isTTY === true) console.note('reading lines from the keyboard; Ctrl-D ends');
  if (options.keep !== undefined && options.keep !== 'memory' && context.settings.secretKey === undefined)
    console.note("without --key this node is another one the next time: what it keeps now is then nobody's");
  const network = await join(context);
  const report: Report = { lines: 0, skipped: 0, undelivered: 0, left: 0, isInterrupted: false };
  try {
    const definition = stream<unknown>(options.stream);
    if (options.keep !== undefined) {
      const storage = options.keep === 'memory' ? memory() : sqlite(resolve(world.folder, options.keep));
      await network.store.retain(definition, { storage });
    }
    const producer = network.streams.producer(definition, producerOptions(options, report));
    const startedAtMs = await sendAll(context, options, { network, producer, report });
    const ms = network.runtime.now() - (startedAtMs ?? network.runtime.now());
    if (options.stay === true && !report.isInterrupted) {
      console.note(`all ${countText(report.lines)} lines are kept; serving them until Ctrl-C`);
      await interrupted(world.interrupted);
    }
    const consumers = producer.consumers.length;
    await producer.close();
    await tell(context, {
      ...report,
      ms,
      consumers,
      bytes: producer.stats.bytes,
      dropped: producer.stats.droppedTooSlow,
    });
  } finally {
    await network.close();
  }
  if (report.isInterrupted) return ExitCode.Interrupted;
  return report.skipped + report.undelivered > 0 ? ExitCode.Incomplete : ExitCode.Ok;
}

function producerOptions(options: PubOptions, report: Report): ProducerOptions<unknown> {
  const { consumers, dropSlow = false, keep } = options;
  return {
    disconnectLagging: dropSlow,
    // What is kept is there for those who come later.
    ...(keep === undefined ? { onUndelivered: () => void report.undelivered++ } : {}),
    ...(consumers === undefined ? {} : { onlineWhen: (subscribed) => subscribed.minimumOf(consumers) }),
  };
}

interface Sending {
  readonly network: Network;
  readonly producer: Producer<unknown>;
  readonly report: Report;
}

/** @returns when the first line was taken, by the monotonic clock. */
async function sendAll(context: Context, options: PubOptions, sending: Sending): Promise<number | undefined> {
  const { world, console } = context;
  const { network, producer, report } = sending;
  const signal = world.interrupted;
  using progress = new Progress(network, producer, console);
  // The input may stay silent for ever.
  const onInterrupt = (): void => void world.stdin.destroy();
  signal.addEventListener('abort', onInterrupt, { once: true });
  let startedAtMs: number | undefined;
  let number = 0;
  try {
    for await (const run of lineRuns(world.stdin)) {
      for (const line of run) {
        number++;
        const parsed = parseLine(line, options.format);
        if (parsed === undefined) continue;
        if ('problem' in parsed) skip(context, report, { number, problem: parsed.problem });
        else await sendOne(context, sending, { number, datum: parsed.datum });
        startedAtMs ??= network.runtime.now();
      }
    }
    await producer.flushed({ signal });
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    report.isInterrupted = true;
  } finally {
    report.left = progress.left;
    signal.removeEventListener('abort', onInterrupt);
  }
  report.isInterrupted ||= signal.aborted;
  return startedAtMs;
}

async function sendOne(
  context: Context,
  { producer, report }: Sending,
  { number, datum }: { readonly number: number; readonly datum: unknown },
): Promise<void> {
  try {
    await producer.send(datum, { signal: context.world.interrupted });
    report.lines++;
  } catch (thrown) {
    if (thrown instanceof AbortedError || !(thrown instanceof DatumRefusedError)) throw thrown;
    skip(context, report, { number, problem: thrown.message });
  }
}

function skip(
  { console }: Context,
  report: Report,
  { number, problem }: { readonly number: number; readonly problem: string },
): void {
  report.skipped++;
  console.warn(`line ${number} is skipped: ${problem}`);
}

interface Told extends Readonly<Report> {
  readonly ms: number;
  readonly consumers: number;
  readonly bytes: number;
  readonly dropped: number;
}

async function tell({ console }: Context, told: Told): Promise<void> {
  const { lines, bytes, ms, consumers, undelivered, skipped, dropped, left } = told;
  // Of a moment it would be no rate.
  const perSecond = ms >= 10 ? Math.round(lines / (ms / 1000)) : null;
  if (console.isJson) {
    await console.json({
      lines,
      bytes,
      seconds: ms / 1000,
      perSecond,
      consumers,
      undelivered,
      skipped,
      dropped,
    });
    return;
  }
  const rate = perSecond === null ? '' : `, ${rateText(perSecond)}`;
  console.note(
    `${plural(lines, 'line')} sent (${bytesText(bytes)} in ${durationText(ms)}${rate}) to ${plural(consumers, 'consumer')}`,
  );
  if (left > 0) console.note(`${plural(left, 'consumer')} went before the last line`);
  if (undelivered > 0) console.warn(`${plural(undelivered, 'line')} reached nobody`);
}
