// Nothing reads the clock, sets a timer or draws randomness but the system runtime, so that all of it runs under the
// simulator, in virtual time, from one seed.

import { worldFiles } from '../policy.ts';
import { targetOf } from '../specifier.ts';
import type { GlobalUse } from '../syntax/globals.ts';
import type { Import } from '../syntax/imports.ts';
import { type Finding, type Rule, violationIn } from '../violation.ts';
import { isLibrary } from '../workspace.ts';

type Kind = 'clock' | 'timer' | 'randomness';

const wayOut: Readonly<Record<Kind, string>> = {
  clock: 'take the time from the Runtime that is passed in',
  timer: 'set timers on the Runtime or the Scope that is passed in',
  randomness: 'draw from the randomness of the Runtime that is passed in',
};

const globals: ReadonlyMap<string, Kind> = new Map([
  ['performance', 'clock'],
  ['process.hrtime', 'clock'],
  ['process.uptime', 'clock'],
  ['Temporal.Now', 'clock'],
  ['setTimeout', 'timer'],
  ['setInterval', 'timer'],
  ['setImmediate', 'timer'],
  ['requestAnimationFrame', 'timer'],
  ['requestIdleCallback', 'timer'],
  ['scheduler', 'timer'],
  ['AbortSignal.timeout', 'timer'],
  ['Atomics.wait', 'timer'],
  ['Atomics.waitAsync', 'timer'],
  ['Math.random', 'randomness'],
  ['crypto', 'randomness'],
]);

const nodeModules: ReadonlyMap<string, Kind> = new Map([
  ['timers', 'timer'],
  ['timers/promises', 'timer'],
  ['perf_hooks', 'clock'],
]);

/** Names of node:crypto, and of the libraries that wrap it, that draw randomness. */
const randomNames = /^(random[A-Z]\w*|getRandomValues|generateKey\w*|webcrypto|default|\*)$/;

export const world: Rule = (module, owner) => {
  if (!isLibrary(module, owner) || worldFiles.includes(module.path)) return [];
  const findings = [
    ...module.globals.flatMap(globalFinding),
    ...module.imports.flatMap(importFinding(module.path)),
  ];
  return findings.map((finding) => violationIn(module, finding));
};

function globalFinding(use: GlobalUse): readonly Finding[] {
  if (use.how === 'typeof') return [];
  const kind = use.path[0] === 'Date' ? kindOfDate(use) : kindOfGlobal(use.path);
  return kind === undefined ? [] : [finding(kind, use.path.join('.'), use.start)];
}

function kindOfGlobal(path: readonly string[]): Kind | undefined {
  // Digests and signatures do not differ from run to run.
  if (path[0] === 'crypto' && path[1] === 'subtle' && path[2] !== 'generateKey') return undefined;
  const prefixes = path.map((_name, index) => path.slice(0, index + 1).join('.'));
  return prefixes.map((prefix) => globals.get(prefix)).find((kind) => kind !== undefined);
}

/** `new Date(ms)` and `Date.parse(text)` only convert; the rest, and Date handed on as a value, can read the clock. */
function kindOfDate({ path, how, argumentCount }: GlobalUse): Kind | undefined {
  if (path[1] === 'now') return 'clock';
  if (path.length > 1 || how === 'instanceof') return undefined;
  return how === 'construct' && argumentCount > 0 ? undefined : 'clock';
}

function importFinding(importer: string): (found: Import) => readonly Finding[] {
  return ({ specifier, start, erased, names }) => {
    const target = targetOf(specifier, importer);
    // What the workspace's own packages export draws from a Runtime that it is given, or breaks the rule there.
    if (erased || target.kind === 'file' || specifier.startsWith('@mosaik/')) return [];
    const kind = target.kind === 'node' ? nodeModules.get(target.module) : undefined;
    if (kind !== undefined) return [finding(kind, specifier, start)];
    const isCrypto = target.kind === 'node' && target.module === 'crypto';
    const random = names.filter((name) => (isCrypto ? randomNames : /^random(Bytes|UUID|Int)$/).test(name));
    return random.map((name) => finding('randomness', `${name} of ${specifier}`, start));
  };
}

function finding(kind: Kind, what: string, start: number): Finding {
  return { rule: kind, what: `${what} is the machine's own ${kind}`, wayOut: wayOut[kind], start };
}
