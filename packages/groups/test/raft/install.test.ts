import { expect, it } from 'vitest';
import { createRaft } from '../../src/raft/create.ts';
import { memory } from '../../src/storage/memory.ts';
import { at, configuration, entry, id, inTerm } from './cluster.ts';

it('a snapshot amid entries that replace others in the same output leaves a write that the log can take', async () => {
  const founded = { index: at(0), term: inTerm(0), configuration: configuration('abc') };
  const hardState = { term: inTerm(2), vote: undefined };
  const entries = [entry(1, 1), entry(2, 1), entry(3, 2), entry(4, 2), entry(5, 2)];
  await using log = await memory().open({
    group: 'g' as never,
    runtime: { randomBytes: (n) => new Uint8Array(n) },
  });
  await log.append({ hardState, entries });

  const raft = createRaft({
    id: id('a'),
    random: () => 0,
    stored: { snapshot: founded, hardState, entries },
  });
  raft.takeOutput();
  raft.step({
    type: 'append',
    from: id('b'),
    to: id('a'),
    term: inTerm(3),
    previous: { index: at(2), term: inTerm(1) },
    entries: [entry(3, 3), entry(4, 3), entry(5, 3), entry(6, 3)],
    commit: at(2),
  });
  const meta = { ...founded, index: at(4), term: inTerm(3) };
  expect(raft.installSnapshot(meta, inTerm(3))).toBe(true);
  const { persist } = raft.takeOutput();
  expect(persist).toMatchObject({ snapshot: meta, truncateFrom: 5, entries: [{ index: 5 }, { index: 6 }] });

  const stage = await log.stageSnapshot(meta);
  await stage.commit();
  await log.append({ truncateFrom: persist?.truncateFrom, entries: persist?.entries });
  expect(await log.read({ from: at(5), to: at(6) })).toEqual([entry(5, 3), entry(6, 3)]);
});
