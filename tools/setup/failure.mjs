// Failures that are the machine's or the user's, not ours: one line that says what happened and what to do.

/** An expected failure. Its message is all that the user sees. */
export class SetupFailure extends Error {
  /** @param {string} message what happened, then what to do about it */
  constructor(message) {
    super(message);
    this.name = 'SetupFailure';
  }
}

const causes = [
  {
    pattern: /ENOSPC|EDQUOT|no space left on device|os error 28\b|disk quota exceeded/i,
    advice: 'the disk is full; free about 1 GB and run the command again.',
  },
  {
    pattern: /EACCES|EPERM|EROFS|permission denied|read-only file system/i,
    advice: 'a file could not be written; check who owns this folder and the npm cache (~/.npm).',
  },
  {
    pattern: /EINTEGRITY|ERR_PNPM_TARBALL_INTEGRITY|checksum mismatch/i,
    advice:
      'a package did not match its pinned checksum; clear the cache (npm cache clean --force) or mistrust the registry.',
  },
  {
    pattern: /ERR_PNPM_OUTDATED_LOCKFILE|frozen-lockfile|lockfile is not up to date/i,
    advice:
      'pnpm-lock.yaml does not fit the package.json files; run `npm run pnpm -- install` and commit the lock file.',
  },
  {
    pattern:
      /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|UND_ERR|network (?:request|timeout)|error sending request|dns error|tunneling socket|certificate/i,
    advice:
      'the package registry could not be reached; check the network, the proxy and `npm config get registry`.',
  },
  {
    pattern: /\bE?404\b|ETARGET|notarget|ERR_PNPM_NO_MATCHING_VERSION|not found in the registry/i,
    advice: 'the package registry lacks a pinned version; check `npm config get registry`.',
  },
];

/**
 * Turns what an installer printed, or an error's text, into advice.
 * @param {string} output
 * @returns {string | undefined} what to do, or undefined when the cause is not known
 */
export function adviceFor(output) {
  return causes.find((cause) => cause.pattern.test(output))?.advice;
}

/**
 * @param {string} doing what was being done, e.g. "installing Node 24"
 * @param {string} output what the installer printed
 * @param {string} logFile where the whole output was kept
 */
export function installFailure(doing, output, logFile) {
  const advice = adviceFor(output) ?? `it failed; the reason is in ${logFile}.`;
  return new SetupFailure(`${doing}: ${advice}`);
}

/**
 * The line to print for any error that ends the setup.
 * @param {unknown} error
 */
export function lineFor(error) {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof SetupFailure) return `mosaik: ${message}`;
  return `mosaik: setting up failed: ${adviceFor(message) ?? message.split('\n')[0]}`;
}
