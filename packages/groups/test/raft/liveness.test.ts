import { describe, expect, it } from 'vitest';
import { bytes, type Cluster, founded, id } from './cluster.ts';

/** A cluster whose members do not all have the same luck. */
function led(names: string): Cluster {
  const cluster = founded(names);
  cluster.elect(names[0]!);
  expect(cluster.leaders()).toEqual([names[0]]);
  return cluster;
}

function serves(cluster: Cluster, leader: string): boolean {
  const before = cluster.raft(leader).status.commit;
  cluster.input(leader, (raft) => raft.propose([bytes('x')]));
  cluster.pass(2);
  return cluster.raft(leader).status.applied > before;
}

describe('pre-vote together with check-quorum', () => {
  it('finds a leader when the only one that all reach has the shorter log', () => {
    const cluster = led('abc');
    cluster.separate('c', 'ab');
    cluster.input('a', (raft) => raft.propose([bytes('x')]));
    cluster.pass(2);
    cluster.cut.clear();
    // Now a and b do not hear each other: b and a are both up to date, c is not.
    cluster.separate('a', 'b');
    cluster.pass(60);
    expect(cluster.leaders()).toHaveLength(1);
    expect(serves(cluster, cluster.leaders()[0]!)).toBe(true);
  });

  it('a member that was cut off, and others that wait for it, agree again without a change of leader', () => {
    const cluster = led('abcde');
    cluster.separate('de', 'abc');
    cluster.pass(100);
    cluster.cut.clear();
    cluster.pass(20);
    expect(cluster.leaders()).toEqual(['a']);
    expect(cluster.raft('e').status).toMatchObject({ leader: 'a', term: 1 });
  });

  it('when all were cut off from each other', () => {
    const cluster = led('abc');
    for (const name of 'abc') cluster.separate(name, 'abc');
    cluster.pass(100);
    expect(cluster.leaders()).toEqual([]);
    cluster.cut.clear();
    cluster.pass(30);
    expect(cluster.leaders()).toHaveLength(1);
  });
});

describe('a pre-vote that was asked for too early', () => {
  it('is asked for again as soon as somebody stands whose log is shorter', () => {
    const cluster = led('abc');
    cluster.separate('c', 'ab');
    cluster.input('a', (raft) => raft.propose([bytes('x')]));
    cluster.deliver();
    cluster.cut.clear();
    cluster.separate('a', 'bc');
    cluster.timeout('b');
    cluster.deliver();
    // c has heard of a just now, and does not answer.
    expect(cluster.raft('b').status.role).toBe('preCandidate');
    cluster.timeout('c');
    cluster.deliver();
    // Without any more time for b to pass.
    expect(cluster.raft('b').status.role).toBe('leader');
    expect(cluster.raft('c').status.leader).toBe('b');
  });
});

describe('a disk that stalls', () => {
  it('a leader’s makes it hand over to a member that can write', () => {
    const cluster = led('abc');
    cluster.hold('a');
    cluster.input('a', (raft) => raft.propose([bytes('x')]));
    cluster.pass(25);
    const [leader] = cluster.leaders().filter((name) => name !== 'a');
    expect(leader).toBeDefined();
    expect(cluster.raft(leader!).status.commit).toBeGreaterThan(2);
    cluster.sync('a');
    cluster.pass(5);
    expect(cluster.leaders()).toEqual([leader]);
    expect(cluster.raft('a').status.applied).toBe(cluster.raft(leader!).status.applied);
  });

  it('a follower’s does not hold up the others, nor is the follower taken for dead', () => {
    const cluster = led('abc');
    cluster.hold('c');
    for (let round = 0; round < 20; round++) expect(serves(cluster, 'a')).toBe(true);
    const [, c] = cluster.raft('a').status.followers;
    expect(c).toMatchObject({ id: 'c', match: 1 });
    expect(c!.silentTicks).toBeLessThan(3);
    cluster.sync('c');
    cluster.pass(2);
    expect(cluster.raft('c').status.applied).toBe(cluster.raft('a').status.applied);
  });

  it('one that stalls stands for nothing', () => {
    const cluster = led('abc');
    cluster.hold('c');
    cluster.input('a', (raft) => raft.propose([bytes('x')]));
    cluster.deliver();
    cluster.separate('ab', 'c');
    cluster.tick('c', 100);
    expect(cluster.raft('c').status).toMatchObject({ role: 'follower', term: 1 });
  });
});

describe('a member that can hear but not speak', () => {
  it('as a follower is a follower, and disturbs nobody', () => {
    const cluster = led('abc');
    cluster.separate('c', 'ab', '>');
    cluster.pass(100);
    expect(cluster.leaders()).toEqual(['a']);
    expect(serves(cluster, 'a')).toBe(true);
    expect(cluster.raft('c').status).toMatchObject({ leader: 'a', term: 1 });
  });

  it('as the leader is replaced, and knows it', () => {
    const cluster = led('abc');
    cluster.separate('a', 'bc', '>');
    cluster.pass(40);
    const [leader] = cluster.leaders();
    expect(cluster.leaders()).toHaveLength(1);
    expect(leader).not.toBe('a');
    expect(cluster.raft('a').status.leader).toBe(leader);
  });
});

describe('a member that can speak but not hear', () => {
  it('as a follower asks for votes in vain, without end', () => {
    const cluster = led('abc');
    cluster.separate('ab', 'c', '>');
    cluster.pass(200);
    expect(cluster.leaders()).toEqual(['a']);
    expect(cluster.raft('a').status.term).toBe(1);
    expect(serves(cluster, 'a')).toBe(true);
  });

  it('as the leader steps down, so that its heartbeats hold nobody back', () => {
    const cluster = led('abc');
    cluster.separate('bc', 'a', '>');
    cluster.pass(40);
    const [leader] = cluster.leaders();
    expect(cluster.leaders()).toHaveLength(1);
    expect(leader).not.toBe('a');
    expect(serves(cluster, leader!)).toBe(true);
  });
});

describe('two members that reach each other only by way of a third', () => {
  it('keep the leader that one of them cannot reach', () => {
    const cluster = led('abc');
    cluster.separate('a', 'c');
    cluster.pass(100);
    expect(cluster.leaders()).toEqual(['a']);
    expect(cluster.raft('b').status.leader).toBe(id('a'));
  });
});
