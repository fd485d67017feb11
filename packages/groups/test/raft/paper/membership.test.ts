// Dissertation chapter 4, with the fix of 2015 for changes of one server at a time; §3.10. Named by what these say.

import { describe, expect, it } from 'vitest';
import { type Cluster, configuration, founded, id, ids } from '../cluster.ts';

function change(cluster: Cluster, leader: string, voters: string, learners = '') {
  return cluster.input(leader, (raft) => raft.proposeConfiguration(configuration(voters, learners)));
}

describe('§4.1 safety', () => {
  it('a configuration is in force from the moment that it is in the log', () => {
    const cluster = founded('abc');
    cluster.elect('a');
    cluster.add('d', {});
    expect(change(cluster, 'a', 'abcd').ok).toBe(true);
    expect(cluster.raft('a').status.configuration).toMatchObject({ index: 2, isCommitted: false });
    // Two of four are no majority any more.
    cluster.separate('a', 'cd');
    cluster.deliver();
    expect(cluster.raft('a').status.commit).toBe(1);
  });

  it('only one voter comes or goes at a time', () => {
    const cluster = founded('abc');
    cluster.elect('a');
    expect(change(cluster, 'a', 'a')).toMatchObject({ ok: false, reason: 'notOneVoter' });
    expect(change(cluster, 'a', 'abd')).toMatchObject({ ok: false, reason: 'notOneVoter' });
    expect(change(cluster, 'a', 'abcde')).toMatchObject({ ok: false, reason: 'notOneVoter' });
    expect(change(cluster, 'a', '')).toMatchObject({ ok: false, reason: 'noVoters' });
    expect(change(cluster, 'a', 'abc', 'defg').ok).toBe(true);
  });

  it('the next one waits until the last one is committed', () => {
    const cluster = founded('abc');
    cluster.elect('a');
    expect(change(cluster, 'a', 'abcd').ok).toBe(true);
    expect(change(cluster, 'a', 'abcde')).toMatchObject({ ok: false, reason: 'pending' });
    cluster.deliver();
    expect(change(cluster, 'a', 'abcde').ok).toBe(true);
  });

  it('the fix: none before an entry of the leader’s own term is committed', () => {
    const cluster = founded('abc');
    cluster.timeout('a');
    cluster.deliver(({ type }) => !type.startsWith('append'));
    expect(change(cluster, 'a', 'ab')).toMatchObject({ ok: false, reason: 'notEstablished' });
    cluster.deliver();
    expect(change(cluster, 'a', 'ab').ok).toBe(true);
  });

  it('a configuration that is truncated gives way to the one before', () => {
    const cluster = founded('abc');
    cluster.elect('a');
    change(cluster, 'a', 'ab');
    cluster.drop();
    cluster.separate('a', 'bc');
    cluster.pass(25);
    expect(cluster.leaders()).toHaveLength(1);
    expect(cluster.raft('a').status.configuration.configuration.voters).toEqual(ids('ab'));
    cluster.cut.clear();
    cluster.pass(3);
    expect(cluster.raft('a').status.configuration).toMatchObject({
      index: 0,
      configuration: configuration('abc'),
    });
  });

  it('what is not sorted, or names somebody twice, is refused', () => {
    const cluster = founded('ab');
    cluster.elect('a');
    const unsorted = { voters: [id('b'), id('a')], learners: [] };
    expect(cluster.input('a', (raft) => raft.proposeConfiguration(unsorted))).toMatchObject({
      reason: 'malformed',
    });
    expect(change(cluster, 'a', 'ab', 'a')).toMatchObject({ reason: 'malformed' });
  });
});

describe('§4.2.1 catching up new servers', () => {
  it('a learner gets the log, counts in no quorum, and does not stand', () => {
    const cluster = founded('ab');
    cluster.elect('a');
    cluster.add('c', {});
    change(cluster, 'a', 'ab', 'c');
    cluster.deliver();
    expect(cluster.node('c').terms()).toEqual([1, 1]);
    cluster.separate('b', 'ac');
    cluster.input('a', (raft) => raft.propose([new Uint8Array(1)]));
    cluster.deliver();
    expect(cluster.raft('c').status.lastIndex).toBe(3);
    expect(cluster.raft('a').status.commit).toBe(2);
    cluster.tick('c', 100);
    expect(cluster.raft('c').status).toMatchObject({ role: 'follower', term: 1 });
  });

  it('a learner that a candidate’s newer configuration names a voter answers, or the group could be wedged', () => {
    const cluster = founded('ab');
    cluster.elect('a');
    cluster.add('c', {});
    change(cluster, 'a', 'ab', 'c');
    cluster.deliver();
    // The promotion of c reaches b only. Then a is gone: b needs c, which takes itself for a learner.
    change(cluster, 'a', 'abc');
    cluster.deliver(({ from, to }) => from !== 'c' && to !== 'c');
    cluster.drop();
    cluster.separate('a', 'bc');
    expect(cluster.raft('c').status.configuration.configuration.learners).toEqual(ids('c'));
    cluster.pass(40);
    expect(cluster.leaders()).toContain('b');
    expect(cluster.raft('b').status.commit).toBe(4);
  });
});

describe('§4.2.2 removing the current leader', () => {
  it('it leads until the entry is committed, does not count itself, and then steps down', () => {
    const cluster = founded('abc');
    cluster.elect('a');
    change(cluster, 'a', 'bc');
    expect(cluster.raft('a').status.role).toBe('leader');
    cluster.deliver(({ from, to }) => from !== 'c' && to !== 'c');
    expect(cluster.raft('a').status.commit).toBe(1);
    cluster.deliver();
    expect(cluster.raft('a').status.role).toBe('follower');
    expect(cluster.leaders()).toHaveLength(1);
    cluster.pass(50);
    expect(cluster.leaders()).not.toContain('a');
  });

  it('a server that its own last configuration removes may have to lead for that to be committed', () => {
    const cluster = founded('ab');
    cluster.elect('a');
    change(cluster, 'a', 'b');
    cluster.drop();
    cluster.crash('a');
    cluster.pass(40);
    // b lacks the entry, so a does not vote for it; a has to bring it.
    expect(cluster.raft('b').status.configuration).toMatchObject({
      configuration: configuration('b'),
      isCommitted: true,
    });
    expect(cluster.leaders()).toEqual(['b']);
  });

  it('a removed follower is told, and does not stand any more', () => {
    const cluster = founded('abc');
    cluster.elect('a');
    change(cluster, 'a', 'ab');
    cluster.deliver();
    expect(cluster.raft('c').status.configuration).toMatchObject({
      configuration: configuration('ab'),
      isCommitted: true,
    });
    cluster.pass(60);
    expect(cluster.raft('c').status).toMatchObject({ role: 'follower', leader: undefined, term: 1 });
    expect(cluster.leaders()).toEqual(['a']);
  });
});

describe('§3.10 leadership transfer', () => {
  it('the leader stops taking proposals, brings the heir up to date, and tells it to stand', () => {
    const cluster = founded('abc');
    cluster.elect('a');
    cluster.input('a', (raft) => raft.transferLeadership(id('c')));
    expect(cluster.input('a', (raft) => raft.propose([new Uint8Array(1)]))).toMatchObject({
      reason: 'transferring',
    });
    cluster.deliver();
    expect(cluster.leaders()).toEqual(['c']);
  });

  it('if the heir does not take over within an election timeout, the leader goes on', () => {
    const cluster = founded('abc');
    cluster.elect('a');
    cluster.separate('c', 'ab');
    cluster.input('a', (raft) => raft.transferLeadership(id('c')));
    cluster.pass(9);
    expect(cluster.raft('a').status.transferee).toBe('c');
    cluster.pass(1);
    expect(cluster.raft('a').status.transferee).toBeUndefined();
    expect(cluster.input('a', (raft) => raft.propose([new Uint8Array(1)])).ok).toBe(true);
  });

  it('goes to voters only', () => {
    const cluster = founded('ab');
    cluster.elect('a');
    change(cluster, 'a', 'ab', 'l');
    for (const to of ['a', 'l', 'x']) {
      const result = cluster.input('a', (raft) => raft.transferLeadership(id(to)));
      expect(result).toMatchObject({ ok: false, reason: 'notVoter' });
    }
  });
});

describe('preferences', () => {
  it('an observer never stands, also if it is named a voter; but it answers', () => {
    const cluster = founded('abc', { preference: 'observer' });
    cluster.pass(100);
    expect(cluster.leaders()).toEqual([]);
    expect(cluster.raft('a').status.term).toBe(0);
  });

  it('a reluctant member stands when nobody else did for three times as long', () => {
    const cluster = founded('a', { preference: 'reluctant' });
    cluster.tick('a', 29);
    expect(cluster.leaders()).toEqual([]);
    cluster.tick('a');
    expect(cluster.leaders()).toEqual(['a']);
  });
});
