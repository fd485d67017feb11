/**
 * `@mosaik/cli`: the command line of mosaik. Its program is `mosaik`; this entry runs it in surroundings of the caller's own,
 * and returns the exit code instead of ending the process.
 */
export { ExitCode } from './exit-code.ts';
export { run } from './run.ts';
export { type Output, processWorld, type World } from './world.ts';
