import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { ExitCode } from '../exit-code.ts';
import { Console } from '../output/console.ts';
import { type CommonFlags, settingsOf } from '../settings/settings.ts';
import type { World } from '../world.ts';
import { addDataCommands } from './data-commands.ts';
import { addDemoCommand } from './demo-command.ts';
import { addEarlyOptions, requireKnownFlags } from './early.ts';
import { addKvCommands } from './kv-commands.ts';
import { addLookCommands } from './look-commands.ts';
import type { Runner } from './runner.ts';

const FIRST_STEPS = `
First steps:
  $ mosaik bootstrap --listen 127.0.0.1:4747           a node that others find each other through
  $ export MOSAIK_BOOTSTRAP=127.0.0.1:4747             in every other terminal
  $ mosaik sub access-log                              prints what comes
  $ mosaik pub access-log < some.log                   sends every line to all who subscribe
  $ mosaik top                                         draws who is there, and what flows

Flags that all commands share, such as --network or --json, may also stand before the command.

Exit codes: 0 done, 1 failed, 2 a mistake in the command line or settings, 3 not found, 4 timed out, 5 done but not with
all data, 130 interrupted.`;

/** The command line. It never ends the process: what goes wrong is thrown. */
export function createProgram(world: World, onExit: (code: ExitCode) => void): Command {
  const program = new Command('mosaik')
    .description(
      'Looks at, feeds and reads a mosaik network: processes that find each other, and organise themselves into ' +
        'streams and groups without a broker. All it needs is the address of one node.',
    )
    .version(version())
    .configureOutput({
      writeOut: (text) => void world.stdout.write(text),
      writeErr: (text) => void world.stderr.write(text),
      getOutHelpWidth: () => world.stdout.columns ?? 100,
      getErrHelpWidth: () => world.stderr.columns ?? 100,
      getOutHasColors: () => world.stdout.isTTY === true,
      getErrHasColors: () => world.stderr.isTTY === true,
    })
    .configureHelp({ subcommandTerm: termOf })
    .exitOverride()
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText('after', FIRST_STEPS);
  addEarlyOptions(program);
  const runner: Runner = async (command, body) => {
    requireKnownFlags(program, command);
    const flags = command.optsWithGlobals<CommonFlags>();
    const console = new Console(world, { isJson: flags.json === true, isQuiet: flags.quiet === true });
    const settings = settingsOf(flags, world, (text) => console.warn(text));
    onExit((await body({ world, settings, console })) ?? ExitCode.Ok);
  };
  addDemoCommand(program, runner);
  addLookCommands(program, runner);
  addDataCommands(program, runner);
  addKvCommands(program, runner);
  return program;
}

/** A command with its arguments; that it has options goes without saying. */
function termOf(command: Command): string {
  const args = command.registeredArguments.map((arg) =>
    arg.required ? `<${arg.name()}>` : `[${arg.name()}]`,
  );
  return [command.name(), ...args].join(' ');
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
