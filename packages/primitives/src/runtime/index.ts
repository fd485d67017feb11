export type { Runtime, Timer } from './runtime.ts';
export { systemRuntime } from './system.ts';
export {
  abortable,
  jitter,
  randomInt,
  sample,
  sleep,
  throwIfAborted,
  type WaitOptions,
  waitFor,
  withTimeout,
  yieldNow,
} from './wait.ts';
