import { type Command, InvalidArgumentError, Option } from 'commander';

/** Adds the flags that all commands have which join a network; after their own, so that these come first in the help. */
export function addNetworkOptions(command: Command): Command {
  const network = command
    .optionsGroup('Network options (flags, else the environment, else mosaik.json):')
    .option(
      '-n, --network <name>',
      'name of the network; nodes of other names are not seen [MOSAIK_NETWORK] (default: mosaik)',
    )
    .addOption(
      repeatable(
        '-b, --bootstrap <address>',
        'a node that may be live, as host:port or multiaddr; repeatable [MOSAIK_BOOTSTRAP]',
      ),
    )
    .addOption(
      repeatable(
        '-l, --listen <address>',
        'where to listen; repeatable [MOSAIK_LISTEN] (default: every interface, a free port)',
      ),
    )
    .addOption(repeatable('-t, --tag <tag>', 'a role that others see this node in; repeatable [MOSAIK_TAGS]'))
    .option('--mdns', 'find nodes on the local network without any address')
    .option(
      '--key <file>',
      'the secret key of this node, see keygen [MOSAIK_SECRET_KEY_FILE] (default: a new one each time)',
    )
    .option('--secret-key <text>', 'the same as a text; others can see it: for demos')
    .option('--preset <name>', 'what times suit: local, lan or wan [MOSAIK_PRESET] (default: lan)')
    .option('--config <file>', 'a file with settings [MOSAIK_CONFIG] (default: mosaik.json, if it is there)')
    .option('--timeout <seconds>', 'how long to wait for what is needed [MOSAIK_TIMEOUT] (default: 10)');
  return addOutputOptions(network);
}

/** The flags that all commands have. */
export function addOutputOptions(command: Command): Command {
  return command
    .optionsGroup('Output options:')
    .option('--json', 'data as JSON, one value a line')
    .option('-q, --quiet', 'no notes on standard error; warnings and errors stay');
}

/** An option that may be given more than once. */
function repeatable(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string, before: string[] | undefined) => [
    ...(before ?? []),
    value,
  ]);
}

/** Reads a whole number from a flag. */
export function wholeNumber(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= min) return value;
    throw new InvalidArgumentError(`It takes a whole number of ${min} or more.`);
  };
}

/** Reads seconds from a flag, as milliseconds. */
export function positiveSeconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= 86_400) return value * 1000;
  throw new InvalidArgumentError('It takes seconds, above 0.');
}
