import { describe, expect, it } from 'vitest';
import { createRaft } from '../../src/raft/create.ts';
import type { AppendRequest, Message } from '../../src/raft/messages.ts';
import { at, bytes, Cluster, configuration, founded, id, inTerm, logOf } from './cluster.ts';

/** Entries count their data and 32 bytes. */
const sizeOfX = 33;

describe('what is bounded', () => {
  it('an append has as many entries as fit, and one at least', () => {
    const cluster = founded('ab', { appendBytesMax: 3 * sizeOfX });
    cluster.elect('a');
    cluster.input('a', (raft) => raft.propose([...'vwxyz'].map(bytes)));
    cluster.input('a', (raft) => raft.propose([new Uint8Array(1000)]));
    expect(sizesOf(cluster)).toEqual([3, 2, 1]);
  });

  it('a follower gets no more messages than its window has room for, until it acknowledges', () => {
    const cluster = founded('ab', { inflightMessagesMax: 2 });
    cluster.elect('a');
    for (const content of 'vwxyz') cluster.input('a', (raft) => raft.propose([bytes(content)]));
    expect(sizesOf(cluster)).toEqual([1, 1]);
    cluster.deliver();
    expect(cluster.raft('b').status.applied).toBe(6);
  });

  it('nor more bytes', () => {
    const cluster = founded('ab', { inflightBytesMax: 2 * sizeOfX });
    cluster.elect('a');
    for (const content of 'vwxyz') cluster.input('a', (raft) => raft.propose([bytes(content)]));
    expect(sizesOf(cluster)).toEqual([1, 1]);
  });

  it('a leader whose machine is behind refuses proposals, and takes them again', () => {
    const snapshot = { index: at(0), term: inTerm(0), configuration: configuration('a') };
    const raft = createRaft({ id: id('a'), random: () => 0, stored: { snapshot }, unappliedBytesMax: 100 });
    const pump = (isApplying: boolean): void => {
      for (let rounds = 0; rounds < 10; rounds++) {
        const { persist, committed } = raft.takeOutput();
        if (persist) raft.persisted(persist.token);
        const last = committed.at(-1);
        if (last && isApplying) raft.appliedTo(last.index);
      }
    };
    for (let ticks = 0; ticks < 10; ticks++) raft.tick();
    pump(true);
    expect(raft.propose([new Uint8Array(200)]).ok).toBe(true);
    pump(false);
    expect(raft.propose([bytes('x')])).toEqual({ ok: false, reason: 'overloaded', leader: 'a' });
    raft.appliedTo(at(2));
    expect(raft.propose([bytes('x')]).ok).toBe(true);
  });

  it('reads under way', () => {
    const cluster = founded('abc', { readsMax: 2 });
    cluster.elect('a');
    const results = [1, 2, 3].map((context) => cluster.input('a', (raft) => raft.requestRead(context)));
    expect(results.map(({ ok }) => ok)).toEqual([true, true, false]);
    expect(results[2]).toMatchObject({ reason: 'tooMany' });
    cluster.deliver();
    expect(cluster.input('a', (raft) => raft.requestRead(4)).ok).toBe(true);
  });

  it('messages that wait for a disk that does not come back', () => {
    const cluster = founded('abc');
    cluster.hold('b');
    for (let round = 1; round <= 3000; round++) {
      cluster.receive({
        type: 'heartbeat',
        from: id('a'),
        to: id('b'),
        term: inTerm(1),
        commit: at(0),
        round,
      });
    }
    expect(cluster.wire).toEqual([]);
    cluster.sync('b');
    expect(cluster.wire).toHaveLength(1024);
    expect(cluster.wire.at(-1)).toMatchObject({ round: 3000 });
  });
});

describe('found by the swarm', () => {
  it('members whose logs are full of what is not committed still take what commits it', () => {
    const cluster = new Cluster();
    for (const name of 'ab') {
      cluster.add(name, {
        voters: 'ab',
        entries: logOf(1, 1, 1, 1, 1),
        options: { unappliedBytesMax: 3 * sizeOfX },
      });
    }
    cluster.elect('a');
    cluster.pass(2);
    for (const name of 'ab') expect(cluster.raft(name).status.applied).toBe(6);
  });

  it('a follower without room is asked again with each heartbeat, and not without end', () => {
    const cluster = founded('abc', { unappliedBytesMax: 4 * sizeOfX, appendBytesMax: sizeOfX });
    cluster.elect('a');
    cluster.node('c').isMachineHeld = true;
    for (let count = 0; count < 10; count++) {
      cluster.input('a', (raft) => raft.propose([bytes('x')]));
      cluster.deliver();
    }
    expect(cluster.raft('a').status).toMatchObject({ commit: 11, applied: 11 });
    expect(cluster.raft('c').status).toMatchObject({ lastIndex: 5, applied: 1 });
    cluster.trace.length = 0;
    cluster.pass(10);
    // With each heartbeat: two to, two from, one append.
    expect(cluster.trace.length).toBeLessThanOrEqual(50);
    cluster.resume('c');
    cluster.pass(5);
    expect(cluster.raft('c').status.applied).toBe(11);
  });
});

/** How many entries each append on the wire has. */
function sizesOf({ wire }: Cluster): number[] {
  const isAppend = (message: Message): message is AppendRequest => message.type === 'append';
  return wire.filter(isAppend).map(({ entries }) => entries.length);
}
