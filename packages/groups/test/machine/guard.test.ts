import childProcess from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import { lookup } from 'node:dns/promises';
import fs, { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import process, { hrtime, nextTick } from 'node:process';
import { setImmediate as soon } from 'node:timers';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, vi } from 'vitest';
import { createApplier } from '../../src/machine/applier.ts';
import { machine } from '../../src/machine/define.ts';
import { isNameOfDevelopment } from '../../src/machine/development.ts';
import { NondeterminismError } from '../../src/machine/errors.ts';
import { Counter } from '../../src/machine/index.ts';
import { consensusSettings } from '../../src/options.ts';
import { commandEntry, open, run } from './support.ts';

/** A machine that does something when it applies, with an entry that makes it. */
function applying(use: () => unknown) {
  const odd = machine({
    signature: 'odd/1',
    initial: () => ({}),
    apply: (_state: object, _command: null, context) => {
      use();
      return context.now;
    },
  });
  const applier = createApplier({ machine: odd, guard: true });
  const apply = () => applier.apply([commandEntry(1, [open(), run(1, 1, [null])], 0)]);
  return { applier, apply };
}

describe('the determinism guard', () => {
  const uses: readonly (readonly [what: string, use: () => unknown])[] = [
    ['Date.now()', () => Date.now()],
    ['new Date()', () => new Date()],
    ['Date()', () => Date()],
    ['performance.now()', () => performance.now()],
    ['performance.timeOrigin', () => performance.timeOrigin],
    ['process.hrtime()', () => hrtime()],
    ['process.hrtime.bigint()', () => process.hrtime.bigint()],
    ['process.uptime()', () => process.uptime()],
    ['Math.random()', () => Math.random()],
    ['crypto.getRandomValues()', () => crypto.getRandomValues(new Uint8Array(1))],
    ['crypto.randomUUID()', () => crypto.randomUUID()],
    ['crypto.randomBytes()', () => randomBytes(1)],
    ['crypto.generateKeyPairSync()', () => generateKeyPairSync('ed25519')],
    ['setTimeout()', () => setTimeout(() => {}, 0)],
    ['setInterval()', () => setInterval(() => {}, 9)],
    ['setImmediate()', () => setImmediate(() => {})],
    ['timers.setImmediate()', () => soon(() => {})],
    ['queueMicrotask()', () => queueMicrotask(() => {})],
    ['process.nextTick()', () => nextTick(() => {})],
    ['Promise.then()', () => void Promise.resolve(1).finally(() => {})],
    ['AbortSignal.timeout()', () => AbortSignal.timeout(1)],
    ['fetch()', () => fetch('http://127.0.0.1:1/')],
    ['WebSocket', () => new WebSocket('ws://127.0.0.1:1/')],
    ['BroadcastChannel', () => new BroadcastChannel('a')],
    ['fs.readFileSync()', () => readFileSync('/')],
    ['fs.existsSync()', () => fs.existsSync('/')],
    ['fs/promises.readFile()', () => readFile('/')],
    ['net.connect()', () => connect(1, '127.0.0.1')],
    ['http.get()', () => http.get('http://127.0.0.1:1/')],
    ['dgram.createSocket()', () => dgram.createSocket('udp4')],
    ['dns/promises.lookup()', () => lookup('localhost')],
    ['child_process.execSync()', () => childProcess.execSync('true')],
    ['worker_threads.Worker()', () => new Worker('', { eval: true })],
    ['os.hostname()', () => hostname()],
  ];

  it.each(uses)('finds %s, also when the machine catches it', (what, use) => {
    const caught = (): void => {
      try {
        use();
      } catch {
        // As a library would that has a way without.
      }
    };
    for (const act of [use, caught]) {
      expect(applying(act).apply).toThrow(NondeterminismError);
      expect(applying(act).apply).toThrow(`${what} inside apply differs between members: `);
    }
  });

  it('finds a promise for a result', () => {
    const later = machine({
      signature: 'later/1',
      initial: () => ({}),
      apply: async (_state: object, _command: null) => 1,
    });
    const applier = createApplier({ machine: later, guard: true });
    expect(() => applier.apply([commandEntry(1, [open(), run(1, 1, [null])])])).toThrow(
      /a promise inside apply/,
    );
  });

  it('lets pass what a console does for its line', () => {
    const lines: string[] = [];
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((line) => {
      // As streams do: a tick for the callback, a file for what is no terminal.
      nextTick(() => {});
      fs.existsSync('/');
      lines.push(`${Math.random() < 1} ${line}`);
      return true;
    });
    const { Console } = createRequire(import.meta.url)('node:console') as typeof import('node:console');
    const { log } = new Console(process.stdout, process.stdout);
    try {
      const { apply } = applying(() => log('applied'));
      apply();
    } finally {
      write.mockRestore();
    }
    expect(lines).toEqual(['true applied\n']);
  });

  it('leaves everything outside of apply as it was', async () => {
    const globals = () => [
      Date,
      Date.now,
      Math.random,
      setTimeout,
      performance.now,
      fetch,
      Promise.prototype.then,
    ];
    const before = globals();
    applying(() => {}).apply();
    expect(globals()).toEqual(before);
    expect(Object.hasOwn(performance, 'now')).toBe(false);
    expect(Object.hasOwn(performance, 'timeOrigin')).toBe(false);
    expect(Date.now()).toBeGreaterThan(0);
    expect(process.hrtime.bigint()).toBeGreaterThan(0n);
    const file = import.meta.filename;
    expect(readFileSync(file, 'utf8')).toBe(await readFile(file, 'utf8'));
    expect(readFileSync.name).toBe('readFileSync');
    expect(await promisify(fs.exists)(file)).toBe(true);
    expect(fs.realpathSync.native(file)).toBe(file);
    const worker = new Worker('', { eval: true });
    expect(worker).toBeInstanceOf(Worker);
    await worker.terminate();
  });

  it('leaves what is the same everywhere to the machine', () => {
    const dates = machine({
      signature: 'dates/1',
      initial: () => ({}),
      apply: (_state: object, _command: null, { now }) => new Date(now).toISOString(),
    });
    const applier = createApplier({ machine: dates, guard: true });
    applier.apply([commandEntry(1, [open(), run(1, 1, [null])], 0)]);
    expect(applier.outcomeOf(1, 1)).toMatchObject({ result: '1970-01-01T00:00:00.000Z' });
  });

  it('is not there unless asked for', () => {
    const applier = createApplier({ machine: Counter });
    applier.apply([commandEntry(1, [open()])]);
    let seen = 0;
    const clocked = machine({
      signature: 'clocked/1',
      initial: () => ({}),
      apply: (_state: object, _command: null) => {
        seen = Date.now();
        return 0;
      },
    });
    createApplier({ machine: clocked }).apply([commandEntry(1, [open(), run(1, 1, [null])])]);
    expect(seen).toBeGreaterThan(0);
  });
});

describe('a process of development', () => {
  it.each([
    ['development', true],
    ['test', true],
    ['production', false],
    ['', false],
    [undefined, false],
  ])('by NODE_ENV %o: %o', (name, is) => {
    expect(isNameOfDevelopment(name)).toBe(is);
  });

  it('guards its groups, as these tests are one', () => {
    expect(process.env['NODE_ENV']).toBe('test');
    expect(consensusSettings().guardDeterminism).toBe(true);
    expect(consensusSettings({ guardDeterminism: false }).guardDeterminism).toBe(false);
  });
});
