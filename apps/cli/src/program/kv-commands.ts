import { type Command, Option } from 'commander';
import type { Consistency } from 'mosaik';
import { kvGet, kvList } from '../commands/kv-read.ts';
import { kvServe } from '../commands/kv-serve.ts';
import { kvWatch } from '../commands/kv-watch.ts';
import { kvDelete, kvPut } from '../commands/kv-write.ts';
import { addNetworkOptions, wholeNumber } from './options.ts';
import type { Runner } from './runner.ts';

const EXAMPLES = `
Start three members, each on a machine of its own, and use the map from anywhere:
  $ mosaik kv serve --founders 3 --file map.db --key node.key
  $ mosaik kv put colour green
  $ mosaik kv get colour

A put or delete that is acknowledged is kept by a quorum, and applied exactly once. A strong read shows everything that
was acknowledged before it; a weak one what the member that answers has, also when no quorum is left.`;

interface MapFlags {
  readonly map: string;
  readonly groupKey?: string;
}

/** The commands on a replicated map. */
export function addKvCommands(program: Command, run: Runner): void {
  const kv = program
    .command('kv')
    .description('A replicated map that survives the loss of members: serve, get, list, put, delete, watch')
    .addHelpText('after', EXAMPLES);
  addServe(kv, run);
  addReads(kv, run);
  addWrites(kv, run);
}

function addServe(kv: Command, run: Runner): void {
  const command = withMap(kv.command('serve'))
    .description('Is a member of the map: keeps a copy, votes, may lead, and answers; until Ctrl-C')
    .option('--file <file>', 'keep the log in this file, durably; needs --key (default: in memory)')
    .option('--founders <number>', 'members that found it: a majority of them must meet', wholeNumber(1), 1)
    .action((options: MapFlags & { file?: string; founders: number }, self: Command) =>
      run(self, (context) => kvServe(context, options)),
    );
  addNetworkOptions(command);
}

function addReads(kv: Command, run: Runner): void {
  const get = withConsistency(withMap(kv.command('get')))
    .description('Prints the value of a key; exit code 3 when there is none')
    .argument('<key>', 'the key')
    .action((key: string, options: MapFlags & { consistency: Consistency }, self: Command) =>
      run(self, (context) => kvGet(context, { key, ...options })),
    );
  addNetworkOptions(get);
  const list = withConsistency(withMap(kv.command('list')))
    .description('Prints keys and their values')
    .argument('[prefix]', 'only keys that begin with it', '')
    .action((prefix: string, options: MapFlags & { consistency: Consistency }, self: Command) =>
      run(self, (context) => kvList(context, { prefix, ...options })),
    );
  addNetworkOptions(list);
  const watch = withMap(kv.command('watch'))
    .description('Prints what changes from now on, in order, each change once; until Ctrl-C')
    .argument('[prefix]', 'only keys that begin with it', '')
    .action((prefix: string, options: MapFlags, self: Command) =>
      run(self, (context) => kvWatch(context, { prefix, ...options })),
    );
  addNetworkOptions(watch);
}

function addWrites(kv: Command, run: Runner): void {
  const put = withMap(kv.command('put'))
    .description('Sets a key; done when a quorum has it')
    .argument('<key>', 'the key')
    .argument('<value>', 'the value, as text')
    .option('--parse', 'the value is JSON')
    .action((key: string, value: string, options: MapFlags & { parse?: boolean }, self: Command) =>
      run(self, (context) => kvPut(context, { key, value, ...options })),
    );
  addNetworkOptions(put);
  const remove = withMap(kv.command('delete'))
    .description('Deletes a key; exit code 3 when it was not there')
    .argument('<key>', 'the key')
    .action((key: string, options: MapFlags, self: Command) =>
      run(self, (context) => kvDelete(context, { key, ...options })),
    );
  addNetworkOptions(remove);
}

function withMap(command: Command): Command {
  return command
    .option('--map <name>', 'which map', 'default')
    .option(
      '--group-key <file>',
      'the secret that members and users share [MOSAIK_GROUP_KEY_FILE] (default: none)',
    );
}

function withConsistency(command: Command): Command {
  const option = new Option('--consistency <level>', 'how fresh the answer has to be');
  return command.addOption(option.choices(['strong', 'weak']).default('strong'));
}
