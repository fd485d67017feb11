// The pinned pnpm, and the install of the workspace's dependencies with it.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runQuietly } from './exec.mjs';
import { installFailure, SetupFailure } from './failure.mjs';
import { logFile, root } from './paths.mjs';

/** @typedef {import('./pins.mjs').Pin} Pin */

/** No questions; and with pnpm's own patience for the network, a missing one would take minutes to notice. */
const unattended = {
  CI: 'true',
  PNPM_CONFIG_FETCH_RETRIES: '2',
  PNPM_CONFIG_FETCH_RETRY_MINTIMEOUT: '1000',
  PNPM_CONFIG_FETCH_RETRY_MAXTIMEOUT: '5000',
};

const platforms = ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64', 'linux-x64-musl', 'win32-x64'];
const stampFile = join(root, 'node_modules', '.setup-stamp');
/** The folders of pnpm-workspace.yaml; `*` stands for each folder in it. */
const members = ['packages/*', 'apps/*', 'tools'];

/**
 * @param {string} platform
 * @param {string} arch
 * @returns {Pin}
 */
export function pnpmPin(platform = process.platform, arch = process.arch) {
  const id = `${platform}-${arch}${isMusl(platform) ? '-musl' : ''}`;
  if (!platforms.includes(id)) {
    throw new SetupFailure(`there is no pinned pnpm for ${id}; work on one of ${platforms.join(', ')}.`);
  }
  const file = platform === 'win32' ? 'pnpm.exe' : 'pnpm';
  return { name: 'pnpm', label: 'pnpm', binary: `@pnpm/exe.${id}/${file}` };
}

/** @param {string} platform */
function isMusl(platform) {
  if (platform !== 'linux') return false;
  const report = /** @type {{ header?: { glibcVersionRuntime?: string } }} */ (
    process.report?.getReport() ?? {}
  );
  return report.header !== undefined && report.header.glibcVersionRuntime === undefined;
}

/** True when what is installed is what the lock file and the manifests ask for. */
export function dependenciesAreCurrent() {
  const manifests = manifestFolders();
  return (
    readStamp() === dependencyStamp(manifests) &&
    manifests.every((folder) => existsSync(join(folder, 'node_modules')))
  );
}

/**
 * @param {string} pnpm the executable
 * @param {NodeJS.ProcessEnv} env
 */
export async function installDependencies(pnpm, env) {
  const args = ['install', '--frozen-lockfile', '--reporter=append-only'];
  const { code, output } = await runQuietly({
    command: pnpm,
    args,
    cwd: root,
    env: { ...env, ...unattended },
  });
  if (code !== 0) throw installFailure('installing the dependencies', output, logFile);
  writeFileSync(stampFile, dependencyStamp(manifestFolders()));
}

/** @returns {string[]} the root and every folder of the workspace that holds a package.json */
function manifestFolders() {
  const folders = members.flatMap((member) => {
    if (!member.endsWith('/*')) return [join(root, member)];
    const parent = join(root, member.slice(0, -2));
    return existsSync(parent)
      ? readdirSync(parent)
          .sort()
          .map((name) => join(parent, name))
      : [];
  });
  return [root, ...folders.filter((folder) => existsSync(join(folder, 'package.json')))];
}

/** @param {string[]} folders */
function dependencyStamp(folders) {
  const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml'].map((name) => join(root, name));
  const hash = createHash('sha256');
  for (const file of [...files, ...folders.map((folder) => join(folder, 'package.json'))]) {
    hash.update(`${file}\n`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

function readStamp() {
  try {
    return readFileSync(stampFile, 'utf8');
  } catch {
    return undefined;
  }
}
