// Installs a pinned tool: a committed package.json and package-lock.json (with checksums) under tools/pins/<name>,
// by `npm ci` without any package scripts, into .toolchain/<name>.

import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { runQuietly } from './exec.mjs';
import { adviceFor, installFailure, SetupFailure } from './failure.mjs';
import { logFile, pins, toolchain } from './paths.mjs';

/**
 * @typedef {object} Pin
 * @property {string} name the folder below tools/pins and .toolchain
 * @property {string} label how it is called in messages
 * @property {string} binary the executable, relative to the installed node_modules
 */

/**
 * The executable of a pin as installed, or undefined when it is missing or was installed from another lock file.
 * @param {Pin} pin
 */
export function installedPin(pin) {
  const folder = join(toolchain, pin.name);
  const binary = join(folder, 'node_modules', pin.binary);
  return readStamp(folder) === stampOf(pin) && existsSync(binary) ? binary : undefined;
}

/**
 * Installs a pin beside its place and moves it there at the end: others see the whole of it, or nothing.
 * @param {Pin} pin
 * @returns {Promise<string>} the executable
 */
export async function installPin(pin) {
  const target = join(toolchain, pin.name);
  const staging = `${target}.new`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) {
    copyFileSync(join(pins, pin.name, file), join(staging, file));
  }
  const output = await npmInstall(pin, staging);
  await verify(pin, join(staging, 'node_modules', pin.binary), output);
  writeFileSync(join(staging, 'stamp'), stampOf(pin));
  rmSync(target, { recursive: true, force: true });
  renameSync(staging, target);
  return join(target, 'node_modules', pin.binary);
}

/**
 * The binaries are optional dependencies, one for each platform, and npm calls an install without them a success. So its
 * talk is kept: when the binary is not there or broken, that is where the reason stands.
 * @param {Pin} pin
 * @param {string} folder
 * @returns {Promise<string>} what npm printed
 */
async function npmInstall(pin, folder) {
  const npm = findNpm();
  const args = [
    ...npm.args,
    ...['ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=verbose'],
    ...['--fetch-retries=2', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000'],
  ];
  const { code, output } = await runQuietly({ ...npm, args, cwd: folder });
  if (code !== 0 || output.includes('TAR_ENTRY_ERROR')) throw failed(pin, output);
  return output;
}

/**
 * @param {Pin} pin
 * @param {string} binary
 * @param {string} npmOutput
 */
async function verify(pin, binary, npmOutput) {
  const { code } = await runQuietly({ command: binary, args: ['--version'] }).catch(() => ({ code: 1 }));
  if (code === 0) return;
  if (adviceFor(npmOutput) !== undefined) throw failed(pin, npmOutput);
  throw new SetupFailure(
    `the pinned ${pin.label} does not run on this system (${process.platform}-${process.arch}); install it by hand, then run the command again.`,
  );
}

/**
 * @param {Pin} pin
 * @param {string} output
 */
function failed(pin, output) {
  return installFailure(`installing ${pin.label}`, output, logFile);
}

/** npm as the running `npm run` names it, else beside this Node, else from the PATH. */
function findNpm() {
  const script = [process.env.npm_execpath, ...npmBesideNode()].find(
    (path) => path?.endsWith('npm-cli.js') && existsSync(path),
  );
  if (script) return { command: process.execPath, args: [script] };
  const name = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const onPath = (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
  if (!onPath) throw new SetupFailure('npm was not found; install Node with npm (any version from 16 on).');
  return { command: name, args: [], shell: process.platform === 'win32' };
}

function npmBesideNode() {
  const folder = dirname(process.execPath);
  const inModules = join('node_modules', 'npm', 'bin', 'npm-cli.js');
  return [join(folder, inModules), join(dirname(folder), 'lib', inModules)];
}

/** @param {Pin} pin */
function stampOf(pin) {
  const hash = createHash('sha256').update(readFileSync(join(pins, pin.name, 'package-lock.json')));
  return hash.update(`${process.platform}-${process.arch}`).digest('hex');
}

/** @param {string} folder */
function readStamp(folder) {
  try {
    return readFileSync(join(folder, 'stamp'), 'utf8');
  } catch {
    return undefined;
  }
}
