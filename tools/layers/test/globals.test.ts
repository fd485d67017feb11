import { describe, expect, test } from 'vitest';
import { rulesBrokenBy } from './tree.ts';

const system = 'packages/primitives/src/runtime/system.ts';

describe('clock', () => {
  test.each([
    'Date.now();',
    'const t = new Date();',
    'const t = Date();',
    'const { now } = Date;',
    'const clock = Date;',
    'performance.now();',
    "globalThis['performance'].now();",
    'globalThis.Date.now();',
    'Date?.now();',
    "Date['now']();",
    "import { performance } from 'node:perf_hooks';",
  ])('%s', (code) => {
    expect(rulesBrokenBy(code)).toContain('clock');
  });

  test.each(['new Date(5);', 'Date.parse(text);', 'x instanceof Date;', 'type T = Date;', 'x.Date.now();'])(
    'not %s',
    (code) => {
      expect(rulesBrokenBy(code)).toEqual([]);
    },
  );
});

describe('timer', () => {
  test.each([
    'setTimeout(f, 5);',
    'const later = setTimeout;',
    'const { setInterval } = globalThis;',
    'setImmediate(f);',
    'AbortSignal.timeout(5);',
    'run({ setTimeout });',
    'class A { #x = setTimeout(f); }',
    'const f = (x = setTimeout) => x;',
    '(setTimeout as unknown as Later)(f);',
    "import { setTimeout as sleep } from 'node:timers/promises';",
    "import timers from 'timers';",
  ])('%s', (code) => {
    expect(rulesBrokenBy(code)).toContain('timer');
  });

  test.each([
    'runtime.setTimeout(f, 5);',
    'class A { setTimeout() {} }',
    'const x = { setTimeout: 1 };',
    'function f(setTimeout: Later) { setTimeout(5); }',
    'const f = ({ setTimeout }: Timers) => setTimeout(5);',
    'for (const setTimeout of all) setTimeout(5);',
    'function f() { { setTimeout(5); } function setTimeout() {} }',
    "import { setTimeout } from './timers.ts'; setTimeout(5);",
    'type Later = typeof setTimeout;',
    'interface A { setTimeout: typeof setTimeout }',
    'AbortSignal.any([]);',
    'queueMicrotask(f);',
  ])('not %s', (code) => {
    expect(rulesBrokenBy(code)).toEqual([]);
  });

  test('a type of the same name does not hide the global', () => {
    expect(rulesBrokenBy("import type { setTimeout } from './timers.ts'; setTimeout(5);")).toEqual(['timer']);
  });

  test('a name declared elsewhere does not hide the global', () => {
    expect(rulesBrokenBy('function f(setTimeout: Later) {} setTimeout(g);')).toEqual(['timer']);
  });
});

describe('randomness', () => {
  test.each([
    'Math.random();',
    'const { random } = Math;',
    'crypto.getRandomValues(bytes);',
    'globalThis.crypto.randomUUID();',
    "crypto.subtle.generateKey('Ed25519', true, []);",
    "import { randomBytes } from '@noble/hashes/utils.js';",
  ])('%s', (code) => {
    expect(rulesBrokenBy(code)).toEqual(['randomness']);
  });

  test.each([
    'Math.max(1, 2);',
    "crypto.subtle.digest('SHA-256', bytes);",
    "import { blake3 } from '@noble/hashes/blake3.js';",
  ])('not %s', (code) => {
    expect(rulesBrokenBy(code)).toEqual([]);
  });

  test('node:crypto may hash but not draw', () => {
    const path = 'packages/transport/src/libp2p/x.ts';
    expect(rulesBrokenBy("import { createHash } from 'node:crypto';", path)).toEqual([]);
    expect(rulesBrokenBy("import { randomInt } from '@mosaik/primitives';", path)).not.toContain(
      'randomness',
    );
    expect(rulesBrokenBy("import { createHash, randomInt } from 'node:crypto';", path)).toEqual([
      'randomness',
    ]);
    expect(rulesBrokenBy("import * as crypto from 'node:crypto';", path)).toEqual(['randomness']);
  });
});

describe('where the world may be read', () => {
  const code = 'Date.now(); setTimeout(f); Math.random(); performance.now();';

  test('in the system runtime and the guard, in tests and in apps', () => {
    expect(rulesBrokenBy(code, system)).toEqual([]);
    expect(rulesBrokenBy(code, 'packages/testing/src/guard.ts')).toEqual([]);
    expect(rulesBrokenBy(code, 'packages/groups/test/x.test.ts')).toEqual([]);
    expect(rulesBrokenBy(code, 'apps/app/src/main.ts')).toEqual([]);
  });

  test('not beside them', () => {
    expect(rulesBrokenBy(code, 'packages/primitives/src/runtime/other.ts')).toHaveLength(4);
  });
});

describe('runtime-neutral', () => {
  test.each([
    "import { readFileSync } from 'node:fs';",
    "import fs from 'fs';",
    "export * from 'fs/promises';",
    "await import('node:net');",
    'Buffer.from(bytes);',
    'process.env.HOME;',
    "const fs = require('fs');",
    'const here = __dirname;',
    'const here = import.meta.dirname;',
    'global.x = 1;',
  ])('%s', (code) => {
    expect(rulesBrokenBy(code)).toEqual(['runtime-neutral']);
  });

  test.each([
    "import type { Socket } from 'node:net';",
    "if (typeof process === 'undefined') stop();",
    'const { process } = options; process();',
    'const url = import.meta.url;',
  ])('not %s', (code) => {
    expect(rulesBrokenBy(code)).toEqual([]);
  });

  test('the places for Node may use it', () => {
    const code = "import { connect } from 'node:net'; process.pid; Buffer.from(x);";
    expect(rulesBrokenBy(code, 'packages/transport/src/libp2p/tcp.ts')).toEqual([]);
    expect(rulesBrokenBy(code, 'packages/groups/src/sqlite/log.ts')).toEqual([]);
    expect(rulesBrokenBy(code, 'packages/groups/test/x.test.ts')).toEqual([]);
    expect(rulesBrokenBy(code, 'apps/app/src/main.ts')).toEqual([]);
  });

  test('packages that work on Node only count as Node', () => {
    const code = "import { tcp } from '@libp2p/tcp';";
    expect(rulesBrokenBy(code, 'packages/transport/src/libp2p/x.ts')).toEqual([]);
    expect(rulesBrokenBy(code, 'packages/transport/src/link/x.ts')).toEqual(['runtime-neutral']);
  });

  test('the guard may watch the process', () => {
    const code = "process.on('unhandledRejection', f);";
    expect(rulesBrokenBy(code, 'packages/testing/src/guard.ts')).toEqual([]);
  });
});
