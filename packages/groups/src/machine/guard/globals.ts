import { CHANCE, LATER, OUTSIDE, TIME, told } from './refusal.ts';

type Guarded = readonly [target: object, name: string, what: string, instead: string];

/** Functions and constructors: where one lives, its name, how one writes it, and what to use instead. */
function guardedFunctions(): readonly Guarded[] {
  return [
    [Date, 'now', 'Date.now()', TIME],
    [performance, 'now', 'performance.now()', TIME],
    [Math, 'random', 'Math.random()', CHANCE],
    [crypto, 'getRandomValues', 'crypto.getRandomValues()', CHANCE],
    [crypto, 'randomUUID', 'crypto.randomUUID()', CHANCE],
    ...ofGlobal(LATER, ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask']),
    ...ofGlobal(LATER, ['requestAnimationFrame', 'requestIdleCallback']),
    // A callback comes whenever the batch ends that a command happens to be in: not at the same command everywhere.
    [Promise.prototype, 'then', 'Promise.then()', LATER],
    [AbortSignal, 'timeout', 'AbortSignal.timeout()', LATER],
    ...ofGlobal(OUTSIDE, ['fetch']),
    ...['WebSocket', 'XMLHttpRequest', 'EventSource', 'BroadcastChannel', 'Worker'].map(
      (name): Guarded => [globalThis, name, name, OUTSIDE],
    ),
  ];
}

function ofGlobal(instead: string, names: readonly string[]): readonly Guarded[] {
  return names.map((name) => [globalThis, name, `${name}()`, instead]);
}

/** Values that are read. They are not read here: some platforms warn when they are. */
function guardedValues(): readonly Guarded[] {
  return [
    [performance, 'timeOrigin', 'performance.timeOrigin', TIME],
    ...['localStorage', 'sessionStorage', 'indexedDB'].map(
      (name): Guarded => [globalThis, name, name, OUTSIDE],
    ),
  ];
}

/** Has the globals that differ between members tell of their use; the returned function leaves all as it was. */
export function replaceGlobals(): () => void {
  const undo = [
    ...guardedFunctions()
      .filter(([target, name]) => typeof Reflect.get(target, name) === 'function')
      .map(replaceFunction),
    ...guardedValues()
      .filter(([target, name]) => name in target)
      .map(replaceValue),
    replaceDate(),
  ].reverse();
  return () => {
    for (const step of undo) step();
  };
}

function replaceFunction([target, name, what, instead]: Guarded): () => void {
  const original = Reflect.get(target, name) as (...values: unknown[]) => unknown;
  // A function and not an arrow: `new` must reach it, too.
  function stand(this: unknown, ...values: unknown[]): unknown {
    told({ what, instead, stand });
    return new.target === undefined
      ? Reflect.apply(original, this, values)
      : Reflect.construct(original, values);
  }
  return define(target, name, { writable: true, value: stand });
}

function replaceValue([target, name, what, instead]: Guarded): () => void {
  const own = Object.getOwnPropertyDescriptor(target, name);
  const holder = own === undefined ? Object.getPrototypeOf(target) : undefined;
  function get(): unknown {
    told({ what, instead, stand: get });
    return holder === undefined ? (own?.get?.call(target) ?? own?.value) : Reflect.get(holder, name, target);
  }
  return define(target, name, { get });
}

function define(target: object, name: string, descriptor: PropertyDescriptor): () => void {
  const own = Object.getOwnPropertyDescriptor(target, name);
  if (own?.configurable === false) return () => {};
  Object.defineProperty(target, name, {
    configurable: true,
    enumerable: own?.enumerable ?? false,
    ...descriptor,
  });
  return () => {
    if (own) Object.defineProperty(target, name, own);
    else Reflect.deleteProperty(target, name);
  };
}

/** `new Date()` and `Date()` read the clock; `new Date(value)` does not, and stays allowed. */
function replaceDate(): () => void {
  const RealDate = globalThis.Date;
  const handler: Required<Pick<ProxyHandler<DateConstructor>, 'construct' | 'apply'>> = {
    construct(target, values, newTarget) {
      if (values.length === 0) told({ what: 'new Date()', instead: TIME, stand: handler.construct });
      return Reflect.construct(target, values, newTarget);
    },
    apply(target, self, values) {
      told({ what: 'Date()', instead: TIME, stand: handler.apply });
      return Reflect.apply(target, self, values);
    },
  };
  globalThis.Date = new Proxy(RealDate, handler);
  return () => {
    globalThis.Date = RealDate;
  };
}
