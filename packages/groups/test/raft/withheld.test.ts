import { describe, expect, it } from 'vitest';
import type { Raft } from '../../src/raft/raft.ts';
import { at, bytes, founded, id, inTerm } from './cluster.ts';

/** A leader of three that has just committed entry 2, and was not asked for its output yet. */
function withCommitted(): Raft {
  const cluster = founded('abc');
  cluster.elect('a');
  const raft = cluster.raft('a');
  raft.propose([bytes('x')]);
  const { persist } = raft.takeOutput();
  if (persist) raft.persisted(persist.token);
  raft.step({ type: 'appendResponse', from: id('b'), to: id('a'), term: inTerm(1), match: at(2) });
  return raft;
}

describe('a commit index that is withheld', () => {
  it('costs no message of its own, and is told with the next entries', () => {
    const raft = withCommitted();
    const withheld = raft.takeOutput({ withholdsCommit: true });
    expect(withheld.committed.map(({ index }) => index)).toEqual([2]);
    expect(withheld).toMatchObject({ messages: [], isCommitWithheld: true });
    raft.propose([bytes('y')]);
    const next = raft.takeOutput({ withholdsCommit: true });
    expect(next.messages).toMatchObject(
      ['b', 'c'].map((to) => ({ type: 'append', to, commit: 2, entries: [{ index: 3 }] })),
    );
    expect(next.isCommitWithheld).toBe(false);
  });

  it('is told by the next output that withholds nothing, once', () => {
    const raft = withCommitted();
    raft.takeOutput({ withholdsCommit: true });
    const told = raft.takeOutput();
    expect(told.messages).toMatchObject(
      ['b', 'c'].map((to) => ({ type: 'append', to, commit: 2, entries: [] })),
    );
    expect(told.isCommitWithheld).toBe(false);
    expect(raft.takeOutput()).toMatchObject({ messages: [], isCommitWithheld: false });
  });

  it('goes with a heartbeat, whatever the driver forgets', () => {
    const raft = withCommitted();
    raft.takeOutput({ withholdsCommit: true });
    raft.tick();
    const { messages, isCommitWithheld } = raft.takeOutput({ withholdsCommit: true });
    expect(messages.filter(({ type }) => type === 'heartbeat')).toMatchObject([{ commit: 2 }, { commit: 2 }]);
    expect(isCommitWithheld).toBe(false);
  });
});
