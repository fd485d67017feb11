import type { Command } from 'commander';
import { usage } from '../failure.ts';
import { addNetworkOptions } from './options.ts';

/**
 * Lets the flags that commands share stand before the command, too (`mosaik --json peers`): the program has them as well, and
 * shows them in the help of the commands only.
 */
export function addEarlyOptions(program: Command): void {
  const own = program.options.length;
  addNetworkOptions(program);
  for (const option of program.options.slice(own)) option.hideHelp();
}

/**
 * The program takes the shared flags wherever they stand, also for a command that has none of them.
 *
 * @throws {Failure} when such a flag was given.
 */
export function requireKnownFlags(program: Command, command: Command): void {
  const known = new Set(command.options.map((option) => option.attributeName()));
  const stray = program.options.find((option) => {
    const name = option.attributeName();
    return !known.has(name) && program.getOptionValueSource(name) === 'cli';
  });
  if (stray !== undefined) throw usage(`${command.name()} does not take ${stray.long}`);
}

/** Where a flag of one command was written before that command: how to write it. */
export function whereToWrite(program: Command, argv: readonly string[]): string | undefined {
  let command = program;
  for (const word of argv)
    command = command.commands.find((candidate) => candidate.name() === word) ?? command;
  const [first = ''] = argv;
  const [flag = ''] = first.split('=');
  const isIts = command.options.some(({ long, short }) => flag === long || flag === short);
  return command !== program && isIts
    ? `flags of one command stand after it: mosaik ${pathOf(command)} ${flag}`
    : undefined;
}

/** `kv get`, for the command `get` of `kv`. */
function pathOf(command: Command): string {
  const { parent } = command;
  return parent === null || parent.parent === null ? command.name() : `${pathOf(parent)} ${command.name()}`;
}
