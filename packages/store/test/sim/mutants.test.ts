import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Cursor } from '../../src/index.ts';
import type { SwarmPlan } from './swarm.ts';

/** A mutant that survives this many seeds would be one that the swarm does not see. */
const SEEDS_MAX = 80;

/** A safety rule that is broken on purpose: which module is replaced, and by what. */
interface Mutant {
  readonly name: string;
  readonly module: string;
  readonly mutate: (actual: Record<string, unknown>) => Record<string, unknown>;
}

type Method = (...args: unknown[]) => unknown;

/** A class whose method is another one, which is given the old one. */
function overridden(
  actual: Record<string, unknown>,
  name: string,
  method: string,
  make: (old: Method) => Method,
): Record<string, unknown> {
  const Actual = actual[name] as new (...args: unknown[]) => Record<string, Method>;
  class Changed extends Actual {}
  Changed.prototype[method] = make(Actual.prototype[method] as Method);
  return { ...actual, [name]: Changed };
}

const mutants: readonly Mutant[] = [
  {
    name: 'a send is acknowledged before it is durable',
    module: '../../src/retain/own-journal.ts',
    mutate: (actual) =>
      overridden(
        actual,
        'OwnJournal',
        'append',
        (append) =>
          function (this: unknown, ...args) {
            Promise.resolve(append.apply(this, args)).catch(() => {});
            return undefined;
          },
      ),
  },
  {
    name: 'a log that was lost is begun anew under its old name',
    module: '../../src/memory/memory.ts',
    mutate: (actual) => {
      const memory = actual['memory'] as () => { openOwn: Method };
      const changed = (): unknown => {
        const store = memory();
        const openOwn = store.openOwn.bind(store);
        store.openOwn = (stream, producer) =>
          openOwn(stream, producer, () => (producer as string).slice(0, 16));
        return store;
      };
      return { ...actual, memory: changed };
    },
  },
  {
    name: 'a replay begins at the end of what it should begin with',
    module: '../../src/pull/starts.ts',
    mutate: (actual) => ({ ...actual, firstOf: actual['endOf'] }),
  },
  {
    name: 'what retention has removed is left out without a word',
    module: '../../src/pull/gate.ts',
    mutate: (actual) =>
      overridden(
        actual,
        'Gate',
        'take',
        (take) =>
          function (this: unknown, ...args) {
            const piece = take.apply(this, args) as { type?: string } | undefined;
            return piece?.type === 'skipped' ? undefined : piece;
          },
      ),
  },
  {
    name: 'a producer that does not answer is taken for one that is gone',
    module: '../../src/pull/plan.ts',
    mutate: (actual) => ({
      ...actual,
      planNext: (situation: { candidates: readonly { offer: { next: number } }[]; position: number }) =>
        situation.candidates.length === 0
          ? { kind: 'gap', to: situation.position + 1 }
          : (actual['planNext'] as Method)(situation),
    }),
  },
  {
    name: 'a cursor says more than was read',
    module: '../../src/replay/replay-node.ts',
    mutate: (actual) => {
      const Actual = actual['ReplayNode'] as { readonly prototype: object };
      const cursorOf = Object.getOwnPropertyDescriptor(Actual.prototype, 'cursor')?.get as () => Cursor;
      Object.defineProperty(Actual.prototype, 'cursor', {
        get(this: unknown) {
          const cursor = cursorOf.call(this);
          return { ...cursor, positions: cursor.positions.map((at) => ({ ...at, next: at.next + 1 })) };
        },
      });
      return actual;
    },
  },
];

/** Half of the seeds remove what is old, so that rules about that are put to the test, too. */
function planOf(seed: number): Partial<SwarmPlan> {
  return seed % 2 === 0 ? { maxItems: 100 } : {};
}

/** How many seeds a swarm takes to fail; undefined when it does not. */
async function seedsToFail(): Promise<number | undefined> {
  const { inWorld } = await import('../support/cluster.ts');
  const { Swarm } = await import('./swarm.ts');
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    try {
      await inWorld({ seed }, (world) => new Swarm(world, planOf(seed)).run());
    } catch {
      return seed;
    }
  }
  return undefined;
}

describe('the swarm sees it when', () => {
  afterEach(() => {
    vi.doUnmock('../../src/memory/memory.ts');
    vi.resetModules();
  });

  it.each(mutants)('$name', { timeout: 300_000 }, async ({ module, mutate }) => {
    vi.resetModules();
    vi.doMock(module, async (importOriginal) => mutate(await importOriginal<Record<string, unknown>>()));
    const seeds = await seedsToFail();
    vi.doUnmock(module);
    expect(seeds).toBeDefined();
  });
});
