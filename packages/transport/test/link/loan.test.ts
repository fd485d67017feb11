import { describe, expect, it } from 'vitest';
import { giveBack, isLent, lend } from '../../src/link/loan.ts';
import { Outbox } from '../../src/link/outbox.ts';

function lent(bytes: number) {
  const memory = new Uint8Array(bytes);
  let ends = 0;
  const loan = lend(memory, () => ends++);
  return { memory, loan, ends: () => ends };
}

describe('a loan', () => {
  it('ends when all that was given has come back and nothing more will be given', () => {
    const { memory, loan, ends } = lent(100);
    loan.give(60);
    loan.give(60);
    giveBack(memory.subarray(0, 60));
    giveBack(memory.subarray(0, 20));
    giveBack(memory.subarray(20, 60));
    expect([isLent(memory), ends()]).toEqual([true, 0]);
    loan.give(40);
    loan.close();
    expect([isLent(memory), ends()]).toEqual([true, 0]);
    giveBack(memory.subarray(60));
    expect([isLent(memory), ends()]).toEqual([false, 1]);
  });

  it('ends at once when it is closed and nothing is out', () => {
    const { loan, ends } = lent(100);
    loan.close();
    expect(ends()).toBe(1);
  });

  it('does not end as long as anything is out', () => {
    const { memory, loan, ends } = lent(100);
    loan.give(100);
    loan.close();
    giveBack(memory.subarray(0, 99));
    expect(ends()).toBe(0);
    loan.returned(1);
    expect(ends()).toBe(1);
  });

  it('ends once, whatever is given back afterwards', () => {
    const { memory, loan, ends } = lent(100);
    loan.close();
    giveBack(memory);
    expect(ends()).toBe(1);
  });

  it('ends when a link has copied what is small, though nothing was written yet', () => {
    const { memory, loan, ends } = lent(100_000);
    const outbox = new Outbox();
    loan.give(150);
    loan.close();
    for (const at of [0, 100]) outbox.append(memory.subarray(at, at + 75));
    expect([outbox.bytes, ends()]).toEqual([158, 1]);
  });

  it('does not when it only holds what is large', () => {
    const { memory, loan, ends } = lent(100_000);
    const outbox = new Outbox();
    loan.give(memory.length);
    loan.close();
    outbox.append(memory);
    for (const piece of outbox.takeFrame()) giveBack(piece);
    expect(ends()).toBe(0);
    for (const piece of outbox.takeFrame()) giveBack(piece);
    expect(ends()).toBe(1);
  });

  it('is nothing that other memory knows of', () => {
    expect(isLent(new Uint8Array(10))).toBe(false);
    expect(() => giveBack(new Uint8Array(10))).not.toThrow();
  });
});
