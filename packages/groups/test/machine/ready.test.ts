import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createApplier } from '../../src/machine/applier.ts';
import { machine } from '../../src/machine/define.ts';
import type { ApplyContext, StateMachine } from '../../src/machine/machine.ts';
import { Counter } from '../../src/machine/ready/counter.ts';
import { keyValue, type MapCommand, type MapQuery } from '../../src/machine/ready/map.ts';
import { NoOp } from '../../src/machine/ready/no-op.ts';
import { register } from '../../src/machine/ready/register.ts';
import { commandEntry, open, run } from './support.ts';

function contextAt(index: number): ApplyContext {
  return { index: index as never, term: 1 as never, now: 0, random: () => 0 };
}

async function copyOf<C, R, Q, A>(
  definition: StateMachine<C, R, Q, A>,
  from: { snapshot(): Iterable<Uint8Array> | AsyncIterable<Uint8Array> },
) {
  const copy = definition.create();
  const chunks = from.snapshot();
  await copy.restore(
    (async function* () {
      yield* chunks;
    })(),
  );
  return copy;
}

describe('the ready-made machines', () => {
  it('do what they say', async () => {
    const counter = Counter.create();
    expect([counter.apply({ add: 2 ** 40 }, contextAt(1)), counter.apply({ add: -1 }, contextAt(2))]).toEqual(
      [2 ** 40, 2 ** 40 - 1],
    );
    expect(() => counter.apply({ add: 0.5 }, contextAt(3))).toThrow(/whole/);
    expect(() => counter.apply({ add: Number.MAX_SAFE_INTEGER }, contextAt(3))).toThrow(/out-of-range/);
    expect((await copyOf(Counter, counter)).query(null, { index: 1 as never })).toBe(2 ** 40 - 1);
    const text = register<string>().create();
    expect([text.apply({ set: 'a' }, contextAt(1)), text.apply({ set: 'b' }, contextAt(2))]).toEqual([
      null,
      'a',
    ]);
    expect((await copyOf(register<string>(), text)).query(null, { index: 2 as never })).toBe('b');
    expect(NoOp.create().apply(null, contextAt(1))).toBe(null);
  });

  it('survive the log and a snapshot: results as they were', () => {
    const applier = createApplier({ machine: Counter, guard: true });
    applier.apply([commandEntry(1, [open(), run(1, 1, [{ add: 2 ** 40 }, { add: 'x' }, { no: 1 }])])]);
    expect(applier.outcomeOf(1, 1)).toMatchObject({ kind: 'applied', result: 2 ** 40 });
    expect(applier.outcomeOf(1, 2)).toMatchObject({ error: { reason: 'not-a-number' } });
    expect(applier.outcomeOf(1, 3)).toMatchObject({ error: { reason: 'not-a-number' } });
  });
});

const key = fc.constantFrom('', 'a', 'b', 'ab', 'é', 'z');
const value = fc.constantFrom<unknown>(1, 'x', null, [1, 2], { b: 1, a: 2 }, { a: 2, b: 1 }, 2 ** 50, true);
const mapCommand: fc.Arbitrary<MapCommand<unknown>> = fc.oneof(
  fc.record({ put: key, value }),
  fc.record({ delete: key }),
  fc.record({ compareAndSet: key, expected: value, value }, { requiredKeys: ['compareAndSet'] }),
);

describe('the replicated map', () => {
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
  const sorted = (one: unknown): unknown =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one;

  const keyOf = (command: MapCommand<unknown>): string =>
    'put' in command ? command.put : 'delete' in command ? command.delete : command.compareAndSet;
  const isAllowed = (state: Map<string, unknown>, at: string, expected: unknown): boolean =>
    expected === undefined ? !state.has(at) : state.has(at) && same(state.get(at), expected);

  /** On a plain `Map`, by the words of the commands. */
  function dumb(state: Map<string, unknown>, command: MapCommand<unknown>): unknown {
    const at = keyOf(command);
    const before = state.has(at) ? { before: state.get(at) } : {};
    if ('compareAndSet' in command && !isAllowed(state, at, command.expected))
      return { done: false, ...before };
    if ('delete' in command) return { done: state.delete(at), ...before };
    if (command.value === undefined) state.delete(at);
    else state.set(at, command.value);
    return { done: true, ...before };
  }

  it('is a map, also after a snapshot', async () => {
    const all: MapQuery = { from: '' };
    await fc.assert(
      fc.asyncProperty(fc.array(mapCommand, { maxLength: 30 }), async (commands) => {
        const real = keyValue().create();
        const model = new Map<string, unknown>();
        for (const [at, command] of commands.entries()) {
          expect(real.apply(command, contextAt(at + 1))).toEqual(dumb(model, command));
        }
        const copy = await copyOf(keyValue(), real);
        const entries = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
        for (const one of [real, copy]) {
          const answer = one.query(all, { index: 0 as never });
          expect(answer.entries.map((entry) => [entry.key, entry.value])).toEqual(entries);
        }
        expect(await Array.fromAsync(copy.snapshot())).toEqual(await Array.fromAsync(real.snapshot()));
      }),
      { numRuns: 200 },
    );
  });

  it('has a snapshot of the moment, whatever is written while it is read, in many chunks', async () => {
    const map = keyValue<string>().create();
    const put = (count: number, text: string) => {
      for (let at = 0; at < count; at++)
        map.apply({ put: `key-${at}`, value: text.repeat(100) }, contextAt(at + 1));
    };
    put(3_000, 'a');
    const chunks = map.snapshot();
    put(3_000, 'b');
    const copy = keyValue<string>().create();
    let count = 0;
    await copy.restore(
      (async function* () {
        for await (const chunk of chunks) {
          count++;
          map.apply({ delete: `key-${count}` }, contextAt(9_000));
          yield chunk;
        }
      })(),
    );
    expect(count).toBeGreaterThan(3);
    const { entries, more } = copy.query({ from: '' }, { index: 0 as never });
    expect([entries.length, more]).toEqual([1_000, true]);
    expect(entries.every((entry) => entry.value === 'a'.repeat(100))).toBe(true);
  });

  it('answers ranges, versions and limits, and refuses what is no key or value', () => {
    const map = keyValue().create();
    for (const [at, name] of ['b', 'a', 'd', 'c'].entries())
      map.apply({ put: name, value: at }, contextAt(at + 1));
    const keys = (query: MapQuery) =>
      map.query(query, { index: 0 as never }).entries.map((entry) => entry.key);
    expect(keys({ from: 'b', until: 'd' })).toEqual(['b', 'c']);
    expect(keys({ from: '', limit: 3 })).toEqual(['a', 'b', 'c']);
    expect(map.query({ from: '', limit: 3 }, { index: 0 as never }).more).toBe(true);
    expect(map.query({ get: 'd' }, { index: 0 as never }).entries).toEqual([
      { key: 'd', value: 2, version: 3 },
    ]);
    expect(keys({ get: 'x' })).toEqual([]);
    expect(() => map.apply({ put: 7 as never, value: 1 }, contextAt(5))).toThrow(/a key is a text/);
    expect(() => map.apply({ put: 'x'.repeat(5_000), value: 1 }, contextAt(5))).toThrow(/a key is a text/);
    expect(() => map.apply({ put: 'x', value: undefined }, contextAt(5))).toThrow(/a put has a value/);
    map.apply({ put: 'set', value: new Set([1]) }, contextAt(6));
    expect(map.query({ get: 'set' }, { index: 0 as never }).entries[0]?.value).toEqual(new Set([1]));
    const compare = { compareAndSet: 'set', expected: new Set([1]), value: 1 };
    expect(() => map.apply(compare, contextAt(7))).toThrow(/cannot be compared/);
  });
});

describe('machine()', () => {
  it('infers its types from one definition', () => {
    const Stock = machine({
      signature: 'stock/1',
      initial: () => ({ items: new Map<string, number>() }),
      apply({ items }, command: { readonly item: string; readonly add: number }, { now }) {
        items.set(command.item, (items.get(command.item) ?? 0) + command.add);
        return { now };
      },
      query: ({ items }, item: string) => items.get(item) ?? 0,
    });
    const typed: StateMachine<
      { readonly item: string; readonly add: number },
      { now: number },
      string,
      number
    > = Stock;
    const instance = typed.create();
    instance.apply({ item: 'nail', add: 3 }, contextAt(1));
    expect(instance.query('nail', { index: 1 as never })).toBe(3);
  });

  it('keeps a state of maps, sets, dates and bytes in its default snapshot', async () => {
    const initial = () => ({
      map: new Map([['a', 1]]),
      set: new Set([1]),
      when: new Date(5),
      raw: Uint8Array.of(1),
    });
    const Odd = machine({
      signature: 'odd/1',
      initial,
      apply: (state: ReturnType<typeof initial>, add: string) => {
        state.map.set(add, state.map.size);
        return state.map.size;
      },
      query: (state: ReturnType<typeof initial>, _query: null) => state,
    });
    const one = Odd.create();
    one.apply('b', contextAt(1));
    const two = await copyOf(Odd, one);
    expect(two.query(null, { index: 1 as never })).toEqual(one.query(null, { index: 1 as never }));
    expect(two.apply('c', contextAt(2))).toBe(3);
  });

  it('checks commands by a schema: what does not fit has failed, and changes nothing', () => {
    const checked = machine({
      signature: 'checked/1',
      initial: () => ({ sum: 0 }),
      command: {
        '~standard': {
          version: 1,
          vendor: 'test',
          validate: (input: unknown) =>
            typeof input === 'number' ? { value: input } : { issues: [{ message: 'no number' }] },
        },
      },
      apply: (state, add: number) => {
        state.sum += add;
        return state.sum;
      },
    });
    const applier = createApplier({ machine: checked });
    applier.apply([commandEntry(1, [open(), run(1, 1, [4, 'x', 5])])]);
    expect(applier.outcomeOf(1, 2)).toMatchObject({ error: { code: 'ERR_COMMAND_MALFORMED' } });
    expect(applier.outcomeOf(1, 3)).toMatchObject({ result: 9 });
  });

  it('applies commands together where a machine can', () => {
    const batches: number[] = [];
    const instance = Counter.create();
    const batching: typeof Counter = {
      ...Counter,
      create: () => ({
        ...bind(instance),
        applyBatch: (commands, contexts) => {
          batches.push(commands.length);
          return commands.map((command, at) => instance.apply(command, contexts[at] as ApplyContext));
        },
      }),
    };
    const applier = createApplier({ machine: batching });
    applier.apply([commandEntry(1, [open(), run(1, 1, [{ add: 1 }, { add: 2 }]), run(1, 3, [{ add: 3 }])])]);
    expect(batches).toEqual([2]);
    expect(applier.outcomeOf(1, 3)).toMatchObject({ result: 6 });
  });

  it('wants a signature, and both or neither of snapshot and restore', () => {
    const rest = { initial: () => ({}), apply: () => null };
    expect(() => machine({ ...rest, signature: '' })).toThrow(/signature/);
    expect(() => machine({ ...rest, signature: 'a/1', snapshot: () => [] })).toThrow(/restore/);
  });
});

function bind<C, R, Q, A>(instance: ReturnType<StateMachine<C, R, Q, A>['create']>) {
  return {
    apply: instance.apply.bind(instance),
    query: instance.query.bind(instance),
    snapshot: instance.snapshot.bind(instance),
    restore: instance.restore.bind(instance),
  };
}
