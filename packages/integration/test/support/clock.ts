import { readFileSync } from 'node:fs';

/** Monotonic time in ms, of one clock that all processes of the machine share. */
export function sharedNowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/**
 * How long the main thread of this process has been ready to run while the machine ran something else, in ms: what a bound
 * in real time makes allowance for on a busy machine. 0 where the system does not count it.
 */
export function waitedForCpuMs(): number {
  try {
    const [, waitedNs = '0'] = readFileSync('/proc/self/schedstat', 'utf8').trim().split(' ');
    return Number(waitedNs) / 1e6;
  } catch {
    return 0;
  }
}
