import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApplierRules } from '../../src/machine/applier/rules.ts';
import { createApplier, type Outcome } from '../../src/machine/applier.ts';
import type { CommandRecord } from '../../src/machine/commands.ts';
import { machine } from '../../src/machine/define.ts';
import { CommandRejectedError } from '../../src/machine/errors.ts';
import type { LogPosition } from '../../src/raft/types.ts';
import { commandEntry, run } from './support.ts';

const LIMITS = { maxSessions: 3, idleMs: 50, idleEntries: 2, maxResults: 4, maxResultBytes: 1_000_000 };
const RUNS = process.env['MOSAIK_SIM'] === 'long' ? 5_000 : 300;

/** Writes down what it applies: nothing may be in here twice, nor out of order. Odd numbers are refused. */
const Journal = machine({
  signature: 'journal/1',
  initial: (): { applied: string[] } => ({ applied: [] }),
  apply(state: { applied: string[] }, command: { readonly who: number; readonly what: number }) {
    state.applied.push(`${command.who}:${command.what}`);
    if (command.what % 2 === 1) throw new CommandRejectedError('odd');
    return state.applied.length;
  },
  query: (state: { applied: string[] }, _query: null) => state.applied,
});

/** A step of a log: an entry of some records after some time, or a snapshot that is restored elsewhere. */
type Step =
  | { readonly kind: 'entry'; readonly afterMs: number; readonly asks: readonly Ask[] }
  | { readonly kind: 'restore' };

type Ask =
  | { readonly kind: 'open' }
  | { readonly kind: 'close'; readonly session: number }
  | {
      readonly kind: 'run';
      readonly session: number;
      readonly sequence: number;
      readonly count: number;
      readonly settled: number;
    };

const session = fc.integer({ min: 1, max: 6 });
const ask: fc.Arbitrary<Ask> = fc.oneof(
  { weight: 2, arbitrary: fc.constant({ kind: 'open' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const), session }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('run' as const),
      session,
      sequence: fc.integer({ min: 1, max: 12 }),
      count: fc.integer({ min: 0, max: 4 }),
      settled: fc.integer({ min: 0, max: 11 }),
    }),
  },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      kind: fc.constant('entry' as const),
      afterMs: fc.integer({ min: -20, max: 40 }),
      asks: fc.array(ask, { maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'restore' as const }) },
);

/** What a command is, wherever it is sent again: it follows from its session and sequence. */
const command = (who: number, what: number) => ({ who, what });

interface ModelSession {
  readonly number: number;
  lastMs: number;
  lastIndex: number;
  readonly results: Outcome<number>[];
  settled: number;
}

/** The dumb second implementation: everything is kept forever, and looked through from the beginning. */
class Model {
  readonly applied: string[] = [];
  readonly #sessions: ModelSession[] = [];
  #opened = 0;
  #nowMs = 0;

  entry(index: number, stampMs: number, asks: readonly Ask[]): Outcome<number>[] {
    this.#nowMs = Math.max(this.#nowMs, stampMs);
    const outcomes = asks.flatMap((one) => this.#ask(one, index));
    const isDead = (one: { lastMs: number; lastIndex: number }) =>
      this.#nowMs - one.lastMs > LIMITS.idleMs && index - one.lastIndex > LIMITS.idleEntries;
    this.#remove(isDead);
    return outcomes;
  }

  #ask(one: Ask, index: number): Outcome<number>[] {
    if (one.kind === 'open') {
      this.#sessions.push({
        number: ++this.#opened,
        lastMs: this.#nowMs,
        lastIndex: index,
        results: [],
        settled: 0,
      });
      if (this.#sessions.length > LIMITS.maxSessions) this.#sessions.shift();
      return [];
    }
    if (one.kind === 'close') {
      this.#remove(({ number }) => number === one.session);
      return [];
    }
    return this.#run(one, index);
  }

  #run(one: Extract<Ask, { kind: 'run' }>, index: number): Outcome<number>[] {
    const found = this.#sessions.find(({ number }) => number === one.session);
    if (found === undefined) return Array.from({ length: one.count }, () => ({ kind: 'expired' }));
    this.#remove((other) => other === found);
    this.#sessions.push(Object.assign(found, { lastMs: this.#nowMs, lastIndex: index }));
    found.settled = Math.max(found.settled, Math.min(one.settled, found.results.length));
    const sequences = Array.from({ length: one.count }, (_, at) => one.sequence + at);
    const before = found.results.length;
    for (const sequence of sequences) {
      if (sequence === found.results.length + 1)
        found.results.push(this.#apply(one.session, sequence, index));
    }
    return sequences.map((sequence) => {
      const outcome = found.results[sequence - 1];
      if (outcome === undefined) return { kind: 'gap', expected: found.results.length + 1 };
      const isFresh = sequence > before;
      const isKept = sequence > found.settled && sequence > found.results.length - LIMITS.maxResults;
      return isFresh || isKept ? outcome : { kind: 'forgotten' };
    });
  }

  #apply(who: number, what: number, index: number): Outcome<number> {
    const { applied } = this;
    applied.push(`${who}:${what}`);
    if (what % 2 === 0) return { kind: 'applied', index: index as never, result: applied.length };
    return { kind: 'failed', index: index as never, error: new CommandRejectedError('odd') };
  }

  #remove(goes: (one: ModelSession) => boolean): void {
    const stays = this.#sessions.filter((one) => !goes(one));
    this.#sessions.splice(0, this.#sessions.length, ...stays);
  }
}

function recordOf(one: Ask): CommandRecord {
  if (one.kind === 'open') return { kind: 'open', nonce: new Uint8Array(16) };
  if (one.kind === 'close') return one;
  const commands = Array.from({ length: one.count }, (_, at) => command(one.session, one.sequence + at));
  return run(one.session, one.sequence, commands, Math.min(one.settled, one.sequence - 1));
}

/** A member: its applier, and what it has heard of the last entry. */
function member(rules: Partial<ApplierRules> = {}) {
  const heard: Outcome<number>[] = [];
  const applier = createApplier({
    machine: Journal,
    limits: LIMITS,
    rules,
    chunkBytes: 64,
    observer: { wants: () => true, outcome: (_session, _sequence, outcome) => heard.push(outcome) },
  });
  return { applier, heard };
}

type Member = ReturnType<typeof member>;

async function restored(from: Member, rules?: Partial<ApplierRules>): Promise<Member> {
  const { position, chunks } = from.applier.snapshot();
  const other = member(rules);
  await other.applier.restore(position, chunks);
  return other;
}

const plain = (outcomes: readonly Outcome<number>[]) =>
  outcomes.map((one) => (one.kind === 'failed' ? { ...one, error: one.error.code } : one));

/** Holds the applier to the model, with what is safe or with a planted bug. */
async function compareWithModel(rules: Partial<ApplierRules>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const model = new Model();
      const steady = member();
      let moving = member(rules);
      let [index, stampMs] = [0, 1_000];
      for (const one of steps) {
        if (one.kind === 'restore') {
          moving = await restored(moving, rules);
          continue;
        }
        index++;
        stampMs += one.afterMs;
        const asks = one.asks.map((item) =>
          item.kind === 'run' ? { ...item, settled: Math.min(item.settled, item.sequence - 1) } : item,
        );
        const expected = model.entry(index, stampMs, asks);
        for (const { applier, heard } of [steady, moving]) {
          heard.length = 0;
          applier.apply([commandEntry(index, asks.map(recordOf), stampMs)]);
          expect(plain(heard)).toEqual(plain(expected));
          expect(applier.query(null)).toEqual(model.applied);
        }
      }
      expect(new Set(model.applied).size).toBe(model.applied.length);
      expect(await moving.applier.hash()).toEqual(await steady.applier.hash());
    }),
    { numRuns: RUNS },
  );
}

describe('the session table', () => {
  it('does what a dumb model does, whatever is sent again, late or never, and restored in between', async () => {
    await compareWithModel({});
  });

  it.each([{ snapshotHoldsSessions: false }, { appliesOnce: false }])(
    'would be found not to by its tests with %j',
    async (rules) => {
      await expect(compareWithModel(rules)).rejects.toThrow(/Property failed/);
    },
  );

  it('is the same after a snapshot, chunk for chunk', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(ask, { maxLength: 6 }), { maxLength: 10 }), async (asksByEntry) => {
        const one = member();
        for (const [at, asks] of asksByEntry.entries())
          one.applier.apply([commandEntry(at + 1, asks.map(recordOf))]);
        const two = await restored(one);
        const bytesOf = async ({ applier }: Member) => await Array.fromAsync(applier.snapshot().chunks);
        const [own, others] = [await bytesOf(one), await bytesOf(two)];
        expect(others).toEqual(own);
        expect(own.slice(0, -1).every(({ length }) => length === 64)).toBe(true);
      }),
      { numRuns: RUNS / 2 },
    );
  });

  it('has its snapshots refused when any byte of them is cut, and never fails otherwise when one is changed', async () => {
    const one = member();
    one.applier.apply([
      commandEntry(1, [recordOf({ kind: 'open' }), run(1, 1, [command(1, 1), command(1, 2)])]),
    ]);
    const { position, chunks } = one.applier.snapshot();
    const whole = Buffer.concat(await Array.fromAsync(chunks));
    const outcome = async (bytes: Uint8Array, at: LogPosition = position) => {
      try {
        await member().applier.restore(at, source(bytes));
        return 'restored';
      } catch (thrown) {
        return (thrown as { code?: string }).code;
      }
    };
    expect(await outcome(whole)).toBe('restored');
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const changed = Uint8Array.from(whole);
        changed[at] = (changed[at] ?? 0) ^ mask;
        expect(['restored', 'ERR_SNAPSHOT_FORMAT']).toContain(await outcome(changed));
        expect(await outcome(whole.subarray(0, at))).toBe('ERR_SNAPSHOT_FORMAT');
      }),
      { numRuns: RUNS },
    );
  });
});

async function* source(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
