import { InvalidArgumentError } from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import {
  assertLinearizable,
  checkLinearizable,
  counterModel,
  createHistory,
  describeVerdict,
  type History,
  LinearizabilityError,
  OperationEndedError,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
} from '../../src/linearizability/index.ts';
import { ok } from './support/histories.ts';

const read = { type: 'read' } as const;
const write = (value: number) => ({ type: 'write', value }) as const;

function createRegisterHistory(now = 0): History<RegisterInput<number>, RegisterOutput<number>> {
  return createHistory({ now: () => now });
}

describe('a recorder', () => {
  it('orders events by the calls to it, also at one time of the clock', () => {
    const history = createRegisterHistory(7);
    history.invoke('a', write(1)).ok(undefined);
    history.invoke('b', read).ok(0);
    expect(history.operations.map(({ calledAt, calledAtMs }) => [calledAt, calledAtMs])).toEqual([
      [0, 7],
      [2, 7],
    ]);
    expect(checkLinearizable(registerModel(0), history.operations).verdict).toBe('violation');
  });

  it('takes what has not ended for unknown', () => {
    const history = createRegisterHistory();
    history.invoke('a', write(1));
    history.invoke('a', write(2)).unknown();
    history.invoke('a', write(3)).fail();
    expect(history.operations.map(({ outcome }) => outcome.type)).toEqual(['unknown', 'unknown', 'failed']);
  });

  it('lets an operation end once', () => {
    const history = createRegisterHistory();
    const operation = history.invoke('a', write(1));
    operation.unknown();
    expect(() => operation.ok(undefined)).toThrow(OperationEndedError);
    expect(history.operations[0]?.outcome).toEqual({ type: 'unknown' });
  });

  it('records around work: answers, proofs that nothing happened, and other errors', async () => {
    const history = createRegisterHistory();
    const refused = new Error('refused');
    const isFailure = (error: unknown): boolean => error === refused;
    const run = (result: () => Promise<undefined>) =>
      history.record('a', write(1), { run: result, isFailure });
    await expect(run(async () => undefined)).resolves.toBeUndefined();
    await expect(run(() => Promise.reject(refused))).rejects.toBe(refused);
    await expect(run(() => Promise.reject(new Error('time out')))).rejects.toThrow('time out');
    expect(history.operations.map(({ outcome }) => outcome.type)).toEqual(['ok', 'failed', 'unknown']);
  });
});

describe('a history', () => {
  it('with an operation that returned before it was called is refused', () => {
    expect(() => checkLinearizable(counterModel(), [ok('a', [3, 2], { type: 'get' }, 0)])).toThrow(
      InvalidArgumentError,
    );
  });
});

describe('a violation', () => {
  const history = createRegisterHistory();
  history.invoke('a', write(1)).ok(undefined);
  const slow = history.invoke('b', write(2));
  history.invoke('c', read).ok(2);
  history.invoke('c', read).ok(1);
  slow.ok(undefined);

  it('is told with what led to it', () => {
    expect(describeVerdict(checkLinearizable(registerModel(0), history.operations))).toBe(
      [
        'not linearizable: nothing explains the answer to an operation on the object:',
        '  c: {"type":"read"} → 1  [5…6, called at 0.0 ms]',
        'the longest explanation of what was answered before:',
        '  a: {"type":"write","value":1} → undefined  [0…1, called at 0.0 ms]',
        '  b: {"type":"write","value":2} → undefined  [2…7, called at 0.0 ms]',
        '  c: {"type":"read"} → 2  [3…4, called at 0.0 ms]',
        '  which leaves 2',
      ].join('\n'),
    );
  });

  it('fails a test that asserts that there is none, and so does not knowing', () => {
    const check = (maxSteps?: number) => (): unknown =>
      assertLinearizable(registerModel(0), history.operations, maxSteps === undefined ? {} : { maxSteps });
    expect(check()).toThrow(LinearizabilityError);
    expect(check(1)).toThrow('not decided within 1 steps');
    expect(() => assertLinearizable(registerModel(0), [])).not.toThrow();
  });
});
