import { type Command, Option } from 'commander';
import { keep } from '../commands/keep.ts';
import { type PubOptions, pub } from '../commands/pub.ts';
import { type SubOptions, sub } from '../commands/sub.ts';
import { addNetworkOptions, wholeNumber } from './options.ts';
import type { Runner } from './runner.ts';

const PUB_EXAMPLES = `
Every line becomes one datum. It waits until somebody subscribes, and the input waits for the slowest consumer:
  $ mosaik pub access-log < some.log
  $ tail -F some.log | mosaik pub access-log --consumers 2
  $ jq -c '.[]' trades.json | mosaik pub trades --ndjson --keep trades.db --stay`;

const SUB_EXAMPLES = `
Text is printed as it is, everything else as JSON, one datum a line; --json adds where each is from.
  $ mosaik sub access-log
  $ mosaik sub trades --where '{"price":{"$gte":100}}'
  $ mosaik sub trades --from start --until-end > all.ndjson     what is kept (pub --keep), and the end

Data that are missed are told on standard error, and make the exit code 5.`;

/** Commands that move data. */
export function addDataCommands(program: Command, run: Runner): void {
  addPub(program, run);
  addSub(program, run);
  const kept = program
    .command('keep')
    .description(
      'Keeps copies of a stream that is kept elsewhere (pub --keep), and serves them; until Ctrl-C',
    )
    .argument('<stream>', 'name of the stream')
    .argument('<file>', 'where to keep them: a file, or "memory"')
    .action((stream: string, file: string, _options: unknown, command: Command) =>
      run(command, (context) => keep(context, { stream, file })),
    );
  addNetworkOptions(kept);
}

interface PubFlags {
  readonly ndjson?: boolean;
  readonly consumers?: number;
  readonly dropSlow?: boolean;
  readonly keep?: string;
  readonly stay?: boolean;
}

function addPub(program: Command, run: Runner): void {
  const command = program
    .command('pub')
    .description('Sends the lines of standard input to a stream')
    .argument('<stream>', 'name of the stream')
    .option('--ndjson', 'each line is a JSON value; one that is not is named by number, and skipped')
    .option(
      '-c, --consumers <number>',
      'wait, at any time, until so many consume (default: 1)',
      wholeNumber(0),
    )
    .option('--drop-slow', 'drop a consumer that is too slow, with a message, instead of waiting for it')
    .option('--keep <file>', 'keep what is sent, in a file or in "memory", for those who come late')
    .option('--stay', 'with --keep: go on serving after the last line; until Ctrl-C')
    .addHelpText('after', PUB_EXAMPLES)
    .action((stream: string, { ndjson = false, consumers, ...flags }: PubFlags, self: Command) => {
      const options: PubOptions = { stream, format: ndjson ? 'ndjson' : 'lines', consumers, ...flags };
      return run(self, (context) => pub(context, options));
    });
  addNetworkOptions(command);
}

function addSub(program: Command, run: Runner): void {
  const command = program
    .command('sub')
    .description('Prints what is sent to a stream; until Ctrl-C')
    .argument('<stream>', 'name of the stream')
    .option(
      '--from <where>',
      'of a stream that is kept: start, end, an offset, or a time such as 2026-01-31T12:00Z',
    )
    .option('--where <criteria>', 'only data that satisfy these, as JSON; what is not wanted does not travel')
    .option('--count <number>', 'end after so many data', wholeNumber(1))
    .option('--until-end', 'end when all producers have gone; with --from when all that is kept is read')
    .addOption(new Option('--with-tag <tag>', 'only from producers in this role').conflicts('from'))
    .addHelpText('after', SUB_EXAMPLES)
    .action((stream: string, options: Omit<SubOptions, 'stream'>, self: Command) =>
      run(self, (context) => sub(context, { stream, ...options })),
    );
  addNetworkOptions(command);
}
