// Raft §5.1, §5.2 and §5.4.1; dissertation §4.2.3 and §9.6. Named by what these say.

import { describe, expect, it } from 'vitest';
import { createRaft } from '../../../src/raft/create.ts';
import type { Message } from '../../../src/raft/messages.ts';
import { at, Cluster, configuration, entry, founded, id, inTerm } from '../cluster.ts';

describe('§5.1 terms', () => {
  it('a server with a smaller term takes the larger one', () => {
    const cluster = founded('abc');
    cluster.receive({
      type: 'heartbeat',
      from: id('b'),
      to: id('a'),
      term: inTerm(7),
      commit: at(0),
      round: 0,
    });
    expect(cluster.raft('a').status.term).toBe(7);
    expect(cluster.node('a').disk.hardState.term).toBe(7);
  });

  it('a candidate or leader that discovers that its term is out of date reverts to follower', () => {
    const cluster = founded('abc');
    cluster.elect('a');
    cluster.receive({
      type: 'heartbeat',
      from: id('b'),
      to: id('a'),
      term: inTerm(9),
      commit: at(0),
      round: 0,
    });
    expect(cluster.raft('a').status).toMatchObject({ role: 'follower', leader: 'b', term: 9 });
  });

  it('a request with a stale term is rejected, and its sender learns the newer one', () => {
    const cluster = founded('abc');
    cluster.elect('a');
    const heartbeat = {
      type: 'heartbeat',
      from: id('b'),
      to: id('c'),
      term: inTerm(0),
      commit: at(0),
      round: 0,
    } as const;
    cluster.receive(heartbeat);
    expect(cluster.raft('c').status.leader).toBe('a');
    expect(cluster.wire).toMatchObject([{ type: 'appendResponse', to: 'b', term: 1 }]);
  });
});

describe('§5.2 leader election', () => {
  it('servers begin as followers', () => {
    expect(founded('abc').raft('a').status).toMatchObject({ role: 'follower', term: 0, leader: undefined });
  });

  it('a follower that hears nothing for an election timeout begins an election, and votes for itself', () => {
    const cluster = founded('abc');
    cluster.tick('a', 9);
    expect(cluster.raft('a').status.role).toBe('follower');
    cluster.tick('a');
    cluster.deliver(({ type }) => type === 'preVoteRequest' || type === 'preVoteResponse');
    expect(cluster.raft('a').status).toMatchObject({ role: 'candidate', term: 1, vote: 'a' });
    expect(cluster.wire.map(({ type, to }) => `${type} ${to}`)).toEqual(['voteRequest b', 'voteRequest c']);
  });

  it('the election timeout is drawn anew from [T, 2T) each time', () => {
    const drawn = [0.5, 0.999, 0, 0.25];
    const raft = createRaft({
      id: id('a'),
      random: () => drawn.shift()!,
      stored: { snapshot: { index: at(0), term: inTerm(0), configuration: configuration('abc') } },
    });
    const waits: number[] = [];
    for (let ticks = 1; waits.length < 3; ticks++) {
      raft.tick();
      const isAsking = raft.takeOutput().messages.length > 0;
      if (isAsking) waits.push(ticks);
    }
    // The first number is for the epoch of reads.
    expect(waits).toEqual([19, 29, 41]);
  });

  it.each(['abc', 'abcde', 'abcdefg'])(
    'a candidate wins with the votes of a majority of %s, and no fewer',
    (names) => {
      const cluster = founded(names);
      cluster.timeout('a');
      cluster.deliver(({ type }) => type.startsWith('preVote'));
      const needed = Math.floor(names.length / 2);
      for (const voter of [...names.slice(1)].slice(0, needed)) {
        expect(cluster.raft('a').status.role).toBe('candidate');
        cluster.receive({
          type: 'voteResponse',
          from: id(voter),
          to: id('a'),
          term: inTerm(1),
          granted: true,
        });
      }
      expect(cluster.raft('a').status.role).toBe('leader');
    },
  );

  it('each voter counts once, however often its answer arrives', () => {
    const cluster = founded('abcde');
    cluster.timeout('a');
    cluster.deliver(({ type }) => type.startsWith('preVote'));
    const yes = { type: 'voteResponse', from: id('b'), to: id('a'), term: inTerm(1), granted: true } as const;
    for (let count = 0; count < 5; count++) cluster.receive(yes);
    expect(cluster.raft('a').status.role).toBe('candidate');
  });

  it('each server votes for at most one candidate in a term, first come first served; also after a crash', () => {
    const cluster = founded('abc');
    const ask = (from: string) =>
      cluster.receive({
        type: 'voteRequest',
        from: id(from),
        to: id('a'),
        term: inTerm(1),
        last: { index: at(0), term: inTerm(0) },
        isTransfer: false,
      });
    ask('b');
    ask('c');
    cluster.crash('a');
    ask('c');
    ask('b');
    const votes = cluster.node('a').outputs.flatMap(({ messages }) => messages);
    expect(votes.map((vote) => [vote.to, vote.type === 'voteResponse' && vote.granted])).toEqual([
      ['b', true],
      ['c', false],
      ['c', false],
      ['b', true],
    ]);
  });

  it('a vote leaves only once it is durable', () => {
    const cluster = founded('abc');
    cluster.hold('b');
    cluster.timeout('a');
    cluster.deliver(({ to, from }) => to === 'b' || from === 'b');
    expect(cluster.wire.filter(({ type }) => type === 'voteResponse')).toEqual([]);
    cluster.sync('b');
    expect(cluster.wire).toMatchObject(
      expect.arrayContaining([expect.objectContaining({ type: 'voteResponse', granted: true })]),
    );
  });

  it('a candidate does not count its own vote before that is durable', () => {
    const cluster = founded('a');
    cluster.hold('a');
    cluster.timeout('a');
    expect(cluster.raft('a').status.role).toBe('candidate');
    cluster.sync('a');
    expect(cluster.raft('a').status.role).toBe('leader');
  });

  it('a candidate that hears from a leader of its term returns to follower', () => {
    const cluster = founded('abc');
    cluster.timeout('a');
    cluster.deliver(({ type }) => type.startsWith('preVote'));
    cluster.receive({
      type: 'heartbeat',
      from: id('b'),
      to: id('a'),
      term: inTerm(1),
      commit: at(0),
      round: 0,
    });
    expect(cluster.raft('a').status).toMatchObject({ role: 'follower', leader: 'b' });
  });

  it('votes split, and a new election follows after another timeout', () => {
    const cluster = founded('abcd');
    cluster.timeout('a');
    cluster.timeout('b');
    cluster.deliver(({ type }) => type.startsWith('preVote'));
    const isWithin = (pair: string) => (message: Message) =>
      pair.includes(message.from) && pair.includes(message.to);
    cluster.deliver(isWithin('ac'));
    cluster.deliver(isWithin('bd'));
    cluster.deliver();
    expect(cluster.leaders()).toEqual([]);
    cluster.elect('a');
    expect(cluster.leaders()).toEqual(['a']);
    expect(cluster.raft('a').status.term).toBe(2);
  });
});

describe('§5.4.1 election restriction', () => {
  const cases = [
    { mine: [1, 1], theirs: [1, 1], granted: true, why: 'equal logs' },
    { mine: [1], theirs: [1, 1], granted: true, why: 'the longer log of the same last term' },
    { mine: [1, 1], theirs: [1], granted: false, why: 'a shorter log of the same last term' },
    { mine: [1, 1, 1], theirs: [2], granted: true, why: 'a later last term, though shorter' },
    { mine: [2], theirs: [1, 1, 1], granted: false, why: 'an earlier last term, though longer' },
  ];
  it.each(cases)('the voter looks for the more up-to-date log: $why', ({ mine, theirs, granted }) => {
    const cluster = new Cluster();
    cluster.add('a', { voters: 'ab', entries: mine.map((term, place) => entry(place + 1, term)) });
    const last = { index: at(theirs.length), term: inTerm(theirs.at(-1)!) };
    for (const type of ['preVoteRequest', 'voteRequest'] as const) {
      cluster.receive({ type, from: id('b'), to: id('a'), term: inTerm(5), last, isTransfer: false });
    }
    expect(cluster.wire).toMatchObject([{ granted }, { granted }]);
  });
});

describe('§9.6 pre-vote', () => {
  it('a member that was cut off does not raise its term, and does not disturb when it is back', () => {
    const cluster = founded('abc');
    cluster.elect('a');
    cluster.separate('c', 'ab');
    cluster.pass(100);
    expect(cluster.raft('c').status.term).toBe(1);
    cluster.cut.clear();
    cluster.pass(3);
    expect(cluster.leaders()).toEqual(['a']);
    expect(cluster.raft('a').status.term).toBe(1);
    expect(cluster.raft('c').status.leader).toBe('a');
  });

  it('a granted pre-vote promises nothing: it changes neither term nor vote, and is not written', () => {
    const cluster = founded('abc');
    cluster.timeout('b');
    cluster.deliver(({ type }) => type === 'preVoteRequest');
    expect(cluster.raft('a').status).toMatchObject({ term: 0, vote: undefined });
    expect(cluster.node('a').outputs.every(({ persist }) => persist === undefined)).toBe(true);
  });

  it('with check-quorum a member that stands at a higher term without a quorum is not stuck there', () => {
    const cluster = founded('abc');
    cluster.elect('a');
    // It became a candidate by itself, as all that it asked were lost after the pre-vote.
    cluster.tick('a');
    cluster.deliver();
    cluster.separate('c', 'ab');
    cluster.raft('c').step({ type: 'timeoutNow', from: id('a'), to: id('c'), term: inTerm(1) });
    cluster.tick('c');
    expect(cluster.raft('c').status).toMatchObject({ role: 'candidate', term: 2 });
    cluster.drop();
    cluster.cut.clear();
    cluster.pass(40);
    expect(cluster.leaders()).toHaveLength(1);
    expect(new Set([...cluster.nodes.values()].map(({ raft }) => raft.status.term)).size).toBe(1);
  });
});

describe('§4.2.3 disruptive servers', () => {
  it('a server that hears from a leader within the minimum election timeout neither votes nor takes the term', () => {
    const cluster = founded('abc');
    cluster.elect('a');
    const last = { index: at(99), term: inTerm(9) };
    for (const to of ['a', 'b'].map(id)) {
      cluster.receive({ type: 'voteRequest', from: id('x'), to, term: inTerm(9), last, isTransfer: false });
      cluster.receive({ type: 'preVoteRequest', from: id('x'), to, term: inTerm(9), last });
    }
    expect(cluster.wire).toEqual([]);
    expect(cluster.raft('b').status).toMatchObject({ term: 1, leader: 'a' });
    expect(cluster.raft('a').status.role).toBe('leader');
  });

  it('§3.10 but it answers when the leader asked for the election itself', () => {
    const cluster = founded('abc');
    cluster.elect('a');
    cluster.input('a', (raft) => raft.transferLeadership(id('b')));
    cluster.deliver();
    expect(cluster.leaders()).toEqual(['b']);
    expect(cluster.raft('b').status.term).toBe(2);
  });
});

describe('§6.2 check-quorum', () => {
  it('a leader steps down if an election timeout elapses without a round of heartbeats to a majority', () => {
    const cluster = founded('abc');
    cluster.elect('a');
    cluster.separate('a', 'bc');
    cluster.pass(9);
    expect(cluster.leaders()).toContain('a');
    cluster.pass(1);
    expect(cluster.raft('a').status).toMatchObject({ role: 'follower', leader: undefined });
  });
});
