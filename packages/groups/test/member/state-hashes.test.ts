import { describe, expect, it } from 'vitest';
import { StateHashes } from '../../src/member/state-hashes.ts';
import type { LogIndex, MemberId } from '../../src/raft/types.ts';

const A = 'a' as MemberId;
const hash = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

function comparing(every: number) {
  const diverged: number[] = [];
  const told: number[] = [];
  const hashes = new StateHashes({
    every,
    tell: (index) => told.push(index),
    diverged: (index) => diverged.push(index),
  });
  const own = (index: number, byte: number): void => hashes.own(index as LogIndex, hash(byte));
  const theirs = (index: number, byte: number): void => hashes.others(A, index as LogIndex, hash(byte));
  return { hashes, own, theirs, diverged, told };
}

describe('state hashes', () => {
  it('are compared whoever is quicker, and differ only where the states do', () => {
    const { own, theirs, diverged, told } = comparing(10);
    own(10, 1);
    theirs(10, 1);
    theirs(20, 2);
    own(20, 2);
    expect(diverged).toEqual([]);
    own(30, 3);
    theirs(30, 4);
    theirs(40, 4);
    own(40, 5);
    expect(diverged).toEqual([30, 40]);
    expect(told).toEqual([10, 20, 30, 40]);
  });

  it('of indices that are not hashed here do not push out one that is', () => {
    const { own, theirs, diverged } = comparing(50);
    for (let index = 1; index <= 149; index++) theirs(index, index === 100 ? 1 : 0);
    own(100, 2);
    expect(diverged).toEqual([100]);
  });

  it('of a history that was left are compared with none', () => {
    const { hashes, own, theirs, diverged } = comparing(10);
    own(10, 1);
    theirs(20, 1);
    hashes.clear();
    theirs(10, 2);
    own(20, 2);
    expect(diverged).toEqual([]);
  });
});
