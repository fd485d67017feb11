// Raft §5.3 to §5.5, §8, with figures 7 and 8; dissertation §6.4. Named by what these say.

import { describe, expect, it } from 'vitest';
import { at, bytes, Cluster, configuration, entry, founded, id, inTerm, logOf, text } from '../cluster.ts';

describe('§5.3 log replication', () => {
  it('the leader appends a command to its log, sends it to all, and applies it when a majority has stored it', () => {
    const cluster = founded('abc');
    cluster.elect('a');
    expect(cluster.input('a', (raft) => raft.propose([bytes('x')]))).toEqual({
      ok: true,
      term: 1,
      index: 2,
      count: 1,
    });
    expect(cluster.raft('a').status.commit).toBe(1);
    cluster.deliver(({ from, to }) => [from, to].every((each) => 'ab'.includes(each)));
    expect(cluster.raft('a').status.commit).toBe(2);
    expect(cluster.node('a').applied.map(({ data }) => text(data))).toEqual(['', 'x']);
  });

  it('only the leader takes proposals; others say who it is', () => {
    const cluster = founded('abc');
    cluster.elect('a');
    expect(cluster.input('b', (raft) => raft.propose([bytes('x')]))).toEqual({
      ok: false,
      reason: 'notLeader',
      leader: 'a',
    });
  });

  it('once a follower learns that an entry is committed, it applies it, in order', () => {
    const cluster = founded('abc');
    cluster.elect('a');
    cluster.input('a', (raft) => raft.propose(['x', 'y', 'z'].map(bytes)));
    cluster.deliver();
    for (const name of 'abc') {
      expect(cluster.node(name).applied.map(({ data }) => text(data))).toEqual(['', 'x', 'y', 'z']);
    }
  });

  it('if the follower does not find an entry with the same index and term, it refuses the new entries', () => {
    const cluster = new Cluster();
    cluster.add('a', { voters: 'ab', entries: logOf(1, 2, 2) });
    const append = { type: 'append', from: id('b'), to: id('a'), term: inTerm(3), commit: at(0) } as const;
    cluster.receive({ ...append, previous: { index: at(3), term: inTerm(3) }, entries: [entry(4, 3)] });
    cluster.receive({ ...append, previous: { index: at(9), term: inTerm(3) }, entries: [entry(10, 3)] });
    expect(cluster.wire).toMatchObject([{ rejection: { index: 3 } }, { rejection: { index: 9 } }]);
    expect(cluster.node('a').terms()).toEqual([1, 2, 2]);
  });

  it('conflicting entries in follower logs are overwritten with entries from the leader’s log', () => {
    const cluster = new Cluster();
    cluster.add('a', { voters: 'ab', entries: logOf(1, 2, 2, 2) });
    cluster.receive({
      type: 'append',
      from: id('b'),
      to: id('a'),
      term: inTerm(3),
      commit: at(0),
      previous: { index: at(1), term: inTerm(1) },
      entries: [entry(2, 3)],
    });
    expect(cluster.node('a').terms()).toEqual([1, 3]);
    expect(cluster.node('a').disk.log.entries.map(({ term }) => term)).toEqual([1, 3]);
  });

  it('an append that is late or doubled takes nothing away', () => {
    const cluster = new Cluster();
    cluster.add('a', { voters: 'ab', entries: logOf(1, 1, 1) });
    const late = {
      type: 'append',
      from: id('b'),
      to: id('a'),
      term: inTerm(1),
      commit: at(0),
      previous: { index: at(0), term: inTerm(0) },
      entries: logOf(1),
    } as const;
    cluster.receive(late);
    cluster.receive(late);
    expect(cluster.node('a').terms()).toEqual([1, 1, 1]);
  });

  it('an acknowledgement tells only what is durable', () => {
    const cluster = founded('abc');
    cluster.elect('a');
    cluster.hold('b');
    cluster.input('a', (raft) => raft.propose([bytes('x')]));
    cluster.deliver(({ to }) => to === 'b');
    expect(cluster.wire.filter(({ from }) => from === 'b')).toEqual([]);
    cluster.sync('b');
    expect(cluster.wire).toMatchObject(
      expect.arrayContaining([expect.objectContaining({ from: 'b', match: 2 })]),
    );
  });

  it('the leader’s own acknowledgement counts only when durable', () => {
    const cluster = founded('ab');
    cluster.elect('a');
    cluster.hold('a');
    cluster.input('a', (raft) => raft.propose([bytes('x')]));
    cluster.deliver();
    expect(cluster.raft('a').status.commit).toBe(1);
    cluster.sync('a');
    expect(cluster.raft('a').status.commit).toBe(2);
  });
});

describe('figure 7: the logs that a leader may find', () => {
  const leader = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
  const followers = {
    a: [1, 1, 1, 4, 4, 5, 5, 6, 6],
    b: [1, 1, 1, 4],
    c: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
    d: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
    e: [1, 1, 1, 4, 4, 4, 4],
    f: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
  };

  it('it brings all of them in line with its own, by the votes of those that may vote for it', () => {
    const cluster = new Cluster();
    const voters = 'labcdef';
    cluster.add('l', { voters, entries: logOf(...leader), term: 7 });
    for (const [name, terms] of Object.entries(followers))
      cluster.add(name, { voters, entries: logOf(...terms), term: 7 });
    cluster.elect('l');
    expect(cluster.leaders()).toEqual(['l']);
    cluster.pass(3);
    for (const name of voters) expect(cluster.node(name).terms(), name).toEqual([...leader, 8]);
    const granted = [...cluster.nodes.values()]
      .filter(({ raft }) => raft.status.vote === 'l')
      .map((node) => node.id);
    // (c) and (d) have more than the leader, in its last term or a later one.
    expect(granted).toEqual(['l', 'a', 'b', 'e', 'f']);
  });

  it('one rejection is enough to find where the logs of the leader and of (f) part', () => {
    const cluster = new Cluster();
    cluster.add('l', { voters: 'lf', entries: logOf(...leader), term: 7 });
    cluster.add('f', { voters: 'lf', entries: logOf(...followers.f), term: 7 });
    cluster.elect('l');
    cluster.pass(2);
    const answers = cluster.node('f').outputs.flatMap(({ messages }) => messages);
    expect(answers.filter((message) => message.type === 'appendResponse' && message.rejection)).toHaveLength(
      1,
    );
  });
});

describe('figure 8: a leader cannot commit by counting what is of an older term', () => {
  function untilC(): Cluster {
    const cluster = new Cluster();
    for (const name of '12345') cluster.add(name, { voters: '12345', entries: logOf(1) });
    // (a) S1 leads term 2, and gets its entry to S2 only.
    const [first, second, third, , fifth] = [...'12345'].map((name) => cluster.node(name));
    first!.disk.log.entries.push(entry(2, 2));
    second!.disk.log.entries.push(entry(2, 2));
    // (b) S5 is elected in term 3 by S3, S4 and itself, and has an entry of its own at index 2.
    fifth!.disk.log.entries.push(entry(2, 3));
    for (const node of [first, second, third, fifth])
      node!.disk.hardState = { term: inTerm(3), vote: undefined };
    for (const name of '12345') cluster.crash(name);
    // (c) S5 crashes; S1 is elected in term 4, and goes on with the replication of entry 2 to S3.
    cluster.separate('5', '1234');
    cluster.timeout('1');
    cluster.deliver(({ type }) => type !== 'append' && type !== 'appendResponse');
    expect(cluster.raft('1').status).toMatchObject({ role: 'leader', term: 4 });
    return cluster;
  }

  it('(d) so that entry 2, on a majority, can still be replaced by S5', () => {
    const cluster = untilC();
    const lead = cluster.raft('1');
    // What S1 had appended of term 4 reaches nobody; only entry 2 does.
    for (const name of ['2', '3']) {
      lead.step({ type: 'appendResponse', from: id(name), to: id('1'), term: inTerm(4), match: at(2) });
    }
    cluster.node('3').disk.log.entries.push(entry(2, 2));
    expect(lead.status.commit).toBe(0);
    cluster.crash('1');
    for (const name of '2345') cluster.crash(name);
    cluster.cut.clear();
    cluster.separate('1', '2345');
    // S5 asks for term 4, which the others know already; then for term 5, and its last entry is the newest there is.
    cluster.elect('5');
    cluster.elect('5');
    expect(cluster.leaders()).toEqual(['5']);
    for (const name of '2345') expect(cluster.node(name).terms()).toEqual([1, 3, 5]);
  });

  it('(e) but once an entry of term 4 is on a majority, S5 cannot win, and entry 2 is committed with it', () => {
    const cluster = untilC();
    cluster.deliver();
    expect(cluster.raft('1').status.commit).toBe(3);
    cluster.crash('1');
    cluster.cut.clear();
    cluster.separate('1', '2345');
    for (const name of '2345') cluster.tick(name, 10);
    cluster.drop();
    cluster.elect('5');
    expect(cluster.leaders()).toEqual([]);
  });
});

describe('§8 a new leader', () => {
  it('commits a blank no-op entry at the start of its term, and with it what came before', () => {
    const cluster = new Cluster();
    for (const name of 'abc') cluster.add(name, { voters: 'abc', entries: logOf(1, 1) });
    cluster.elect('a');
    expect(cluster.node('a').applied.map(({ kind }) => kind)).toEqual(['command', 'command', 'noop']);
  });
});

describe('§6.4 reads', () => {
  it('are not served before an entry of the own term is committed', () => {
    const cluster = founded('abc');
    cluster.timeout('a');
    cluster.deliver(({ type }) => !type.startsWith('append'));
    cluster.input('a', (raft) => raft.requestRead(1));
    cluster.tick('a');
    cluster.deliver(({ type }) => type.startsWith('heartbeat'));
    expect(readsOf(cluster, 'a')).toEqual([]);
    cluster.deliver();
    expect(readsOf(cluster, 'a')).toEqual([{ context: 1, index: 1 }]);
  });

  it('wait for a round of heartbeats that began after they came', () => {
    const cluster = founded('abc');
    cluster.elect('a');
    cluster.tick('a');
    cluster.input('a', (raft) => raft.requestRead(1));
    cluster.deliver((message) => message.type === 'heartbeat' && message.round === 0);
    cluster.deliver((message) => message.type === 'heartbeatResponse');
    expect(readsOf(cluster, 'a')).toEqual([]);
    cluster.deliver();
    expect(readsOf(cluster, 'a')).toEqual([{ context: 1, index: 1 }]);
  });

  it('are never served by a leader that is cut off: they are refused when it steps down', () => {
    const cluster = founded('abc');
    cluster.elect('a');
    cluster.separate('a', 'bc');
    cluster.input('a', (raft) => raft.requestRead(1));
    cluster.pass(30);
    expect(cluster.leaders()).not.toContain('a');
    expect(readsOf(cluster, 'a')).toEqual([]);
    expect(cluster.node('a').outputs.flatMap(({ refusedReads }) => refusedReads)).toEqual([1]);
  });

  it('a follower asks the leader for the index, and takes no answer to an earlier life of it', () => {
    const cluster = founded('abc');
    cluster.elect('a');
    cluster.input('b', (raft) => raft.requestRead(7));
    cluster.deliver();
    expect(readsOf(cluster, 'b')).toEqual([{ context: 7, index: 1 }]);
    cluster.receive({
      type: 'readResponse',
      from: id('a'),
      to: id('b'),
      term: inTerm(1),
      context: 8,
      epoch: 99,
      index: at(1),
    });
    expect(readsOf(cluster, 'b')).toHaveLength(1);
  });

  it('a lone voter confirms at once', () => {
    const cluster = founded('a');
    cluster.elect('a');
    cluster.input('a', (raft) => raft.requestRead(1));
    expect(readsOf(cluster, 'a')).toEqual([{ context: 1, index: 1 }]);
  });
});

describe('catching up', () => {
  it('a follower that needs what is in memory no more is told to get it elsewhere, and goes on from there', () => {
    const cluster = founded('abc', { retainedBytesMax: 0 });
    cluster.elect('a');
    cluster.separate('c', 'ab');
    cluster.input('a', (raft) => raft.propose(['x', 'y', 'z'].map(bytes)));
    cluster.deliver();
    cluster.cut.clear();
    cluster.pass(2);
    const needs = cluster.node('c').outputs.flatMap(({ catchUp }) => catchUp ?? []);
    expect(needs.at(-1)).toEqual({ from: 2, to: 4, leader: 'a' });
    const { entries } = cluster.node('b').disk.log;
    expect(cluster.input('c', (raft) => raft.catchUp({ entries, term: inTerm(1) }))).toBe(true);
    cluster.deliver();
    expect(cluster.raft('a').status.followers).toMatchObject([
      { id: 'b' },
      { id: 'c', state: 'replicate', match: 4 },
    ]);
    expect(cluster.node('c').applied.map(({ data }) => text(data))).toEqual(['', 'x', 'y', 'z']);
  });

  it('or a snapshot, which takes the place of the log, also of what contradicts it', () => {
    const cluster = new Cluster();
    const node = cluster.add('a', { voters: 'abc', entries: logOf(1, 1, 2, 2) });
    const meta = { index: at(3), term: inTerm(3), configuration: configuration('abd') };
    node.disk.staged.set(3, { meta, state: { index: 3, chain: 0 } });
    expect(cluster.input('a', (raft) => raft.installSnapshot(meta, inTerm(4)))).toBe(true);
    expect(node.disk.log).toEqual({ base: { index: 3, term: 3 }, entries: [] });
    expect(cluster.raft('a').status).toMatchObject({
      term: 4,
      commit: 3,
      lastIndex: 3,
      configuration: { configuration: configuration('abd') },
    });
    expect(cluster.input('a', (raft) => raft.installSnapshot(meta, inTerm(4)))).toBe(false);
  });
});

function readsOf(cluster: Cluster, name: string): unknown[] {
  return cluster.node(name).outputs.flatMap(({ reads }) => reads);
}
