import { describe, expect, it } from 'vitest';
import {
  appendListModel,
  checkLinearizable,
  counterModel,
  keyed,
  kvMapModel,
  type Model,
  type Operation,
  registerModel,
} from '../../src/linearizability/index.ts';
import { failed, ok, open } from './support/histories.ts';

const read = { type: 'read' } as const;
const get = { type: 'get' } as const;
const write = (value: number) => ({ type: 'write', value }) as const;
const cas = (from: number, to: number) => ({ type: 'cas', from, to }) as const;
const add = (by: number) => ({ type: 'add', by }) as const;
const append = (value: string) => ({ type: 'append', value }) as const;

function verdictOn<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
): string {
  return checkLinearizable(model, history).verdict;
}

describe('a register', () => {
  const check = (history: readonly unknown[]): string => verdictOn(registerModel(0), history as never);

  it('without operations is linearizable', () => {
    expect(check([])).toBe('linearizable');
  });

  // Herlihy and Wing 1990, figure 1: reads during a write may see either value, and once one saw the new one all do.
  it('may show either value during a write', () => {
    const write1 = ok('a', [0, 10], write(1), undefined);
    expect(check([write1, ok('b', [1, 2], read, 0), ok('c', [3, 4], read, 1)])).toBe('linearizable');
    expect(check([write1, ok('b', [1, 2], read, 1), ok('c', [3, 4], read, 1)])).toBe('linearizable');
  });

  it('must not go back to the old value, though the write still lasts', () => {
    const history = [
      ok('a', [0, 10], write(1), undefined),
      ok('b', [1, 2], read, 1),
      ok('c', [3, 4], read, 0),
    ];
    expect(check(history)).toBe('violation');
  });

  it('must not show what was overwritten before the read began (stale read)', () => {
    const history = [
      ok('a', [0, 1], write(1), undefined),
      ok('a', [2, 3], write(2), undefined),
      ok('b', [4, 5], read, 1),
    ];
    expect(check(history)).toBe('violation');
  });

  it('may show what is overwritten while the read lasts', () => {
    const history = [
      ok('a', [0, 1], write(1), undefined),
      ok('a', [2, 4], write(2), undefined),
      ok('b', [3, 5], read, 1),
    ];
    expect(check(history)).toBe('linearizable');
  });

  it('must not show what nobody wrote', () => {
    expect(check([ok('a', [0, 3], write(1), undefined), ok('b', [1, 2], read, 7)])).toBe('violation');
  });

  it('must not show the value of a write before it began', () => {
    expect(check([ok('b', [0, 1], read, 1), ok('a', [2, 3], write(1), undefined)])).toBe('violation');
  });

  it('must show two readers the same order of two writes', () => {
    const writes = [ok('a', [0, 20], write(1), undefined), ok('b', [0, 20], write(2), undefined)];
    const one = [ok('c', [1, 2], read, 1), ok('c', [3, 4], read, 2)];
    const other = [ok('d', [5, 6], read, 1), ok('d', [7, 8], read, 2)];
    expect(check([...writes, ...one])).toBe('linearizable');
    expect(check([...writes, ...one, ...other])).toBe('violation');
  });

  it('must not show one reader each order of its own, as sequential consistency would', () => {
    // Store buffers: each wrote, and read what was there before the other wrote; with one register each.
    const history = [
      ok('a', [0, 1], { key: 'x', input: write(1) }, undefined),
      ok('b', [0, 1], { key: 'y', input: write(1) }, undefined),
      ok('a', [2, 3], { key: 'y', input: read }, 0),
      ok('b', [2, 3], { key: 'x', input: read }, 0),
    ];
    expect(verdictOn(keyed(registerModel(0)), history)).toBe('violation');
  });

  it('takes events at the same time for concurrent', () => {
    expect(check([ok('a', [0, 1], write(1), undefined), ok('b', [1, 2], read, 0)])).toBe('linearizable');
    expect(check([ok('a', [0, 1], write(1), undefined), ok('b', [1.5, 2], read, 0)])).toBe('violation');
  });

  it('lets one of two concurrent compare-and-sets win', () => {
    const pair = (first: boolean, second: boolean) => [
      ok('a', [0, 5], cas(0, 1), first),
      ok('b', [0, 5], cas(0, 2), second),
    ];
    expect(check(pair(true, false))).toBe('linearizable');
    expect(check(pair(true, true))).toBe('violation');
    expect(check(pair(false, false))).toBe('violation');
  });

  it('must not lose a write that was acknowledged, across a failover say', () => {
    const history = [
      ok('a', [0, 1], write(1), undefined),
      ok('b', [2, 3], cas(1, 2), true),
      ok('c', [4, 5], read, 1),
    ];
    expect(check(history)).toBe('violation');
  });
});

describe('an operation that was never answered', () => {
  const model = registerModel(0);

  it('may have happened', () => {
    expect(verdictOn(model, [open('a', 0, write(1)), ok('b', [5, 6], read, 1)])).toBe('linearizable');
  });

  it('may not have happened', () => {
    expect(verdictOn(model, [open('a', 0, write(1)), ok('b', [5, 6], read, 0)])).toBe('linearizable');
  });

  it('may happen late, after others that began after it', () => {
    const history = [
      open('a', 0, write(1)),
      ok('b', [1, 2], read, 0),
      ok('b', [3, 4], write(2), undefined),
      ok('b', [5, 6], read, 2),
      ok('b', [7, 8], read, 1),
    ];
    expect(verdictOn(model, history)).toBe('linearizable');
  });

  it('happens once at most', () => {
    const history = [
      open('a', 0, write(1)),
      ok('b', [1, 2], read, 1),
      ok('b', [3, 4], write(2), undefined),
      ok('b', [5, 6], read, 1),
    ];
    expect(verdictOn(model, history)).toBe('violation');
  });

  it('does not happen before it was called', () => {
    expect(verdictOn(model, [ok('b', [0, 1], read, 1), open('a', 2, write(1))])).toBe('violation');
  });

  it('is not undone once it was seen', () => {
    const history = [open('a', 0, write(1)), ok('b', [1, 2], read, 1), ok('b', [3, 4], read, 0)];
    expect(verdictOn(model, history)).toBe('violation');
  });

  it('may be the one of several alike that happened', () => {
    const adds = ['a', 'b', 'c'].map((client, at) =>
      open<{ type: 'add'; by: number }, number>(client, at, add(1)),
    );
    const seen = (...values: number[]) => [
      ...adds,
      ...values.map((value, index) => ok('d', [10 + 2 * index, 11 + 2 * index], get, value)),
    ];
    expect(verdictOn(counterModel(), seen(0, 1, 1, 2, 3) as never)).toBe('linearizable');
    expect(verdictOn(counterModel(), seen(0, 4) as never)).toBe('violation');
  });
});

describe('an operation that failed', () => {
  it('has no effect', () => {
    const history = (value: number) => [failed('a', 0, write(1)), ok('b', [5, 6], read, value)];
    expect(verdictOn(registerModel(0), history(0) as never)).toBe('linearizable');
    expect(verdictOn(registerModel(0), history(1) as never)).toBe('violation');
  });
});

describe('a counter', () => {
  const verdict = (history: readonly unknown[]): string => verdictOn(counterModel(), history as never);

  it('counts concurrent additions in some order', () => {
    expect(verdict([ok('a', [0, 5], add(1), 2), ok('b', [0, 5], add(1), 1)])).toBe('linearizable');
  });

  it('must not lose an update', () => {
    expect(verdict([ok('a', [0, 5], add(1), 1), ok('b', [0, 5], add(1), 1)])).toBe('violation');
    const later = ok('c', [6, 7], get, 1);
    expect(verdict([ok('a', [0, 5], add(1), 1), ok('b', [0, 5], add(1), 2), later])).toBe('violation');
  });

  it('must not apply a retried command twice', () => {
    expect(verdict([ok('a', [0, 1], add(5), 5), ok('b', [2, 3], get, 10)])).toBe('violation');
    expect(verdict([open('a', 0, add(5)), ok('b', [2, 3], get, 10)])).toBe('violation');
  });

  it('must not go down when nothing is taken away (non-monotonic read)', () => {
    const reads = [ok('b', [1, 2], get, 2), ok('c', [3, 4], get, 1)];
    expect(verdict([open('a', 0, add(1)), open('a', 0, add(1)), ...reads])).toBe('violation');
  });
});

describe('a list', () => {
  const model = appendListModel<string>();
  const verdict = (history: readonly unknown[]): string => verdictOn(model, history as never);
  const appends = [ok('a', [0, 5], append('x'), undefined), ok('b', [0, 5], append('y'), undefined)];

  it('has concurrent appends in either order, and every reader sees the same', () => {
    expect(verdict([...appends, ok('c', [6, 7], read, ['y', 'x'])])).toBe('linearizable');
    const reads = [ok('c', [6, 9], read, ['y', 'x']), ok('d', [6, 9], read, ['x', 'y'])];
    expect(verdict([...appends, ...reads])).toBe('violation');
  });

  it('must not lose, repeat or reorder an append', () => {
    const then = (list: string[]) => [
      ok('a', [0, 1], append('x'), undefined),
      ok('a', [2, 3], append('y'), undefined),
      ok('c', [6, 7], read, list),
    ];
    expect(verdict(then(['x', 'y']))).toBe('linearizable');
    for (const wrong of [['x'], ['y'], ['x', 'y', 'y'], ['y', 'x'], []])
      expect(verdict(then(wrong))).toBe('violation');
  });

  it('must not show an append that is then gone', () => {
    const reads = [ok('c', [1, 2], read, ['x']), ok('c', [3, 4], read, [])];
    expect(verdict([open('a', 0, append('x')), ...reads])).toBe('violation');
  });
});

describe('a map', () => {
  const put = (key: string, value: number) => ({ type: 'put', key, value }) as const;
  const getOf = (key: string) => ({ type: 'get', key }) as const;
  const del = (key: string) => ({ type: 'delete', key }) as const;
  const verdict = (history: readonly unknown[]): string => verdictOn(kvMapModel<number>(), history as never);

  it('keeps keys apart, and knows absent ones', () => {
    const history = [
      ok('a', [0, 1], put('x', 1), undefined),
      ok('b', [0, 1], put('y', 2), undefined),
      ok('a', [2, 3], getOf('x'), 1),
      ok('a', [4, 5], getOf('z'), undefined),
      ok('a', [6, 7], del('y'), true),
      ok('a', [8, 9], del('y'), false),
      ok('b', [10, 11], { type: 'cas', key: 'y', from: undefined, to: 3 }, true),
      ok('b', [12, 13], getOf('y'), 3),
    ];
    expect(verdict(history)).toBe('linearizable');
  });

  it('must not bring back what was deleted', () => {
    const history = [
      ok('a', [0, 1], put('x', 1), undefined),
      ok('b', [2, 3], del('x'), true),
      ok('a', [4, 5], getOf('x'), 1),
    ];
    expect(verdict(history)).toBe('violation');
  });
});
