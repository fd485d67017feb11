import {
  type Consumer,
  type Criteria,
  type Network,
  type Replay,
  type Runtime,
  sleep,
  stream,
  type Why,
} from 'mosaik';
import type { Context } from '../context.ts';
import { ExitCode } from '../exit-code.ts';
import { usage } from '../failure.ts';
import { join } from '../node/join.ts';
import { isOutputClosed } from '../output/console.ts';
import { replayFrom } from '../sub/from.ts';
import { DatumPrinter } from '../sub/print.ts';
import { unlessAborted } from '../waiting.ts';

export interface SubOptions {
  readonly stream: string;
  readonly from?: string;
  /** Criteria as JSON. */
  readonly where?: string;
  /** Ends after so many data. */
  readonly count?: number;
  /** Ends when all producers have gone; with `from`, when what was there is read. */
  readonly untilEnd?: boolean;
  /** Only producers with this role. */
  readonly withTag?: string;
}

/** What reading needs. */
interface Reading {
  readonly context: Context;
  readonly options: SubOptions;
  readonly network: Network;
  readonly printer: DatumPrinter;
  /** Fires when it is to end, for whatever reason. */
  readonly signal: AbortSignal;
  readonly end: () => void;
}

/** Prints what comes on a stream, until Ctrl-C, or until there is enough. */
export async function sub(context: Context, options: SubOptions): Promise<ExitCode> {
  const { world, console } = context;
  const criteria = options.where === undefined ? undefined : criteriaIn(options.where);
  const from = options.from === undefined ? undefined : replayFrom(options.from);
  if (from !== undefined && criteria !== undefined)
    throw usage('--where goes with live data, not with --from');
  const network = await join(context);
  const ending = new AbortController();
  const signal = AbortSignal.any([world.interrupted, ending.signal]);
  const printer = new DatumPrinter(console);
  const reading = { context, options, network, printer, signal, end: () => ending.abort() };
  try {
    const definition = stream<unknown>(options.stream);
    const { withTag } = options;
    if (from !== undefined) {
      await using replay = network.store.replay(definition, { from });
      await unlessAborted(signal, readReplay(replay, reading));
    } else {
      await using consumer = network.streams.consumer(definition, {
        ...(criteria === undefined ? {} : { criteria }),
        ...(withTag === undefined ? {} : { subscribeIf: (peer) => peer.hasTag(withTag) }),
      });
      await unlessAborted(signal, readLive(consumer, reading));
    }
    if (!isOutputClosed(world)) await printer.flush();
  } finally {
    await network.close();
  }
  return printer.gaps > 0 ? ExitCode.Incomplete : ExitCode.Ok;
}

function criteriaIn(text: string): Criteria {
  let criteria: unknown;
  try {
    criteria = JSON.parse(text);
  } catch (cause) {
    throw usage(
      `--where is not JSON: ${(cause as Error).message}`,
      `such as --where '{"price":{"$lt":100}}'`,
    );
  }
  if (typeof criteria === 'object' && criteria !== null && !Array.isArray(criteria))
    return criteria as Criteria;
  throw usage('--where is not an object', `such as --where '{"price":{"$lt":100}}'`);
}

async function readLive(consumer: Consumer<unknown>, reading: Reading): Promise<void> {
  const { options, printer, signal, end, context } = reading;
  void tellWhy(consumer, reading);
  if (options.untilEnd === true) void endWithProducers(consumer, reading);
  for await (const record of consumer.records({ signal })) {
    if (record.type === 'gap') await printer.gap(record);
    else {
      const slow = printer.datum(record);
      if (slow !== undefined) await slow;
    }
    if (printer.count === options.count) break;
  }
  end();
  if (consumer.stats.invalid > 0) context.console.warn(`${consumer.stats.invalid} data could not be decoded`);
}

async function readReplay(replay: Replay<unknown>, reading: Reading): Promise<void> {
  const { options, printer, signal, end } = reading;
  void tellWhy(replay, reading);
  for await (const records of replay.recordBatches({ signal })) {
    for (const record of records) {
      if (record.type === 'gap') await printer.gap(record);
      else if (record.type === 'datum') await printer.datum(record);
      else await printer.mark(record.type);
      if (printer.count === options.count || (record.type === 'caughtUp' && options.untilEnd === true)) {
        end();
        return;
      }
    }
  }
}

const TELL_AFTER_MS = 2_000;

/** Says what is missing, when nothing has come for a while. */
async function tellWhy(
  source: { why(): Why },
  { network, printer, signal, context }: Reading,
): Promise<void> {
  await unlessAborted(signal, sleep(network.runtime, TELL_AFTER_MS, { signal }));
  if (!signal.aborted && printer.count === 0 && !source.why().isOnline)
    context.console.note(source.why().text);
}

const LOOK_EVERY_MS = 50;

/** Ends the reading when whoever produced has gone, and all that came is read. */
async function endWithProducers(consumer: Consumer<unknown>, reading: Reading): Promise<void> {
  const { network, signal, end } = reading;
  await unlessAborted(signal, untilOver(consumer, reading, network.runtime));
  end();
}

async function untilOver(
  consumer: Consumer<unknown>,
  { printer, signal }: Reading,
  runtime: Runtime,
): Promise<void> {
  await consumer.when().subscribed().wait({ signal });
  while (true) {
    await consumer.when().unsubscribed().wait({ signal });
    // A producer that was only lost comes back by itself, or leaves the catalog: then it is gone for good.
    if (consumer.producers.length === 0 && printer.count + consumer.stats.invalid >= consumer.stats.datums)
      return;
    await sleep(runtime, LOOK_EVERY_MS, { signal });
  }
}
