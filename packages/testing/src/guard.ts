/**
 * The one file that touches the real world: it keeps the platform's own way to come back in a later turn of the event
 * loop, and it watches for code that reads the real clock, sets real timers or draws real chance while a world runs.
 */

/** What a guard noticed. */
export interface Leak {
  /** What was used, as one would write it. */
  readonly what: string;
  /** Where it was used first. */
  readonly stack: string;
}

/** Hears of what a guard notices. */
export interface GuardListener {
  leaked(leak: Leak): void;
  rejected(reason: unknown): void;
}

type Listener = (reason: unknown) => void;

interface ProcessLike {
  listeners(event: 'unhandledRejection'): Listener[];
  on(event: 'unhandledRejection', listener: Listener): void;
  off(event: 'unhandledRejection', listener: Listener): void;
}

interface EventTargetLike {
  addEventListener(type: string, listener: (event: Event) => void): void;
  removeEventListener(type: string, listener: (event: Event) => void): void;
}

/** Calls back in a later turn of the event loop, after all microtasks; calls of one turn come back in order. */
export const nextTurn: (callback: () => void) => void = chooseTurn();

/** `setImmediate` where there is one; a message to oneself elsewhere. */
function chooseTurn(): (callback: () => void) => void {
  const { setImmediate } = globalThis;
  if (typeof setImmediate === 'function') return (callback) => void setImmediate(callback);
  const waiting: (() => void)[] = [];
  const { port1, port2 } = new MessageChannel();
  (port1 as { onmessage?: () => void }).onmessage = () => waiting.shift()?.();
  return (callback) => {
    waiting.push(callback);
    port2.postMessage(null);
  };
}

/** Callers that may use the real world: the platform and the test runner, not the code under test. */
const EXEMPT_CALLERS = [/\(?node:/, /[/\\]node_modules[/\\](@vitest|vitest|vite|tinypool|fast-check)[/\\]/];

/** Puts the guard in place; the returned function takes it away and leaves everything as it was. */
export function installGuard(listener: GuardListener): () => void {
  const seen = new Set<string>();
  const notice: Notice = (what, above) => {
    if (seen.has(what)) return;
    const stack = stackAbove(above);
    if (isExempt(stack)) return;
    seen.add(what);
    listener.leaked({ what, stack });
  };
  const undo = [...watchFunctions(notice), watchDate(notice), watchRejections(listener)];
  return () => {
    for (const step of undo.reverse()) step();
  };
}

/** Tells that `what` was used by whoever called `above`. */
type Notice = (what: string, above: (...values: never[]) => unknown) => void;

/** The stack of whoever called `above`. */
function stackAbove(above: (...values: never[]) => unknown): string {
  const holder: { stack?: string } = {};
  // Where there is no such thing, the guard's own frames are shown too.
  if (typeof Error.captureStackTrace === 'function') Error.captureStackTrace(holder, above);
  else holder.stack = new Error('used here').stack ?? '';
  return (holder.stack ?? '').split('\n').slice(1).join('\n');
}

function isExempt(stack: string): boolean {
  const caller = stack.split('\n', 1)[0] ?? '';
  return EXEMPT_CALLERS.some((pattern) => pattern.test(caller));
}

/** What is watched: where it lives, and what it is called. */
function watchedFunctions(): readonly (readonly [target: object, name: string, what: string])[] {
  return [
    [globalThis, 'setTimeout', 'setTimeout()'],
    [globalThis, 'setInterval', 'setInterval()'],
    [globalThis, 'setImmediate', 'setImmediate()'],
    [Date, 'now', 'Date.now()'],
    [Math, 'random', 'Math.random()'],
    [performance, 'now', 'performance.now()'],
    [crypto, 'getRandomValues', 'crypto.getRandomValues()'],
    [crypto, 'randomUUID', 'crypto.randomUUID()'],
    [AbortSignal, 'timeout', 'AbortSignal.timeout()'],
  ];
}

function watchFunctions(notice: Notice): (() => void)[] {
  return watchedFunctions()
    .filter(([target, name]) => typeof Reflect.get(target, name) === 'function')
    .map(([target, name, what]) => standIn(target, name, (above) => notice(what, above)));
}

/** Puts a stand-in before a function: it tells, then does the same. Own properties of the original stay visible. */
function standIn(target: object, name: string, onUse: (above: () => unknown) => void): () => void {
  const own = Object.getOwnPropertyDescriptor(target, name);
  const original = Reflect.get(target, name) as (...values: unknown[]) => unknown;
  const stand = function (this: unknown, ...values: unknown[]): unknown {
    onUse(stand);
    return Reflect.apply(original, this, values);
  };
  Object.setPrototypeOf(stand, original);
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
function watchDate(notice: Notice): () => void {
  const RealDate = globalThis.Date;
  const handler: ProxyHandler<DateConstructor> = {
    construct(target, values, newTarget) {
      if (values.length === 0) notice('new Date()', handler.construct as () => unknown);
      return Reflect.construct(target, values, newTarget);
    },
    apply(target, self, values) {
      notice('Date()', handler.apply as () => unknown);
      return Reflect.apply(target, self, values);
    },
  };
  globalThis.Date = new Proxy(RealDate, handler);
  return () => {
    globalThis.Date = RealDate;
  };
}

/** Hears of unhandled rejections instead of whoever did before: the run is to blame, and it fails with them. */
function watchRejections(listener: GuardListener): () => void {
  const { process } = globalThis as unknown as { process?: ProcessLike };
  if (typeof process?.on !== 'function') return watchRejectionEvents(listener);
  const others = process.listeners('unhandledRejection');
  const own: Listener = (reason) => listener.rejected(reason);
  for (const other of others) process.off('unhandledRejection', other);
  process.on('unhandledRejection', own);
  return () => {
    process.off('unhandledRejection', own);
    for (const other of others) process.on('unhandledRejection', other);
  };
}

function watchRejectionEvents(listener: GuardListener): () => void {
  const target = globalThis as unknown as Partial<EventTargetLike>;
  const own = (event: Event): void => {
    event.preventDefault();
    listener.rejected((event as Event & { reason?: unknown }).reason);
  };
  target.addEventListener?.('unhandledrejection', own);
  return () => target.removeEventListener?.('unhandledrejection', own);
}
