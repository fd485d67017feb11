import { describe, expect, it } from 'vitest';
import { Ledger } from '../../src/producer/ledger.ts';
import { type Block, BlockWriter } from '../../src/wire/block.ts';

function blockOf(first: number, next: number): Block {
  const writer = new BlockWriter();
  for (let sequence = first; sequence < next; sequence++) writer.append(sequence, Uint8Array.of(sequence));
  return writer.seal();
}

function partOf(from: number, sequences: readonly number[], next: number): Block {
  const writer = new BlockWriter({ from });
  for (const sequence of sequences) writer.append(sequence, Uint8Array.of(sequence));
  return writer.seal(next);
}

function kept(): { readonly ledger: Ledger; readonly undelivered: number[] } {
  const undelivered: number[] = [];
  return { ledger: new Ledger(([sequence]) => undelivered.push(sequence as number)), undelivered };
}

describe('the ledger of what reached nobody', () => {
  it('names everything when nobody is there', () => {
    const { ledger, undelivered } = kept();
    ledger.open(blockOf(0, 3), 0);
    expect(undelivered).toEqual([0, 1, 2]);
  });

  it('names nothing that one of several was given', () => {
    const { ledger, undelivered } = kept();
    const block = blockOf(0, 3);
    ledger.open(block, 2);
    ledger.delivered(block);
    ledger.released(0, 3);
    expect(undelivered).toEqual([]);
    ledger.released(0, 3);
    expect(undelivered).toEqual([]);
  });

  it('waits for the last one, and names what that one was not given either', () => {
    const { ledger, undelivered } = kept();
    ledger.open(blockOf(0, 2), 2);
    ledger.open(blockOf(2, 4), 2);
    ledger.released(0, 4);
    expect(undelivered).toEqual([]);
    ledger.delivered(blockOf(0, 2));
    ledger.released(0, 2);
    expect(undelivered).toEqual([]);
    ledger.released(2, 4);
    expect(undelivered).toEqual([2, 3]);
  });

  it('names what no criteria wanted, over the bounds of blocks', () => {
    const { ledger, undelivered } = kept();
    ledger.open(blockOf(0, 3), 2);
    ledger.open(blockOf(3, 6), 2);
    ledger.delivered(partOf(0, [1], 3));
    ledger.released(0, 3);
    ledger.delivered(partOf(3, [3, 5], 6));
    ledger.released(3, 6);
    ledger.delivered(partOf(0, [0, 5], 6));
    ledger.released(0, 6);
    expect(undelivered).toEqual([2, 4]);
  });

  it('does not count on who came later', () => {
    const { ledger, undelivered } = kept();
    ledger.open(blockOf(0, 2), 1);
    ledger.open(blockOf(2, 4), 2);
    ledger.released(2, 4);
    expect(undelivered).toEqual([]);
    ledger.released(0, 4);
    expect(undelivered).toEqual([0, 1, 2, 3]);
  });
});
