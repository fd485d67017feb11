import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog, enableLog, type LogEntry, setLogSink } from '../src/log.ts';

let lines: LogEntry[] = [];
let restore: (() => void)[] = [];

beforeEach(() => {
  lines = [];
  restore = [setLogSink((entry) => lines.push(entry)), enableLog('mosaik:*')];
});

afterEach(() => {
  for (const undo of restore.reverse()) undo();
});

describe('a log', () => {
  it('formats, and says where from', () => {
    const log = createLog('groups');
    log('term %d of %s is %j', 3, 'g1', { a: [1] });
    expect(lines).toEqual([
      { namespace: 'mosaik:groups', level: 'info', message: 'term 3 of g1 is {"a":[1]}' },
    ]);
    expect(log.namespace).toBe('mosaik:groups');
  });

  it('has errors, traces and parts', () => {
    restore.push(enableLog('mosaik:*,mosaik:*:trace'));
    const log = createLog('groups').child('raft');
    log('a');
    log.error('b');
    log.trace('c');
    expect(lines.map(({ namespace, level, message }) => `${namespace} ${level} ${message}`)).toEqual([
      'mosaik:groups:raft info a',
      'mosaik:groups:raft error b',
      'mosaik:groups:raft trace c',
    ]);
  });

  it('writes only what is enabled, and traces only when they are asked for', () => {
    const log = createLog('streams');
    log.trace('not asked for');
    restore.push(enableLog('mosaik:groups,-mosaik:streams'));
    expect(log.enabled).toBe(false);
    log('disabled');
    log.error('disabled');
    createLog('groups')('enabled');
    expect(lines.map(({ message }) => message)).toEqual(['enabled']);
  });

  it('notices when it is enabled later', () => {
    const log = createLog('later');
    restore.push(enableLog(''));
    expect(log.enabled).toBe(false);
    restore.push(enableLog('mosaik:la*'));
    expect(log.enabled).toBe(true);
  });

  it('prints whatever it is given', () => {
    const log = createLog('any');
    const cycle: unknown[] = [];
    cycle.push(cycle);
    log('%d and %s', 5n, 6n);
    log('%j', { big: 7n });
    log('%o', cycle);
    log('%s', { a: 1 });
    log(undefined, 1);
    log.error(new Error('broken'));
    log('failed: %s', new Error('cause'));
    expect(lines.map(({ message }) => message.split('\n')[0])).toEqual([
      '5 and 6',
      '"{\\"big\\":\\"7\\"}"',
      '"[\\"[seen]\\"]"',
      '[object Object]',
      'undefined 1',
      'Error: broken',
      'failed: Error: cause',
    ]);
    expect(lines[5]?.message).toContain('log.test.ts');
  });

  it('gives the sink of before back', () => {
    const other: string[] = [];
    const undo = setLogSink(({ message }) => other.push(message));
    createLog('x')('one');
    undo();
    createLog('x')('two');
    expect([other, lines.map(({ message }) => message)]).toEqual([['one'], ['two']]);
  });

  it('gives the namespaces of before back, patterns and all', () => {
    const undo = enableLog('mosaik:*:raft,-mosaik:store:*');
    enableLog('nothing')();
    expect([createLog('a:raft').enabled, createLog('a:b').enabled]).toEqual([true, false]);
    undo();
    expect(createLog('a:b').enabled).toBe(true);
  });
});
