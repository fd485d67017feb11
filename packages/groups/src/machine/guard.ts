/**
 * The determinism guard: while a machine applies, what differs between members throws. It replaces the platform's clock,
 * chance, timers and ways out, and lets through whoever uses them outside `apply`.
 */
import { NondeterminismError } from './errors.ts';

const TIME = 'take the time from context.now';
const CHANCE = 'draw from context.random()';
const LATER = 'a command is applied at once and completely; do it after its result has arrived';
const OUTSIDE = 'do it before, and put what came of it into the command';

/** What is replaced: where it lives, its name, how one writes it, and what to use instead. */
function guarded(): readonly (readonly [target: object, name: string, what: string, instead: string])[] {
  return [
    [Date, 'now', 'Date.now()', TIME],
    [performance, 'now', 'performance.now()', TIME],
    [Math, 'random', 'Math.random()', CHANCE],
    [crypto, 'getRandomValues', 'crypto.getRandomValues()', CHANCE],
    [crypto, 'randomUUID', 'crypto.randomUUID()', CHANCE],
    [globalThis, 'setTimeout', 'setTimeout()', LATER],
    [globalThis, 'setInterval', 'setInterval()', LATER],
    [globalThis, 'setImmediate', 'setImmediate()', LATER],
    [globalThis, 'queueMicrotask', 'queueMicrotask()', LATER],
    [globalThis, 'fetch', 'fetch()', OUTSIDE],
    [globalThis, 'WebSocket', 'WebSocket', OUTSIDE],
    [globalThis, 'XMLHttpRequest', 'XMLHttpRequest', OUTSIDE],
  ];
}

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

/** A guard that puts itself in place for each run: nothing is changed for anybody else, as a run is synchronous. */
export function createGuard(): DeterminismGuard {
  return { run: runGuarded };
}

function runGuarded<T>(work: () => T): T {
  let caught: NondeterminismError | undefined;
  const refuse = (what: string, instead: string): never => {
    caught ??= new NondeterminismError(what, instead);
    throw caught;
  };
  const undo = [...replaceFunctions(refuse), replaceDate(refuse)];
  let result: T;
  try {
    result = work();
  } finally {
    for (const step of undo.reverse()) step();
    // Not what `work` threw, which may hide it.
    if (caught !== undefined) raise(caught);
  }
  return result;
}

function raise(error: Error): never {
  throw error;
}

type Refuse = (what: string, instead: string) => never;

function replaceFunctions(refuse: Refuse): (() => void)[] {
  return guarded()
    .filter(([target, name]) => typeof Reflect.get(target, name) === 'function')
    .map(([target, name, what, instead]) => replace(target, name, () => refuse(what, instead)));
}

function replace(target: object, name: string, value: () => never): () => void {
  const own = Object.getOwnPropertyDescriptor(target, name);
  // A function and not an arrow: `new` must reach it, too.
  function stand(): never {
    return value();
  }
  Object.defineProperty(target, name, {
    configurable: true,
    writable: true,
    enumerable: own?.enumerable ?? false,
    value: stand,
  });
  return () => {
    if (own) Object.defineProperty(target, name, own);
    else Reflect.deleteProperty(target, name);
  };
}

/** `new Date()` and `Date()` read the clock; `new Date(value)` does not, and stays allowed. */
function replaceDate(refuse: Refuse): () => void {
  const RealDate = globalThis.Date;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, values, newTarget) =>
      values.length === 0 ? refuse('new Date()', TIME) : Reflect.construct(target, values, newTarget),
    apply: () => refuse('Date()', TIME),
  });
  return () => {
    globalThis.Date = RealDate;
  };
}
