import { resolve } from 'node:path';
import type { Context } from '../context.ts';
import { ExitCode } from '../exit-code.ts';
import { usage } from '../failure.ts';

export interface DemoFlags {
  readonly input?: string;
  readonly watch?: boolean;
}

/** Shows what mosaik claims, with ten processes on this machine; the demo itself is a package of its own. */
export async function demo(
  { world, console }: Context,
  { input, watch = false }: DemoFlags,
): Promise<ExitCode> {
  const { isJson, stdout, stderr } = console;
  if (watch && isJson) throw usage('--watch has no end, and --json tells of the end: choose one');
  // Nobody who does anything else waits until it is loaded.
  const { DemoInputError, runDemo } = await import('@mosaik/demo');
  try {
    const holds = await runDemo({
      input: input === undefined ? undefined : resolve(world.folder, input),
      isWatched: watch,
      isJson,
      stdout,
      stderr,
      signal: world.interrupted,
    });
    return holds ? ExitCode.Ok : ExitCode.Failed;
  } catch (thrown) {
    throw thrown instanceof DemoInputError ? usage(thrown.message) : thrown;
  }
}
