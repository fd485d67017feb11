// One setup at a time per checkout. The lock is a file that names its holder; the holder touches it while it works, so
// that a lock whose holder was killed is recognised and taken over.

import { mkdirSync, readFileSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';

const pollMs = 200;
const noticeAfterMs = 2_000;
const touchMs = 5_000;
/** A holder that has not touched its lock for this long is dead, wherever it ran. */
const staleMs = 60_000;
/** Taking a stale lock over is a few synchronous calls; a marker older than this was left by a crash. */
const takeoverStaleMs = 10_000;

/**
 * Runs `work` while holding the lock.
 * @template T
 * @param {string} file
 * @param {() => Promise<T>} work
 * @param {(holder: string) => void} [onWait] called once when it has waited for a while
 * @returns {Promise<T>}
 */
export async function withLock(file, work, onWait = () => {}) {
  mkdirSync(dirname(file), { recursive: true });
  await acquire(file, onWait);
  const touching = setInterval(() => touch(file), touchMs);
  const release = () => remove(file);
  process.on('exit', release);
  try {
    return await work();
  } finally {
    clearInterval(touching);
    process.off('exit', release);
    release();
  }
}

/**
 * @param {string} file
 * @param {(holder: string) => void} onWait
 */
async function acquire(file, onWait) {
  const began = Date.now();
  let noticed = false;
  while (!create(file)) {
    if (isStale(file)) takeOver(file);
    else await new Promise((resolve) => setTimeout(resolve, pollMs));
    if (!noticed && Date.now() - began > noticeAfterMs) {
      noticed = true;
      onWait(read(file)?.pid ?? 'unknown');
    }
  }
}

/** @param {string} file */
function create(file) {
  try {
    writeFileSync(file, `${process.pid} ${hostname()}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Only one process may judge and remove a stale lock, or a second one could remove the lock of the first one's successor.
 * @param {string} file
 */
function takeOver(file) {
  const marker = `${file}.takeover`;
  if (!create(marker)) {
    if (ageMs(marker) > takeoverStaleMs) remove(marker);
    return;
  }
  if (isStale(file)) remove(file);
  remove(marker);
}

/** @param {string} file */
function isStale(file) {
  if (ageMs(file) > staleMs) return true;
  const holder = read(file);
  return holder !== undefined && holder.host === hostname() && !isAlive(Number(holder.pid));
}

/**
 * @param {string} file
 * @returns {{ pid: string, host: string } | undefined} undefined when it is gone, or not yet written
 */
function read(file) {
  try {
    const [pid, host] = readFileSync(file, 'utf8').trim().split(' ');
    return pid && host ? { pid, host } : undefined;
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}

/** @param {string} file */
function ageMs(file) {
  try {
    return Date.now() - statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}

/** @param {string} file */
function touch(file) {
  try {
    utimesSync(file, new Date(), new Date());
  } catch {
    // The lock was removed by hand: nothing to keep alive.
  }
}

/** @param {string} file */
function remove(file) {
  try {
    unlinkSync(file);
  } catch {
    // Already gone.
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return /** @type {NodeJS.ErrnoException} */ (error).code;
}
