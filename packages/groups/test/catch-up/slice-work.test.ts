import { expect, it } from 'vitest';
import type { Slice } from '../../src/catch-up/inquiries.ts';
import { SliceWork } from '../../src/catch-up/slice-work.ts';
import type { LogIndex } from '../../src/raft/types.ts';
import type { HeldRange } from '../../src/wire/messages.ts';
import { entriesFrom, TERM } from './pulling.ts';

it('who waits because too much has come ahead goes on when what is missing comes late', async () => {
  const to = 100_000;
  const held: HeldRange = {
    base: 0 as LogIndex,
    commit: to as LogIndex,
    term: TERM,
    snapshot: 0 as LogIndex,
  };
  const work = new SliceWork({ from: 1, to }, () => true);
  const got = (slice: Slice): void => work.got(slice, entriesFrom(slice.from, slice.to));
  const first = (await work.take(held)) as Slice;
  for (let count = 0; count < 17; count++) {
    const slice = (await work.take(held)) as Slice;
    got(slice);
    work.done(slice, true);
  }
  let next: Slice | undefined;
  const waiting = work.take(held).then((slice) => {
    next = slice;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(next).toBeUndefined();
  got(first);
  await waiting;
  expect(next?.from).toBe(work.next);
});
