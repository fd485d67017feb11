// Which seeds the simulations take: `--seeds N` and `--seed FIRST`, for whoever runs tests.

import { spawnSync } from 'node:child_process';
import { SetupFailure } from './failure.mjs';
import { root } from './paths.mjs';

/** Where there is no commit to take seeds from. */
const seedWithoutGit = 1;

/**
 * Takes the options about seeds out of the arguments of a run of tests.
 *
 * Without `--seed` the first one follows from the commit: each commit is tried on other ones, and a run can be repeated.
 * @param {string[]} args
 * @returns {{ env: NodeJS.ProcessEnv, rest: string[] }} the environment that `@mosaik/testing/seeds` reads, and what is
 *   left for the runner
 */
export function takeSeedOptions(args) {
  /** @type {NodeJS.ProcessEnv} */
  const env = {};
  /** @type {string[]} */
  const rest = [];
  const left = args.flatMap((arg) => (/^--seeds?=/.test(arg) ? arg.split('=') : [arg]));
  while (left.length > 0) {
    const arg = left.shift() ?? '';
    if (arg === '--seeds') env['MOSAIK_SEEDS'] = wholeNumber(arg, left.shift(), 1);
    else if (arg === '--seed') env['MOSAIK_SEED'] = wholeNumber(arg, left.shift(), 0);
    else rest.push(arg);
  }
  env['MOSAIK_SEED'] ??= process.env['MOSAIK_SEED'] ?? String(commitSeed());
  return { env, rest };
}

/**
 * @param {string} option
 * @param {string | undefined} text
 * @param {number} least
 */
function wholeNumber(option, text, least) {
  const value = Number(text);
  if (text !== undefined && /^\d+$/.test(text) && value >= least && Number.isSafeInteger(value)) return text;
  throw new SetupFailure(`${option} takes a whole number from ${least} on, not "${text ?? ''}".`);
}

/** A number of 32 bits that follows from the commit that is checked out. */
function commitSeed() {
  const { stdout } = spawnSync('git', ['rev-parse', 'HEAD'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return seedOfCommit(stdout ?? '');
}

/** @param {string} hash what git says HEAD is; anything else when there is no git or no commit */
export function seedOfCommit(hash) {
  return /^[0-9a-f]{40}/.test(hash) ? Number.parseInt(hash.slice(0, 8), 16) : seedWithoutGit;
}
