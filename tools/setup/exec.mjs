// Running other programs: quietly, with their output kept for a diagnosis, or in the foreground, as if they were us.

import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { logFile } from './paths.mjs';

/** @typedef {{ command: string, args: string[], cwd?: string, env?: NodeJS.ProcessEnv, shell?: boolean }} Program */

/**
 * Runs a program without showing its output, which is appended to the setup log.
 * @param {Program} program
 * @returns {Promise<{ code: number, output: string }>}
 */
export async function runQuietly(program) {
  const child = spawn(program.command, program.args, {
    ...options(program),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const collect = (/** @type {Buffer} */ chunk) => {
    output += chunk.toString();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const stopForwarding = forwardSignals(child);
  const { code } = await ended(child);
  const interrupted = stopForwarding();
  keep(program, output);
  // Whoever asked us to stop does not want to read that the installer failed.
  if (interrupted !== undefined) process.exit(exitCodeOf(interrupted));
  return { code, output };
}

/**
 * Runs a program in the foreground and resolves to the exit code to leave with.
 * @param {Program} program
 */
export async function runInForeground(program) {
  const child = spawn(program.command, program.args, { ...options(program), stdio: 'inherit' });
  const stopForwarding = forwardSignals(child);
  const { code, signal } = await ended(child);
  stopForwarding();
  return signal === null ? code : exitCodeOf(signal);
}

/**
 * As shells report the end of a program by a signal.
 * @param {NodeJS.Signals} signal
 */
function exitCodeOf(signal) {
  return 128 + (constants.signals[signal] ?? 0);
}

/** The log holds the last setup only. */
export function clearLog() {
  rmSync(logFile, { force: true });
}

/** @param {Program} program */
function options({ cwd, env, shell }) {
  return { cwd, env: env ?? process.env, shell: shell ?? false };
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<{ code: number, signal: NodeJS.Signals | null }>}
 */
function ended(child) {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? 1, signal }));
  });
}

/**
 * While the child runs, signals are the child's to answer: we pass them on and wait for its exit code. A terminal sends
 * Ctrl-C to the whole foreground group itself; passing it on once more would be a second Ctrl-C.
 * @param {import('node:child_process').ChildProcess} child
 * @returns {() => NodeJS.Signals | undefined} ends it, and tells the first signal that came
 */
function forwardSignals(child) {
  const signals = /** @type {NodeJS.Signals[]} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
  /** @type {NodeJS.Signals | undefined} */
  let received;
  const handlers = signals.map((signal) => {
    const sentToGroup = signal === 'SIGINT' && process.stdin.isTTY;
    const handler = () => {
      received ??= signal;
      if (!sentToGroup) child.kill(signal);
    };
    process.on(signal, handler);
    return { signal, handler };
  });
  return () => {
    for (const { signal, handler } of handlers) process.off(signal, handler);
    return received;
  };
}

/**
 * @param {Program} program
 * @param {string} output
 */
function keep(program, output) {
  try {
    mkdirSync(dirname(logFile), { recursive: true });
    appendFileSync(logFile, `$ ${program.command} ${program.args.join(' ')}\n${output}\n`);
  } catch {
    // The log is a convenience: a full disk must not hide the failure it is about.
  }
}
