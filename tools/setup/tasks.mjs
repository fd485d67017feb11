// What `npm run <task>` runs, once the workspace is set up.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SetupFailure } from './failure.mjs';
import { compileCache, root } from './paths.mjs';
import { takeSeedOptions } from './seeds.mjs';
import { simulationHelp } from './sim-help.mjs';

/** @typedef {{ command: string, args: string[], env?: NodeJS.ProcessEnv }} Command */
/** @typedef {{ node: string, pnpm: string }} Tools */

/** The tests that take longer times and more seeds when asked to (`MOSAIK_SIM=long`). */
const simulations = [
  'packages/discovery/test/sim',
  'packages/groups/test/bonds',
  'packages/groups/test/raft/swarm.test.ts',
  'packages/groups/test/sim',
  'packages/groups/test/machine',
  'packages/groups/test/storage',
  'packages/integration/test/churn',
  'packages/integration/test/groups',
  'packages/integration/test/stack',
  'packages/integration/test/store',
  'packages/integration/test/transport/keep.test.ts',
  'packages/streams/test/sim',
  'packages/integration/test/cli',
  'packages/store/test/sim',
  'packages/store/test/sqlite',
];

/**
 * For what starts many processes of our sources: half of the time of each goes into stripping and compiling the same modules,
 * which Node keeps here. Not for benchmarks, which measure the start of a process as users see it.
 */
const startsQuickly = { NODE_COMPILE_CACHE: compileCache };

/** @type {Record<string, (tools: Tools, args: string[]) => Command>} */
const tasks = {
  test: ({ node }, args) => tests(node, takeSeedOptions(args)),
  check: ({ node }, args) => ({ command: node, args: ['tools/check/main.ts', ...args] }),
  sim: ({ node }, args) =>
    asksForHelp(args) ? say(node, simulationHelp) : longSimulations(node, takeSeedOptions(args)),
  build: ({ node }, args) => ({ command: node, args: ['tools/build/main.ts', ...args] }),
  bench: ({ node }, args) => program(node, 'apps/bench/src/main.ts', args),
  demo: ({ node }, args) => ({ ...program(node, 'apps/demo/src/main.ts', args), env: startsQuickly }),
  pnpm: ({ pnpm }, args) => ({ command: pnpm, args }),
  exec: (_tools, [command = 'node', ...args]) => ({ command, args }),
};

/** Tasks that manage the dependencies themselves and must work when these are out of step. */
const withoutDependencies = new Set(['pnpm']);

/** @param {string | undefined} name */
export function taskNamed(name) {
  const task = name !== undefined && Object.hasOwn(tasks, name) ? tasks[name] : undefined;
  if (name !== undefined && task !== undefined) {
    return { command: task, needsDependencies: !withoutDependencies.has(name) };
  }
  throw new SetupFailure(`there is no task "${name ?? ''}"; there are ${Object.keys(tasks).join(', ')}.`);
}

/**
 * @param {string} node
 * @param {{ env: NodeJS.ProcessEnv, rest: string[] }} options
 * @returns {Command}
 */
function tests(node, { env, rest }) {
  const seedsOf = namesPlaces(rest) ? {} : { MOSAIK_SEEDS_OF: 'all' };
  return {
    command: node,
    args: ['node_modules/vitest/vitest.mjs', 'run', ...rest],
    env: { ...startsQuickly, ...seedsOf, ...env },
  };
}

/**
 * Whether files or folders are named, and so what is meant is known: else seeds are for all simulations, of which some take a
 * share (see `@mosaik/testing/seeds`).
 * @param {string[]} args
 */
function namesPlaces(args) {
  return args.some((arg) => existsSync(resolve(root, arg)));
}

/**
 * All simulations, unless some files or folders are named; in the times and numbers of seeds of the promises, not samples.
 * @param {string} node
 * @param {{ env: NodeJS.ProcessEnv, rest: string[] }} options
 * @returns {Command}
 */
function longSimulations(node, { env, rest }) {
  const long = { ...env, MOSAIK_SIM: 'long' };
  if (namesPlaces(rest)) return tests(node, { env: long, rest });
  return tests(node, { env: { ...long, MOSAIK_SEEDS_OF: 'all' }, rest: [...simulations, ...rest] });
}

/** @param {string[]} args */
function asksForHelp(args) {
  return args.includes('--help') || args.includes('-h');
}

/**
 * @param {string} node
 * @param {string} text
 * @returns {Command}
 */
function say(node, text) {
  return { command: node, args: ['-e', `process.stdout.write(${JSON.stringify(text)})`] };
}

/**
 * @param {string} node
 * @param {string} file
 * @param {string[]} args
 * @returns {Command}
 */
function program(node, file, args) {
  if (existsSync(join(root, file))) return { command: node, args: [file, ...args] };
  throw new SetupFailure(`${file} does not exist yet.`);
}
