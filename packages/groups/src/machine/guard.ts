/**
 * The determinism guard: while a machine applies, what differs between members throws. It replaces the platform's clock,
 * chance, timers and ways out, and lets through whoever uses them outside `apply`.
 */
import { replaceGlobals } from './guard/globals.ts';
import { gateNodeModules } from './guard/node-modules.ts';
import { Refusals, refusing } from './guard/refusal.ts';

/** Watches the machines of one applier. */
export interface DeterminismGuard {
  /**
   * Runs what must be deterministic.
   *
   * @throws {NondeterminismError} when it was not, also when the error was caught inside.
   */
  run<T>(work: () => T): T;
}

/** Lets everything through; for production. */
export const noGuard: DeterminismGuard = { run: (work) => work() };

/**
 * A guard for development and tests. Globals are replaced for each run, and nothing is changed for anybody else, as a run is
 * synchronous; the functions of Node's modules are replaced once, by such that do the same outside of a run.
 */
export function createGuard(): DeterminismGuard {
  gateNodeModules();
  return { run: runGuarded };
}

function runGuarded<T>(work: () => T): T {
  const refusals = new Refusals();
  const restore = replaceGlobals();
  let result: T;
  try {
    result = refusing(refusals.refuse, work);
  } finally {
    restore();
    // Not what `work` threw, which may hide it.
    if (refusals.first !== undefined) raise(refusals.first);
  }
  return result;
}

function raise(error: Error): never {
  throw error;
}
