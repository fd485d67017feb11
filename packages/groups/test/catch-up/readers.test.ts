import { createWorld, type World } from '@mosaik/testing';
import { expect, it } from 'vitest';
import { Readers } from '../../src/catch-up/readers.ts';
import type { LogIndex, Term } from '../../src/raft/types.ts';
import { memory } from '../../src/storage/memory.ts';
import type { LogStorage } from '../../src/storage/storage.ts';

interface Shelf {
  readonly world: World;
  readonly readers: Readers;
  /** Puts a snapshot in force. */
  take(index: number): Promise<void>;
  /** Where the snapshot is that a member is given. */
  given(member: string): Promise<number | undefined>;
}

async function inShelf(test: (shelf: Shelf) => Promise<void>): Promise<void> {
  const world = createWorld({ seed: 1 });
  await world.run(async () => {
    const log = await memory().open({ group: 'g' as never, runtime: world.runtime });
    const readers = new Readers(world.runtime, log);
    await test({
      world,
      readers,
      take: (index) => takeSnapshot(log, index),
      given: async (member) => (await readers.newest(member))?.meta.index,
    });
  });
}

async function takeSnapshot(log: LogStorage, index: number): Promise<void> {
  const meta = {
    index: index as LogIndex,
    term: 1 as Term,
    configuration: { voters: [], learners: [] },
  };
  const stage = await log.stageSnapshot(meta);
  await stage.write(Uint8Array.of(index));
  await stage.commit();
}

it('a snapshot that a member reads stays, however many come after it', () =>
  inShelf(async ({ readers, take, given }) => {
    await take(1);
    expect(await given('slow')).toBe(1);
    for (let index = 2; index < 20; index++) {
      await take(index);
      expect(await given('other')).toBe(index);
    }
    const reader = await readers.at(1 as LogIndex, 'slow');
    expect(await reader?.read(0)).toEqual(Uint8Array.of(1));
  }));

it('while three are read, others are given the newest of them', () =>
  inShelf(async ({ world, readers, take, given }) => {
    for (const [place, member] of ['a', 'b', 'c'].entries()) {
      await take(place + 1);
      expect(await given(member)).toBe(place + 1);
    }
    await take(4);
    expect(await given('d')).toBe(3);
    // The first has had what it asked for, and has not come back.
    await world.sleep(40_000);
    for (const [index, member] of [[2, 'b'] as const, [3, 'c'] as const])
      expect(await readers.at(index as LogIndex, member)).toBeDefined();
    await world.sleep(40_000);
    expect(await given('d')).toBe(4);
    expect(await readers.at(1 as LogIndex, 'a')).toBeUndefined();
  }));
