import { type Command, CommanderError } from 'commander';
import { toError } from 'mosaik';
import { ExitCode } from './exit-code.ts';
import { explain } from './failure.ts';
import { Console, isOutputClosed } from './output/console.ts';
import { whereToWrite } from './program/early.ts';
import { createProgram } from './program/program.ts';
import type { World } from './world.ts';

/** Runs a command line in the surroundings that are given; returns what the process is to exit with. */
export async function run(argv: readonly string[], world: World): Promise<ExitCode> {
  let result: ExitCode = ExitCode.Ok;
  const program = createProgram(world, (code) => {
    result = code;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return result;
  } catch (thrown) {
    const code = report(thrown, world);
    if (isUnknownOption(thrown)) adviseOn(argv, program, world);
    return code;
  }
}

/** Help and versions that were asked for; Commander ends its parsing with an error for these, too. */
const ASKED_FOR: readonly string[] = ['commander.helpDisplayed', 'commander.version'];

function report(thrown: unknown, world: World): ExitCode {
  // Commander has said it already.
  if (thrown instanceof CommanderError) return ASKED_FOR.includes(thrown.code) ? ExitCode.Ok : ExitCode.Usage;
  if (isOutputClosed(world, thrown)) return ExitCode.Ok;
  const console = new Console(world, { isJson: false, isQuiet: false });
  const failure = explain(thrown);
  if (world.interrupted.aborted && (failure === undefined || failure.exitCode === ExitCode.Interrupted)) {
    console.note(failure?.cause === undefined && failure !== undefined ? failure.message : 'interrupted');
    return ExitCode.Interrupted;
  }
  if (failure === undefined) {
    console.error(`this should not happen, and is a bug of mosaik: ${toError(thrown).stack}`);
    return ExitCode.Failed;
  }
  console.error(failure.message);
  if (failure.hint !== undefined) console.note(`       ${failure.hint}`);
  return failure.exitCode;
}

function isUnknownOption(thrown: unknown): boolean {
  return thrown instanceof CommanderError && thrown.code === 'commander.unknownOption';
}

function adviseOn(argv: readonly string[], program: Command, world: World): void {
  const advice = whereToWrite(program, argv);
  if (advice !== undefined) new Console(world, { isJson: false, isQuiet: false }).note(advice);
}
