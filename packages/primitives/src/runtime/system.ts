import { InvalidArgumentError } from '../errors.ts';
import type { Runtime, Timer } from './runtime.ts';

/** Node and browsers hold a delay in a signed 32-bit number and fire at once beyond it. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** `getRandomValues` refuses more at once (Web Cryptography API §10.1.1). */
const RANDOM_BYTES_AT_ONCE = 65_536;

function setTimer(delayMs: number, callback: () => void): Timer {
  if (!(delayMs >= 0)) throw new InvalidArgumentError('delayMs', `a number of 0 or more, not ${delayMs}`);
  let remainingMs = delayMs;
  let handle: ReturnType<typeof setTimeout>;
  const arm = (): void => {
    const stepMs = Math.min(remainingMs, LONGEST_DELAY_MS);
    remainingMs -= stepMs;
    handle = setTimeout(remainingMs > 0 ? arm : callback, stepMs);
  };
  arm();
  return { cancel: () => clearTimeout(handle) };
}

function randomBytes(count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let start = 0; start < count; start += RANDOM_BYTES_AT_ONCE) {
    crypto.getRandomValues(bytes.subarray(start, start + RANDOM_BYTES_AT_ONCE));
  }
  return bytes;
}

/** `setImmediate` where there is one (Node); a message to oneself elsewhere, as timers are clamped to 4 ms there. */
function chooseYield(): (callback: () => void) => void {
  if (typeof setImmediate === 'function') return (callback) => void setImmediate(callback);
  const waiting: (() => void)[] = [];
  const { port1, port2 } = new MessageChannel();
  port1.addEventListener('message', () => waiting.shift()?.());
  port1.start();
  return (callback) => {
    waiting.push(callback);
    port2.postMessage(null);
  };
}

/** The runtime of the machine itself: its clocks, its timers, its randomness. */
export const systemRuntime: Runtime = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimer,
  yieldTo: chooseYield(),
  random: () => Math.random(),
  randomBytes,
};
