import { describe, expect, it } from 'vitest';
import { freeMemory, reuseMemory } from '../src/memory.ts';

describe('memory', () => {
  it('that is freed is gone for all views of it', () => {
    const whole = new Uint8Array(100_000).fill(1);
    const part = whole.subarray(10, 20);
    freeMemory(part);
    expect([whole.length, part.length, (whole.buffer as ArrayBuffer).detached]).toEqual([0, 0, true]);
  });

  it('that is used again is gone for all views of it, and is there as a whole in a new one', () => {
    const whole = new Uint8Array(100_000).fill(1);
    const part = whole.subarray(10, 20);
    const again = reuseMemory(part);
    expect([whole.length, part.length]).toEqual([0, 0]);
    expect(again).toEqual(new Uint8Array(100_000).fill(1));
  });
});
