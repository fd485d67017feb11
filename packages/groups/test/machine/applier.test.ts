import { type Runtime, systemRuntime } from '@mosaik/primitives';
import { describe, expect, it, vi } from 'vitest';
import type { ApplierTestOptions } from '../../src/machine/applier/machine-applier.ts';
import { type ApplyObserver, createApplier } from '../../src/machine/applier.ts';
import { machine } from '../../src/machine/define.ts';
import { CommandRejectedError, SnapshotFormatError } from '../../src/machine/errors.ts';
import type { StateMachine } from '../../src/machine/machine.ts';
import { Counter } from '../../src/machine/ready/counter.ts';
import type { Entry, LogIndex, Term } from '../../src/raft/types.ts';
import { commandEntry, type Heard, open, run } from './support.ts';

function counting(
  options: Partial<ApplierTestOptions> & { readonly hashEvery?: number; readonly runtime?: Runtime } = {},
) {
  const heard: Heard[] = [];
  const opened: [string, number][] = [];
  const faults: Error[] = [];
  const hashes: [number, string][] = [];
  const observer: ApplyObserver<number> = {
    opened: (nonce, session) => opened.push([nonce, session]),
    wants: () => true,
    outcome: (session, sequence, outcome) => heard.push({ session, sequence, outcome }),
    fault: (_index, error) => faults.push(error),
    hashed: (index, hash) => hashes.push([index, Buffer.from(hash).toString('hex')]),
  };
  const applier = createApplier({ machine: Counter, observer, guard: true, ...options });
  return { applier, heard, opened, faults, hashes };
}

/** What became of each command, in short. */
function short(heard: readonly Heard[]): unknown[] {
  return heard.map(({ sequence, outcome }) => {
    if (outcome.kind === 'applied') return [sequence, outcome.result];
    if (outcome.kind === 'failed') return [sequence, outcome.error.code];
    return [sequence, outcome.kind];
  });
}

const add = (n: number) => ({ add: n });

describe('a command', () => {
  it('is applied in the order of the log, and its result is told', () => {
    const { applier, heard, opened } = counting();
    applier.apply([
      commandEntry(1, [open(7)]),
      commandEntry(2, [run(1, 1, [add(5), add(6)]), run(1, 3, [add(1)])]),
    ]);
    expect(opened).toEqual([['07'.repeat(16), 1]]);
    expect(short(heard)).toEqual([
      [1, 5],
      [2, 11],
      [3, 12],
    ]);
    expect(applier.applied).toEqual({ index: 2, term: 1 });
    expect(applier.query(null)).toBe(12);
  });

  it('that comes again is not applied again, and its result is told again', () => {
    const { applier, heard } = counting();
    applier.apply([commandEntry(1, [open()]), commandEntry(2, [run(1, 1, [add(5), add(6)])])]);
    heard.length = 0;
    applier.apply([commandEntry(3, [run(1, 2, [add(6), add(7)]), run(1, 1, [add(5)])])]);
    expect(short(heard)).toEqual([
      [2, 11],
      [3, 18],
      [1, 5],
    ]);
    expect(heard.map(({ outcome }) => outcome.kind === 'applied' && outcome.index)).toEqual([2, 3, 2]);
    expect(applier.query(null)).toBe(18);
  });

  it('that comes before its turn is not applied, and what is missing is told', () => {
    const { applier, heard } = counting();
    applier.apply([commandEntry(1, [open()]), commandEntry(2, [run(1, 3, [add(1), add(1)])])]);
    expect(heard.map(({ outcome }) => outcome)).toEqual([
      { kind: 'gap', expected: 1 },
      { kind: 'gap', expected: 1 },
    ]);
    expect(applier.query(null)).toBe(0);
    applier.apply([commandEntry(3, [run(1, 1, [add(1), add(1), add(1)])])]);
    expect(applier.query(null)).toBe(3);
  });

  it('of a session that was never opened, or was closed, is refused', () => {
    const { applier, heard } = counting();
    applier.apply([
      commandEntry(1, [run(1, 1, [add(1)]), open(), { kind: 'close', session: 1 }, run(1, 1, [add(1)])]),
    ]);
    expect(short(heard)).toEqual([
      [1, 'expired'],
      [1, 'expired'],
    ]);
    expect(applier.outcomeOf(1, 1)).toEqual({ kind: 'expired' });
    expect(applier.query(null)).toBe(0);
  });

  it('that is rejected, fails, or cannot be read, tells its caller, now and later, and the machine goes on', () => {
    const faulty: StateMachine<string, null, never, never> = machine({
      signature: 'faulty/1',
      initial: () => ({}),
      apply(_state: object, command: string) {
        if (command === 'reject') throw new CommandRejectedError('no-way', 'not like this');
        if (command === 'bug') throw new TypeError('differs from one engine to the next');
        return null;
      },
    });
    const heard: Heard[] = [];
    const faults: string[] = [];
    const applier = createApplier({
      machine: faulty,
      observer: {
        wants: () => true,
        outcome: (session, sequence, outcome) => heard.push({ session, sequence, outcome }),
        fault: (_index, error) => faults.push(error.message),
      },
    });
    const bad = {
      kind: 'run',
      session: 1,
      sequence: 4,
      settled: 0,
      commands: [Uint8Array.of(0xff)],
    } as const;
    const records = [run(1, 1, ['reject', 'bug', 'fine']), bad];
    applier.apply([commandEntry(1, [open()]), commandEntry(2, records), commandEntry(3, records)]);
    const codes = [
      [1, 'ERR_COMMAND_REJECTED'],
      [2, 'ERR_COMMAND_FAILED'],
      [3, null],
      [4, 'ERR_COMMAND_MALFORMED'],
    ];
    expect(short(heard)).toEqual([...codes, ...codes]);
    expect(heard[0]?.outcome).toMatchObject({ error: { reason: 'no-way', message: 'not like this' } });
    expect(heard[4]?.outcome).toMatchObject({
      error: { reason: 'no-way', message: 'not like this' },
      index: 2,
    });
    expect(JSON.stringify(heard[1])).not.toContain('engine');
    expect(faults).toEqual(['differs from one engine to the next', expect.any(String)]);
  });

  it('whose result cannot be written has failed', () => {
    const odd = machine({
      signature: 'odd/1',
      initial: () => ({}),
      apply:
        (_state: object, _command: null): unknown =>
        () => {},
    });
    const heard: Heard[] = [];
    const applier = createApplier({
      machine: odd,
      observer: {
        wants: () => true,
        outcome: (session, sequence, outcome) => heard.push({ session, sequence, outcome }),
      },
    });
    applier.apply([commandEntry(1, [open(), run(1, 1, [null])])]);
    expect(short(heard)).toEqual([[1, 'ERR_COMMAND_FAILED']]);
  });

  it('in an entry that cannot be read is none, and the log goes on', () => {
    const { applier, faults } = counting();
    const entry: Entry = {
      index: 1 as LogIndex,
      term: 1 as Term,
      kind: 'command',
      data: Uint8Array.of(1, 5, 9),
    };
    applier.apply([entry, { ...entry, index: 2 as LogIndex, kind: 'noop' }, commandEntry(3, [open()])]);
    expect(faults).toHaveLength(1);
    expect(applier.applied.index).toBe(3);
  });
});

describe('a session', () => {
  it('ends when it was silent for long enough, by the time and by the entries of the log', () => {
    const { applier } = counting({ limits: { idleMs: 1_000, idleEntries: 3 } });
    applier.apply([commandEntry(1, [open(1), open(2)], 10_000)]);
    const touch = (index: number, nowMs: number) =>
      applier.apply([commandEntry(index, [run(2, 1, [])], nowMs)]);
    // Time alone ends nothing: a clock that jumps would.
    touch(2, 99_000);
    touch(3, 99_000);
    touch(4, 99_000);
    expect(applier.sessions).toBe(2);
    touch(5, 99_001);
    expect(applier.sessions).toBe(1);
    expect(applier.outcomeOf(1, 1)).toEqual({ kind: 'expired' });
    expect(applier.outcomeOf(2, 1)).toBeUndefined();
  });

  it('lives through as many entries as there are within the time', () => {
    const { applier } = counting({ limits: { idleMs: 1_000, idleEntries: 3 } });
    applier.apply([commandEntry(1, [open(1), open(2)], 10_000)]);
    for (let at = 2; at < 50; at++) applier.apply([commandEntry(at, [run(2, 1, [])], 11_000)]);
    expect(applier.sessions).toBe(2);
    applier.apply([commandEntry(50, [run(2, 1, [])], 11_001)]);
    expect(applier.sessions).toBe(1);
  });

  it('that was silent for longest goes when there are too many', () => {
    const { applier, opened } = counting({ limits: { maxSessions: 2 } });
    applier.apply([commandEntry(1, [open(1), open(2), run(1, 1, [add(1)]), open(3)])]);
    expect(opened.map(([, session]) => session)).toEqual([1, 2, 3]);
    expect([1, 2, 3].map((session) => applier.outcomeOf(session, 9)?.kind)).toEqual([
      undefined,
      'expired',
      undefined,
    ]);
  });

  it('keeps no more results than it may, and says when one is gone', () => {
    const { applier, heard } = counting({ limits: { maxResults: 2 } });
    applier.apply([commandEntry(1, [open(), run(1, 1, [add(1), add(1), add(1)])])]);
    expect(short(heard)).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    heard.length = 0;
    applier.apply([commandEntry(2, [run(1, 1, [add(1), add(1), add(1)])])]);
    expect(short(heard)).toEqual([
      [1, 'forgotten'],
      [2, 2],
      [3, 3],
    ]);
    expect(applier.query(null)).toBe(3);
  });

  it('keeps no results of what is settled', () => {
    const { applier } = counting();
    const commands = Array.from({ length: 100 }, () => add(1));
    applier.apply([commandEntry(1, [open(), run(1, 1, commands)]), commandEntry(2, [run(1, 101, [], 99)])]);
    expect(applier.outcomeOf(1, 99)).toEqual({ kind: 'forgotten' });
    expect(applier.outcomeOf(1, 100)).toMatchObject({ kind: 'applied', result: 100 });
    expect(applier.outcomeOf(1, 101)).toBeUndefined();
  });
});

describe('the context of a command', () => {
  it('is the same on all members: time that never goes back, chance by place', () => {
    const seen: unknown[][] = [];
    const recording = () =>
      machine({
        signature: 'recording/1',
        initial: () => ({}),
        apply(_state: object, _command: null, { index, term, now, random }) {
          return [index, term, now, random(), random()];
        },
      });
    for (let member = 0; member < 2; member++) {
      const results: unknown[] = [];
      const applier = createApplier({
        machine: recording(),
        guard: true,
        observer: {
          wants: () => true,
          outcome: (_session, _sequence, outcome) =>
            outcome.kind === 'applied' && results.push(outcome.result),
        },
      });
      applier.apply([
        commandEntry(1, [open(), run(1, 1, [null, null])], 5_000),
        commandEntry(2, [run(1, 3, [null])], 4_000),
        commandEntry(3, [run(1, 4, [null])], 6_000),
      ]);
      seen.push(results);
    }
    expect(seen[0]).toEqual(seen[1]);
    const all = seen[0] as number[][];
    expect(all.map((one) => one[2])).toEqual([5_000, 5_000, 5_000, 6_000]);
    const drawn = all.flatMap((one) => one.slice(3));
    expect(new Set(drawn).size).toBe(8);
    for (const number of drawn) expect(number >= 0 && number < 1).toBe(true);
  });
});

describe('a snapshot', () => {
  async function taken(options: Partial<ApplierTestOptions> = {}) {
    const { applier } = counting(options);
    applier.apply([commandEntry(1, [open(), run(1, 1, [add(5), add(6)])])]);
    const { position, chunks } = applier.snapshot();
    return { applier, position, chunks: await Array.fromAsync(chunks) };
  }

  it('holds state, sessions and time; a retry after it is not applied again', async () => {
    const { applier, position, chunks } = await taken();
    const other = counting();
    await other.applier.restore(position, from(chunks));
    expect(other.applier.applied).toEqual(position);
    expect(other.applier.nowMs).toBe(applier.nowMs);
    other.applier.apply([commandEntry(2, [run(1, 2, [add(6), add(1)])])]);
    expect(short(other.heard)).toEqual([
      [2, 11],
      [3, 12],
    ]);
    applier.apply([commandEntry(2, [run(1, 2, [add(6), add(1)])])]);
    expect(await other.applier.hash()).toEqual(await applier.hash());
  });

  it('without the session table ends what is under way: a session that is not known is refused', async () => {
    const { position, chunks } = await taken({ rules: { snapshotHoldsSessions: false } });
    const other = counting();
    await other.applier.restore(position, from(chunks));
    other.applier.apply([commandEntry(2, [run(1, 2, [add(6)])])]);
    expect(short(other.heard)).toEqual([[2, 'expired']]);
    expect(other.applier.query(null)).toBe(11);
  });

  it('without it, where none is refused, applies a retry twice: the mutant that the simulator must catch', async () => {
    const { position, chunks } = await taken({ rules: { snapshotHoldsSessions: false } });
    const other = counting({ rules: { refusesUnknownSessions: false } });
    await other.applier.restore(position, from(chunks));
    other.applier.apply([commandEntry(2, [run(1, 2, [add(6)])])]);
    expect(short(other.heard)).toEqual([[2, 17]]);
    expect(other.applier.query(null)).toBe(17);
  });

  it('is of the moment when it was taken, whatever is applied while it is read', async () => {
    const { applier } = counting();
    applier.apply([commandEntry(1, [open(), run(1, 1, [add(5)])])]);
    const { position, chunks } = applier.snapshot();
    applier.apply([commandEntry(2, [run(1, 2, [add(6)])])]);
    const other = counting();
    await other.applier.restore(position, chunks);
    expect(other.applier.query(null)).toBe(5);
    expect(other.applier.outcomeOf(1, 2)).toBeUndefined();
  });

  it('that ends early, or was changed, or is of another place or machine, is refused', async () => {
    const { position, chunks } = await taken();
    const whole = Buffer.concat(chunks);
    for (let length = 0; length < whole.length; length++) {
      const restoring = counting().applier.restore(position, from([whole.subarray(0, length)]));
      await expect(restoring).rejects.toThrow(SnapshotFormatError);
    }
    const longer = counting().applier.restore(position, from([whole, Uint8Array.of(0)]));
    await expect(longer).rejects.toThrow(SnapshotFormatError);
    const elsewhere = counting().applier.restore({ ...position, index: 2 as LogIndex }, from(chunks));
    await expect(elsewhere).rejects.toThrow(/at 1 of term 1, not at 2/);
    const other = createApplier({ machine: { ...Counter, signature: 'other/1' } });
    await expect(other.restore(position, from(chunks))).rejects.toThrow(
      /of machine mosaik.counter\/1, not other\/1/,
    );
  });

  it('is read the same however it is cut', async () => {
    const { position, chunks } = await taken();
    const bytes = [...Buffer.concat(chunks)].map((byte) => Uint8Array.of(byte));
    const other = counting();
    await other.applier.restore(position, from(bytes));
    expect(other.applier.query(null)).toBe(11);
  });

  it('is hashed with others running in between', async () => {
    let turns = 0;
    const yieldTo = (callback: () => void) => {
      turns++;
      callback();
    };
    const applier = createApplier({
      machine: Counter,
      runtime: { ...systemRuntime, yieldTo },
      chunkBytes: 10,
    });
    applier.apply([commandEntry(1, [open(), run(1, 1, [add(1)])])]);
    const count = (await Array.fromAsync(applier.snapshot().chunks)).length;
    const plain = createApplier({ machine: Counter, chunkBytes: 10 });
    plain.apply([commandEntry(1, [open(), run(1, 1, [add(1)])])]);
    expect(await applier.hash()).toEqual(await plain.hash());
    expect(count).toBeGreaterThan(3);
    expect(turns).toBe(count);
  });

  it('is hashed at two agreed indices at once, and left out at those that come meanwhile', async () => {
    const waiting: (() => void)[] = [];
    const runtime = { ...systemRuntime, yieldTo: (callback: () => void) => void waiting.push(callback) };
    const { applier, hashes } = counting({ hashEvery: 2, runtime });
    const apply = (...indices: number[]): void =>
      applier.apply(indices.map((index) => commandEntry(index, [])));
    const hashed = async (...indices: number[]): Promise<void> => {
      await vi.waitFor(() => expect(waiting).toHaveLength(indices.length), { interval: 1 });
      for (const resume of waiting.splice(0)) resume();
      await vi.waitFor(() => expect(hashes.splice(0).map(([index]) => index)).toEqual(indices), {
        interval: 1,
      });
    };
    apply(1, 2, 3, 4, 5, 6, 7, 8);
    await hashed(2, 4);
    apply(9, 10);
    await hashed(10);
  });

  it('is told the hash of at agreed indices, equal on members that are equal', async () => {
    const members = [counting({ hashEvery: 2 }), counting({ hashEvery: 2 })];
    for (const [at, { applier }] of members.entries()) {
      applier.apply([commandEntry(1, [open()]), commandEntry(2, [run(1, 1, [add(1)])])]);
      applier.apply([commandEntry(3, [run(1, 2, [add(at)])]), commandEntry(4, [])]);
      await applier.hash();
    }
    const [one, two] = members.map(({ hashes }) => hashes);
    expect(one?.map(([index]) => index)).toEqual([2, 4]);
    expect(one?.[0]).toEqual(two?.[0]);
    expect(one?.[1]).not.toEqual(two?.[1]);
  });
});

async function* from(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
