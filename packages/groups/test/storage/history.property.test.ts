import { type CrashMode, createDisk, createWorld } from '@mosaik/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry, HardState, LogIndex } from '../../src/raft/types.ts';
import {
  chunksOf,
  entries,
  GROUP,
  member,
  metaAt,
  readAll,
  readSnapshot,
  term,
} from '../../src/storage/compliance/kit.ts';
import { memory } from '../../src/storage/memory.ts';
import { simulated } from '../../src/storage/simulated/index.ts';
import type { LogStorage, Storage } from '../../src/storage/storage.ts';

const RUNS = process.env['MOSAIK_SIM'] === 'long' ? 3_000 : 150;

/** What is done to a log; the numbers are shares of what is possible at the moment. */
type Step =
  | {
      readonly kind: 'append';
      readonly count: number;
      readonly cut: number;
      readonly vote: boolean;
      readonly wait: boolean;
    }
  | { readonly kind: 'snapshot'; readonly at: number; readonly foreign: boolean; readonly wait: boolean }
  | { readonly kind: 'prune'; readonly at: number; readonly wait: boolean }
  | { readonly kind: 'crash'; readonly mode: CrashMode };

const share = fc.double({ min: 0, max: 1, noNaN: true });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      count: fc.integer({ min: 0, max: 5 }),
      cut: share,
      vote: fc.boolean(),
      wait: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('snapshot' as const),
      at: share,
      foreign: fc.boolean(),
      wait: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('prune' as const), at: share, wait: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('crash' as const),
      mode: fc.constantFrom<CrashMode>('kill', 'powerLoss'),
    }),
  },
);

/** The dumb second implementation: a value, replaced by each step. */
interface Model {
  readonly hardState: HardState;
  readonly base: number;
  readonly baseTerm: number;
  readonly entries: readonly Entry[];
  readonly snapshot: number;
  /** Goes up with each step that writes entries: what differs has another term. */
  readonly term: number;
}

const EMPTY: Model = {
  hardState: { term: term(0), vote: undefined },
  base: 0,
  baseTerm: 0,
  entries: [],
  snapshot: 0,
  term: 0,
};

const at = (index: number) => index as LogIndex;
const lastOf = (model: Model) => model.base + model.entries.length;
const termAt = (model: Model, index: number) =>
  index === model.base ? model.baseTerm : model.entries[index - model.base - 1]?.term;

/** What a log and its model do at a step: the write under way, and the model after it. */
interface Done {
  readonly write: Promise<unknown>;
  readonly next: Model;
  /** Whether there is anything to write: else it says nothing about the writes before it, either. */
  readonly isWrite: boolean;
}

function append(log: LogStorage, model: Model, one: Extract<Step, { kind: 'append' }>): Done {
  const kept = Math.ceil(one.cut * model.entries.length);
  const isCut = kept < model.entries.length;
  const newTerm = model.term + 1;
  const from = model.base + kept + 1;
  const added = one.count === 0 ? [] : entries(from, from + one.count - 1, newTerm);
  const hardState = one.vote ? { term: term(newTerm), vote: member('ann') } : undefined;
  const write = log.append({ hardState, truncateFrom: isCut ? at(from) : undefined, entries: added });
  return {
    write,
    isWrite: isCut || one.vote || one.count > 0,
    next: {
      ...model,
      term: newTerm,
      hardState: hardState ?? model.hardState,
      entries: [...model.entries.slice(0, kept), ...added],
    },
  };
}

function snapshot(log: LogStorage, model: Model, one: Extract<Step, { kind: 'snapshot' }>): Done {
  const lowest = Math.max(model.snapshot, model.base) + 1;
  const index = lowest + Math.floor(one.at * (Math.max(lastOf(model) - lowest, 0) + 2));
  const own = termAt(model, index);
  const newTerm = model.term + 1;
  const ofTerm = one.foreign || own === undefined ? newTerm : own;
  const write = (async () => {
    const stage = await log.stageSnapshot(metaAt(index, ofTerm));
    // Under way together, as calls take effect in order.
    const chunks = chunksOf(`${index}`, 2, 50).map((chunk) => stage.write(chunk));
    await Promise.all([...chunks, stage.commit()]);
  })();
  const holds = own === ofTerm;
  const reset = { base: index, baseTerm: ofTerm, entries: [] };
  return {
    write,
    isWrite: true,
    next: { ...model, term: newTerm, snapshot: index, ...(holds ? {} : reset) },
  };
}

function prune(log: LogStorage, model: Model, one: Extract<Step, { kind: 'prune' }>): Done {
  const upTo = model.base + Math.floor(one.at * (Math.max(model.snapshot - model.base, 0) + 1));
  const clamped = Math.min(upTo, Math.max(model.snapshot, model.base));
  const write = log.prune(at(clamped));
  const baseTerm = termAt(model, clamped) ?? model.baseTerm;
  return {
    write,
    isWrite: clamped > model.base,
    next: { ...model, base: clamped, baseTerm, entries: model.entries.slice(clamped - model.base) },
  };
}

function take(log: LogStorage, model: Model, one: Exclude<Step, { kind: 'crash' }>): Done {
  if (one.kind === 'append') return append(log, model, one);
  return one.kind === 'snapshot' ? snapshot(log, model, one) : prune(log, model, one);
}

async function contentOf(log: LogStorage): Promise<unknown> {
  const { base } = log.recovered;
  return { entries: await readAll(log, base.index + 1), chunks: await readSnapshot(log) };
}

function recoveredOf({ hardState, base, baseTerm, entries: all, snapshot: index }: Model): unknown {
  const last = all.at(-1);
  return {
    hardState,
    base: { index: base, term: baseTerm },
    last: last === undefined ? { index: base, term: baseTerm } : { index: last.index, term: last.term },
    snapshot: index,
  };
}

/** The state of all that were possible which a log has come back with. */
async function whichOf(log: LogStorage, possible: readonly Model[]): Promise<Model> {
  const { hardState, base, last, snapshot: meta } = log.recovered;
  const found = JSON.stringify({ hardState, base, last, snapshot: meta?.index ?? 0 });
  const model = possible.findLast((one) => JSON.stringify(recoveredOf(one)) === found);
  expect(model, `${found} is not what was written`).toBeDefined();
  const { entries: all, snapshot: index } = model as Model;
  expect(await contentOf(log)).toEqual({
    entries: all,
    chunks: index === 0 ? [] : chunksOf(`${index}`, 2, 50),
  });
  return model as Model;
}

/** A log on a disk, and the states that it may be in since the last one that was acknowledged. */
class Life {
  readonly #open: () => Promise<LogStorage>;
  readonly #crash: (mode: CrashMode) => void;
  #log: LogStorage;
  #possible: Model[] = [EMPTY];

  constructor(log: LogStorage, open: () => Promise<LogStorage>, crash: (mode: CrashMode) => void) {
    this.#log = log;
    this.#open = open;
    this.#crash = crash;
  }

  async take(one: Step): Promise<void> {
    if (one.kind === 'crash') await this.#recover(one.mode);
    else await this.#write(one);
  }

  async #recover(mode: CrashMode): Promise<void> {
    this.#crash(mode);
    this.#log = await this.#open();
    this.#possible = [await whichOf(this.#log, this.#possible)];
  }

  async #write(one: Exclude<Step, { kind: 'crash' }>): Promise<void> {
    const { write, isWrite, next } = take(this.#log, this.#possible.at(-1) as Model, one);
    this.#possible.push(next);
    if (one.wait) {
      await write;
      if (isWrite) this.#possible = [next];
      return;
    }
    write.catch(() => {});
    // A snapshot is only begun at once: what it writes is called before the next step's.
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  }

  /** All of it is there after a close. */
  async end(): Promise<void> {
    await this.#log.close();
    await whichOf(await this.#open(), this.#possible.slice(-1));
  }
}

async function liveOn(seed: number, steps: readonly Step[], syncsFirst: boolean): Promise<void> {
  const world = createWorld({ seed });
  const disk = createDisk(world.host('a'), { runtime: world.runtime });
  const open = () =>
    simulated(disk, { rules: { syncsFirst } }).open({ group: GROUP, runtime: world.runtime });
  await world.run(async () => {
    const life = new Life(await open(), open, (mode) => {
      disk.host.crash({ mode });
      disk.host.restart();
    });
    for (const one of steps) await life.take(one);
    await life.end();
  });
}

function assertOnDisk(syncsFirst: boolean): Promise<void> {
  const property = fc.asyncProperty(fc.nat(), fc.array(step, { maxLength: 25 }), (seed, steps) =>
    liveOn(seed, steps, syncsFirst),
  );
  return fc.assert(property, { numRuns: RUNS });
}

describe('a log', () => {
  it('on a disk comes back with all that was acknowledged, at a state that it was in', async () => {
    await assertOnDisk(true);
  });

  it('that acknowledges before it syncs does not', async () => {
    await expect(assertOnDisk(false)).rejects.toThrow(/powerLoss/);
  });

  it('in memory is at the last state', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const storage: Storage = memory();
        const open = () => storage.open({ group: GROUP, runtime: createWorld().runtime });
        const log = await open();
        let model = EMPTY;
        for (const one of steps) {
          if (one.kind === 'crash') continue;
          const { write, next } = take(log, model, one);
          await write;
          model = next;
        }
        await log.close();
        await whichOf(await open(), [model]);
      }),
      { numRuns: RUNS },
    );
  });
});
