import { describe, expect, it } from 'vitest';
import { blockOf } from '../../src/compliance/kit.ts';
import { Gate } from '../../src/pull/gate.ts';
import { encodeReached, encodeSkipped, encodeTime } from '../../src/wire/messages.ts';

function opened(from: number): Gate {
  const gate = new Gate(from);
  gate.take(encodeTime(1_000));
  return gate;
}

describe('the gate', () => {
  it('lets blocks pass that follow each other, the first of which may begin before', () => {
    const gate = opened(7);
    expect(gate.take(blockOf(5, 10).bytes)).toMatchObject({
      type: 'block',
      from: 7,
      block: { first: 5, timeMs: 1_000 },
    });
    expect(gate.take(blockOf(10, 11).bytes)).toMatchObject({ from: 10 });
    expect(gate.take(encodeSkipped(25))).toEqual({ type: 'skipped', from: 11, to: 25 });
    expect(gate.take(blockOf(20, 30).bytes)).toMatchObject({ from: 25 });
    expect(gate.take(encodeReached(30))).toEqual({ type: 'reached', next: 30 });
    expect(gate.position).toBe(30);
  });

  it.each([
    ['that leaves places out', 5, blockOf(6, 10).bytes],
    ['that lies before', 5, blockOf(0, 5).bytes],
    ['that is empty', 5, blockOf(5, 5).bytes],
    ['that reaches too little', 5, encodeReached(6)],
    ['that skips back', 5, encodeSkipped(5)],
    ['of a time before', 5, encodeTime(999)],
    ['with a hole in it', 5, Uint8Array.of(3, 5, 0, 1, 1, 1, 1, 1)],
  ])('refuses a message %s', (_what, from, message) => {
    expect(() => opened(from).take(message)).toThrowError(expect.objectContaining({ code: 'ERR_DECODE' }));
  });

  it('refuses a second block that begins before, and one without a time', () => {
    const gate = opened(5);
    gate.take(blockOf(5, 10).bytes);
    expect(() => gate.take(blockOf(8, 12).bytes)).toThrow('not at 10');
    expect(() => new Gate(0).take(blockOf(0, 1).bytes)).toThrow('without a time');
  });

  it('skips what newer holders may say', () => {
    expect(opened(0).take(Uint8Array.of(99, 1, 2, 3))).toBeUndefined();
  });
});
