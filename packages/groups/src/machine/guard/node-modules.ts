import { CHANCE, LATER, OUTSIDE, TIME, told, type Use } from './refusal.ts';

type Callable = (...values: unknown[]) => unknown;
type Exports = Record<string, unknown>;

interface ProcessLike extends Exports {
  getBuiltinModule?(id: string): object | undefined;
}

interface ModuleGate {
  readonly module: string;
  /** Which of its functions are guarded: these, or all whose names begin with a small letter. */
  readonly names?: readonly string[];
  readonly instead: string;
}

const OUTLETS = [
  'connect',
  'createConnection',
  'createServer',
  'createSecureServer',
  'createSocket',
  'request',
  'get',
];
const TIMERS = ['setTimeout', 'setInterval', 'setImmediate'];

/** The ways of Node's modules to what differs between members. `node:sqlite` is none: a database may be the state itself. */
const GATES: readonly ModuleGate[] = [
  ...['fs', 'fs/promises', 'dns', 'dns/promises', 'child_process', 'os'].map((module) => ({
    module,
    instead: OUTSIDE,
  })),
  ...['net', 'tls', 'dgram', 'http', 'https', 'http2'].map((module) => ({
    module,
    names: OUTLETS,
    instead: OUTSIDE,
  })),
  { module: 'worker_threads', names: ['Worker'], instead: OUTSIDE },
  {
    module: 'crypto',
    names: [
      ...['randomBytes', 'randomFill', 'randomFillSync', 'randomInt', 'randomUUID', 'randomUUIDv7'],
      ...['generateKey', 'generateKeySync', 'generateKeyPair', 'generateKeyPairSync'],
      ...['generatePrime', 'generatePrimeSync'],
    ],
    instead: CHANCE,
  },
  { module: 'timers', names: TIMERS, instead: LATER },
  { module: 'timers/promises', names: TIMERS, instead: LATER },
  { module: 'process', names: ['hrtime', 'uptime'], instead: TIME },
  { module: 'process', names: ['nextTick'], instead: LATER },
];

/** Gates that stand, so that a function with two names is found once. */
const gates = new WeakSet<object>();
let areInstalled = false;

/**
 * Has the functions of Node's own modules tell of their use while a machine applies; does nothing where there are none.
 *
 * They are put in place once, and stay: to do so for each run would take milliseconds, as named imports (`import { readFileSync }`)
 * only follow when all modules are looked through. Outside of `apply` each is one more call. What was taken out of a module
 * by `require` before is not reached.
 */
export function gateNodeModules(): void {
  if (areInstalled) return;
  areInstalled = true;
  const { process } = globalThis as unknown as { process?: ProcessLike };
  const load = process?.getBuiltinModule?.bind(process);
  if (load === undefined) return;
  for (const gate of GATES) gateModule(gate, load(`node:${gate.module}`) as Exports | undefined);
  gateModule(
    { module: 'process.hrtime', names: ['bigint'], instead: TIME },
    process?.['hrtime'] as unknown as Exports | undefined,
  );
  const { syncBuiltinESMExports } = (load('node:module') ?? {}) as { syncBuiltinESMExports?(): void };
  syncBuiltinESMExports?.();
}

function gateModule({ module, names, instead }: ModuleGate, exports: Exports = {}): void {
  const guarded = names ?? Object.keys(exports).filter((name) => /^[a-z]/.test(name));
  for (const name of guarded) {
    const own = Object.getOwnPropertyDescriptor(exports, name);
    if (typeof own?.value !== 'function' || own.configurable !== true || gates.has(own.value)) continue;
    const what = `${module}.${name}()`;
    Object.defineProperty(exports, name, { ...own, value: gateOf(own.value as Callable, what, instead) });
  }
}

/** The function itself to whoever looks at it, with all that hangs on it. */
function gateOf(original: Callable, what: string, instead: string): Callable {
  const handler: Required<Pick<ProxyHandler<Callable>, 'apply' | 'construct'>> = {
    apply(target, self, values) {
      told({ what, instead, stand: handler.apply as Use['stand'] });
      return Reflect.apply(target, self, values);
    },
    construct(target, values, newTarget) {
      told({ what, instead, stand: handler.construct as Use['stand'] });
      return Reflect.construct(target, values, newTarget) as object;
    },
  };
  const gate = new Proxy(original, handler);
  gates.add(gate);
  return gate;
}
