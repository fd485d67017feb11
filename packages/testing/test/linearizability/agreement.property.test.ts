import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  appendListModel,
  checkLinearizable,
  counterModel,
  kvMapModel,
  type Model,
  type Operation,
  registerModel,
} from '../../src/linearizability/index.ts';
import { isExplained, isInTime, isLinearizableByBruteForce } from './support/brute-force.ts';

/** How an operation comes out: as the model has it, or with an output drawn at random, or not at all. */
type Fate = 'right' | 'random' | 'open' | 'failed';

interface Drawn<Input, Output> {
  readonly input: Input;
  readonly fate: Fate;
  readonly output: Output;
  readonly times: readonly [number, number];
  /** Where between call and return it takes effect in the execution that right outputs come from. */
  readonly at: number;
}

interface Subject<State, Input, Output> {
  readonly model: Model<State, Input, Output>;
  readonly input: fc.Arbitrary<Input>;
  /** All outputs there may be, so that the right one can be found by trying. */
  readonly outputs: readonly Output[];
}

const OPERATIONS_MAX = 6;
const values = fc.constantFrom(1, 2);
const fates = fc.constantFrom<Fate>(
  'right',
  'right',
  'right',
  'right',
  'right',
  'right',
  'random',
  'open',
  'failed',
);

function historyArbitrary<State, Input, Output>(
  subject: Subject<State, Input, Output>,
): fc.Arbitrary<Operation<Input, Output>[]> {
  const operation = fc.record({
    input: subject.input,
    fate: fates,
    output: fc.constantFrom(...subject.outputs),
    times: fc.tuple(fc.integer({ min: 0, max: 14 }), fc.integer({ min: 0, max: 6 })),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  return fc
    .array(operation, { minLength: 1, maxLength: OPERATIONS_MAX })
    .map((drawn) => execute(subject, drawn));
}

/** Runs the operations one after the other in the order of their effects, and spoils some outputs. */
function execute<State, Input, Output>(
  { model, outputs }: Subject<State, Input, Output>,
  drawn: readonly Drawn<Input, Output>[],
): Operation<Input, Output>[] {
  const states = new Map<string, State>();
  return drawn
    .toSorted((a, b) => effectOf(a) - effectOf(b))
    .map(({ input, fate, output, times: [calledAt, lasts], at }, index) => {
      const client = `c${index}`;
      if (fate === 'failed') return { client, input, calledAt, outcome: { type: 'failed' as const } };
      const key = model.key?.(input) ?? '';
      const state = states.has(key) ? (states.get(key) as State) : model.init();
      const right = outputs.find((candidate) => model.step(state, input, candidate).ok) as Output;
      const step = model.step(state, input, right);
      // Some of those that nobody heard of happened.
      if (step.ok && (fate !== 'open' || at < 0.5)) states.set(key, step.state);
      if (fate === 'open') return { client, input, calledAt, outcome: { type: 'unknown' as const } };
      const told = fate === 'right' ? right : output;
      return { client, input, calledAt, outcome: { type: 'ok', output: told, returnedAt: calledAt + lasts } };
    });
}

function effectOf({ times: [calledAt, lasts], at }: Drawn<unknown, unknown>): number {
  return calledAt + lasts * at;
}

function register(): Subject<number, never, never> {
  const read = fc.constant({ type: 'read' });
  const write = fc.record({ type: fc.constant('write'), value: values });
  const cas = fc.record({ type: fc.constant('cas'), from: fc.constantFrom(0, 1, 2), to: values });
  return {
    model: registerModel(0),
    input: fc.oneof(read, write, cas),
    outputs: [0, 1, 2, true, false, undefined],
  } as unknown as Subject<number, never, never>;
}

function counter(): Subject<number, never, never> {
  const add = fc.record({ type: fc.constant('add'), by: values });
  return {
    model: counterModel(),
    input: fc.oneof(add, fc.constant({ type: 'get' })),
    outputs: Array.from({ length: 2 * OPERATIONS_MAX + 1 }, (_, value) => value),
  } as unknown as Subject<number, never, never>;
}

function map(): Subject<number, never, never> {
  const key = fc.constantFrom('x', 'y');
  const get = fc.record({ type: fc.constant('get'), key });
  const put = fc.record({ type: fc.constant('put'), key, value: values });
  const del = fc.record({ type: fc.constant('delete'), key });
  return {
    model: kvMapModel<number>(),
    input: fc.oneof(get, put, del),
    outputs: [undefined, 1, 2, true, false],
  } as unknown as Subject<number, never, never>;
}

function list(): Subject<readonly number[], never, never> {
  const append = fc.record({ type: fc.constant('append'), value: values });
  const lists = (length: number): number[][] =>
    length === 0 ? [[]] : lists(length - 1).flatMap((rest) => [rest, [...rest, 1], [...rest, 2]]);
  return {
    model: appendListModel<number>(),
    input: fc.oneof(append, fc.constant({ type: 'read' })),
    outputs: [undefined, ...lists(OPERATIONS_MAX)],
  } as unknown as Subject<readonly number[], never, never>;
}

const subjects: readonly (readonly [string, Subject<unknown, never, never>])[] = [
  ['a register', register() as Subject<unknown, never, never>],
  ['a counter', counter() as Subject<unknown, never, never>],
  ['a map', map() as Subject<unknown, never, never>],
  ['a list', list() as Subject<unknown, never, never>],
];

const CASES = 5_000;

describe.each(subjects)('random histories of %s', (_name, subject) => {
  const { model } = subject;

  it('get the verdict of the definition taken literally, and witnesses that hold', () => {
    const verdicts = { linearizable: 0, violation: 0, unknown: 0 };
    fc.assert(
      fc.property(historyArbitrary(subject), (history) => {
        const result = checkLinearizable(model, history);
        verdicts[result.verdict]++;
        expect(result.verdict === 'linearizable').toBe(isLinearizableByBruteForce(model, history));
        if (result.verdict === 'linearizable') {
          for (const order of result.orders.values()) expectWitness(model, order);
          const placed = new Set([...result.orders.values()].flat());
          expect(history.filter(({ outcome }) => outcome.type === 'ok').every((one) => placed.has(one))).toBe(
            true,
          );
        }
        if (result.verdict === 'violation') expectWitness(model, result.prefix);
      }),
      { numRuns: CASES },
    );
    // Both verdicts are met often, or the comparison would mean little.
    expect(verdicts.linearizable).toBeGreaterThan(CASES / 10);
    expect(verdicts.violation).toBeGreaterThan(CASES / 10);
    expect(verdicts.unknown).toBe(0);
  });

  it('name the first answer that cannot be explained', () => {
    fc.assert(
      fc.property(historyArbitrary(subject), (history) => {
        const result = checkLinearizable(model, history);
        if (result.verdict !== 'violation') return;
        const { culprit, key } = result;
        const ofKey = history.filter(({ input }) => (model.key?.(input) ?? '') === key);
        expect(isLinearizableByBruteForce(model, startedUpTo(ofKey, culprit))).toBe(false);
        expect(isLinearizableByBruteForce(model, demandsBefore(result.prefix, ofKey, culprit))).toBe(true);
      }),
      { numRuns: CASES / 4 },
    );
  });
});

type Any = Operation<never, never>;

function expectWitness(model: Model<unknown, never, never>, order: readonly Any[]): void {
  expect(isExplained(model, order)).toBe(true);
  expect(isInTime(order)).toBe(true);
}

/** What had been called when the culprit returned. */
function startedUpTo(history: readonly Any[], culprit: Any): readonly Any[] {
  return history.filter(({ calledAt }) => calledAt <= returnOf(culprit));
}

/** What had been answered before the culprit was, and what the prefix took for its explanation besides. */
function demandsBefore(prefix: readonly Any[], history: readonly Any[], culprit: Any): readonly Any[] {
  const before = history.filter((one) => returnOf(one) < returnOf(culprit));
  return [...new Set([...before, ...prefix])];
}

function returnOf({ outcome }: Any): number {
  return outcome.type === 'ok' ? outcome.returnedAt : Number.POSITIVE_INFINITY;
}
