import { describe, expect, it } from 'vitest';
import { stream } from '../../src/index.ts';

const { codec } = stream<{ readonly payload: Uint8Array }>('payloads');

/** An encoded datum in the middle of a larger block. */
function within(blockBytes: number, encoded: Uint8Array): Uint8Array {
  const block = new Uint8Array(blockBytes);
  block.set(encoded, 8);
  return block.subarray(8, 8 + encoded.length);
}

describe('bytes within a datum', () => {
  it('are views of the block that the datum fills', () => {
    const encoded = codec.encode({ payload: new Uint8Array(50_000).fill(7) });
    const block = within(60_000, encoded);
    const { payload } = codec.decode(block);
    expect(payload.buffer).toBe(block.buffer);
    expect(payload).toEqual(new Uint8Array(50_000).fill(7));
  });

  it('have memory of their own where the datum is a small part of its block', () => {
    const encoded = codec.encode({ payload: new Uint8Array(5_000).fill(7) });
    const { payload } = codec.decode(within(60_000, encoded));
    expect(payload.buffer.byteLength).toBeLessThan(10_000);
    expect(payload).toEqual(new Uint8Array(5_000).fill(7));
  });
});
