import { describe, expect, it } from 'vitest';
import { createWorld, type World } from '../../src/index.ts';
import {
  type AppendListInput,
  type AppendListOutput,
  appendListModel,
  checkLinearizable,
  counterModel,
  createHistory,
  type History,
  type KvInput,
  type KvOutput,
  kvMapModel,
} from '../../src/linearizability/index.ts';
import { ok, open } from './support/histories.ts';

interface Load {
  readonly clients: number;
  readonly operations: number;
  readonly keys: number;
}

/** Clients of a map that answers after a while, having acted at some moment of it. */
async function record({
  clients,
  operations,
  keys,
}: Load): Promise<History<KvInput<number>, KvOutput<number>>> {
  const world = createWorld({ seed: 'effort' });
  const values = new Map<string, number>();
  const history = createHistory<KvInput<number>, KvOutput<number>>(world.runtime);
  await world.run(async () => {
    const each = Array.from({ length: clients }, async (_, index) => {
      for (let count = 0; count < operations / clients; count++) {
        const input = draw(world, keys);
        const operation = history.invoke(`client ${index}`, input);
        await world.sleep(world.runtime.random() * 10);
        const output = input.type === 'get' ? values.get(input.key) : undefined;
        if (input.type === 'put') values.set(input.key, input.value);
        await world.sleep(world.runtime.random() * 10);
        operation.ok(output);
      }
    });
    await Promise.all(each);
  });
  return history;
}

function draw(world: World, keys: number): KvInput<number> {
  const key = `k${Math.floor(world.runtime.random() * keys)}`;
  const value = Math.floor(world.runtime.random() * 100);
  return world.runtime.random() < 0.5 ? { type: 'get', key } : { type: 'put', key, value };
}

describe('the effort of a check', () => {
  it('is a few steps an operation for 5 clients, 10,000 operations, 10 keys', async () => {
    const history = await record({ clients: 5, operations: 10_000, keys: 10 });
    const result = checkLinearizable(kvMapModel<number>(), history.operations);
    expect(result.verdict).toBe('linearizable');
    expect(result.steps).toBeLessThan(100_000);
  });

  it('stays so when one answer in the middle is wrong', async () => {
    const history = await record({ clients: 5, operations: 10_000, keys: 10 });
    const at = history.operations.findIndex(({ input }, index) => index > 5_000 && input.type === 'get');
    const operations = history.operations.map((operation, index) =>
      index === at && operation.outcome.type === 'ok'
        ? { ...operation, outcome: { ...operation.outcome, output: -1 } }
        : operation,
    );
    const result = checkLinearizable(kvMapModel<number>(), operations);
    expect(result).toMatchObject({ verdict: 'violation', culprit: operations[at] });
    expect(result.steps).toBeLessThan(100_000);
  });

  it('does not grow the stack: 50,000 operations on one key', async () => {
    const history = await record({ clients: 5, operations: 50_000, keys: 1 });
    expect(checkLinearizable(kvMapModel<number>(), history.operations).verdict).toBe('linearizable');
  });

  it('is not multiplied by unanswered operations that are alike', () => {
    const adds = Array.from({ length: 40 }, (_, at) => open('a', at, { type: 'add', by: 1 } as const));
    const gets = Array.from({ length: 41 }, (_, index) =>
      ok('b', [100 + 2 * index, 101 + 2 * index], { type: 'get' } as const, index),
    );
    const result = checkLinearizable<number, never, never>(
      counterModel() as never,
      [...adds, ...gets] as never,
    );
    expect(result.verdict).toBe('linearizable');
    expect(result.steps).toBeLessThan(5_000);
  });
});

describe('a check that is too hard', () => {
  /** No order explains the read, and there are 2^24 sets and far more orders of appends to try. */
  const hard = [
    ...Array.from({ length: 24 }, (_, at) =>
      open<AppendListInput<number>, AppendListOutput<number>>('a', at, { type: 'append', value: at }),
    ),
    ok<AppendListInput<number>, AppendListOutput<number>>('b', [100, 101], { type: 'read' }, [-1]),
  ];

  it('says that it does not know', () => {
    const result = checkLinearizable(appendListModel<number>(), hard, { maxSteps: 10_000 });
    expect(result).toEqual({ verdict: 'unknown', keys: [''], steps: 10_000 });
  });

  it('is bounded also where comparing states is the work', () => {
    const model = { ...appendListModel<number>(), hash: () => 0 };
    const result = checkLinearizable(model, hard, { maxSteps: 100_000 });
    expect(result.verdict).toBe('unknown');
    // What one step compares comes on top.
    expect(result.steps).toBeLessThan(110_000);
  });

  it('does not hide a violation at another key', () => {
    const model = { ...appendListModel<number>(), key: (input: AppendListInput<number>) => input.type };
    const history = [...hard, ok('c', [200, 201], { type: 'read' } as const, [7])];
    expect(checkLinearizable(model, history, { maxSteps: 10_000 })).toMatchObject({
      verdict: 'violation',
      key: 'read',
    });
  });
});
