// Sets up what the machine lacks (a fitting Node, the pinned pnpm, the dependencies), then becomes the task.

import { delimiter, dirname } from 'node:path';
import { clearLog, runInForeground } from './exec.mjs';
import { lineFor } from './failure.mjs';
import { withLock } from './lock.mjs';
import { fits, nodePin } from './node.mjs';
import { binaries, lockFile, root } from './paths.mjs';
import { installedPin, installPin } from './pins.mjs';
import { dependenciesAreCurrent, installDependencies, pnpmPin } from './pnpm.mjs';
import { taskNamed } from './tasks.mjs';

/** @typedef {import('./tasks.mjs').Tools} Tools */

/** No tool of the workspace looks for its own updates or reports its use. */
const quiet = {
  PNPM_CONFIG_UPDATE_NOTIFIER: 'false',
  TURBO_NO_UPDATE_NOTIFIER: '1',
  TURBO_TELEMETRY_DISABLED: '1',
};

/** @param {string[]} argv the task and its arguments */
export async function main([name, ...args]) {
  try {
    const task = taskNamed(name);
    const tools = await setUp(task.needsDependencies);
    const command = task.command(tools, args);
    const env = { ...environment(tools), ...command.env };
    process.exitCode = await runInForeground({ ...command, cwd: root, env });
  } catch (error) {
    console.error(lineFor(error));
    process.exitCode = 1;
  }
}

/**
 * @param {boolean} needsDependencies
 * @returns {Promise<Tools>}
 */
async function setUp(needsDependencies) {
  const ready = readyTools();
  const complete = ready !== undefined && (!needsDependencies || dependenciesAreCurrent());
  if (complete) return ready;
  return await withLock(lockFile, () => install(needsDependencies), sayWaiting);
}

/** @returns {Tools | undefined} the tools, when all of them are there */
function readyTools() {
  const node = fits(process.versions.node) ? process.execPath : installedPin(nodePin());
  const pnpm = installedPin(pnpmPin());
  return node !== undefined && pnpm !== undefined ? { node, pnpm } : undefined;
}

/** @param {boolean} needsDependencies */
async function install(needsDependencies) {
  clearLog();
  const tools = readyTools() ?? (await installTools());
  if (needsDependencies && !dependenciesAreCurrent()) {
    say('installing the dependencies …');
    await installDependencies(tools.pnpm, environment(tools));
  }
  return tools;
}

/** @returns {Promise<Tools>} */
async function installTools() {
  say(fits(process.versions.node) ? 'fetching pnpm …' : 'fetching Node and pnpm …');
  const installs = [
    fits(process.versions.node) ? process.execPath : (installedPin(nodePin()) ?? installPin(nodePin())),
    installedPin(pnpmPin()) ?? installPin(pnpmPin()),
  ];
  // Both end before the lock is let go, also when one fails.
  await Promise.allSettled(installs);
  const [node = '', pnpm = ''] = await Promise.all(installs);
  return { node, pnpm };
}

/**
 * The tools come first on the PATH, so that whatever a task starts finds the same ones.
 * @param {Tools} tools
 * @returns {NodeJS.ProcessEnv}
 */
function environment({ node, pnpm }) {
  const path = [dirname(node), dirname(pnpm), binaries, process.env.PATH ?? ''].join(delimiter);
  return { ...process.env, ...quiet, PATH: path };
}

/** @param {string} text */
function say(text) {
  console.error(`mosaik: ${text}`);
}

/** @param {string} holder */
function sayWaiting(holder) {
  say(`waiting for another setup in this folder (process ${holder}) …`);
}
