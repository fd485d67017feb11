import { describe, expect, it } from 'vitest';
import { ownRead, returnRead } from '../../src/libp2p/memory.ts';

const READ_BYTES = 16_384;

function read(bytes: number = READ_BYTES): Uint8Array {
  const memory = new Uint8Array(bytes).fill(1);
  ownRead(memory);
  return memory;
}

function isGone({ buffer }: Uint8Array): boolean {
  return (buffer as ArrayBuffer).detached;
}

describe('the memory of a read', () => {
  it('goes back when all of it is given back', () => {
    const bytes = read();
    returnRead(bytes.subarray());
    expect(isGone(bytes)).toBe(true);
  });

  it('goes back when all but the head of a frame is, or the rest of a head', () => {
    for (const head of [1, 11, 12]) {
      const bytes = read();
      returnRead(bytes.subarray(head));
      expect(isGone(bytes)).toBe(true);
    }
  });

  it.each([
    ['before', 13, READ_BYTES],
    ['behind', 0, READ_BYTES - 1],
    ['on both sides', 100, 200],
  ])('stays while somebody else may have what lies %s', (_, from, to) => {
    const bytes = read();
    returnRead(bytes.subarray(from, to));
    expect(isGone(bytes)).toBe(false);
  });

  it('stays when it was not read, or is a part of more', () => {
    const made = new Uint8Array(READ_BYTES);
    returnRead(made);
    const pooled = new Uint8Array(2 * READ_BYTES);
    ownRead(pooled.subarray(READ_BYTES));
    returnRead(pooled);
    returnRead(pooled.subarray(READ_BYTES));
    expect([isGone(made), isGone(pooled)]).toEqual([false, false]);
  });

  it('stays when it is small: to give it back would cost more', () => {
    const bytes = read(1_000);
    returnRead(bytes);
    expect(isGone(bytes)).toBe(false);
  });
});
