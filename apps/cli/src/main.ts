#!/usr/bin/env node
/** The program: gives the command line its surroundings, and Node the exit code. */
import { ExitCode } from './exit-code.ts';
import { run } from './run.ts';
import { processWorld } from './world.ts';

const interruption = new AbortController();

/** Terminals, shells and `timeout` may each pass on the same Ctrl-C: what comes so soon after it is no second one. */
const SAME_SIGNAL_MS = 500;
let interruptedAtMs = 0;

/** The first asks it to end in an orderly way, the second ends it. */
const onSignal = (): void => {
  if (!interruption.signal.aborted) {
    interruptedAtMs = performance.now();
    interruption.abort(new Error('interrupted'));
  } else if (performance.now() - interruptedAtMs > SAME_SIGNAL_MS) {
    process.exit(ExitCode.Interrupted);
  }
};
process.on('SIGINT', onSignal);
process.on('SIGTERM', onSignal);
// Whoever reads has gone (`| head`): nobody is left to work for.
process.stdout.on('error', (error) => interruption.abort(error));
process.stderr.on('error', () => {});

const code = await run(process.argv.slice(2), processWorld(interruption.signal));
process.stdin.destroy();
// Not before what was printed has gone into the pipe. What still runs then has nothing to say any more.
if (process.stdout.writable) process.stdout.write('', () => process.exit(code));
else process.exit(code);
