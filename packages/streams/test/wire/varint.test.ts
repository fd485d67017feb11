import { DecodeError } from '@mosaik/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readVarint, VARINT_BYTES_MAX, varintBytes, writeVarint } from '../../src/wire/varint.ts';

function encoded(value: number): Uint8Array {
  const target = new Uint8Array(VARINT_BYTES_MAX);
  return target.subarray(0, writeVarint(target, 0, value));
}

describe('a varint', () => {
  it.each([
    [0, [0x00]],
    [1, [0x01]],
    [127, [0x7f]],
    [128, [0x80, 0x01]],
    [300, [0xac, 0x02]],
    [2 ** 31, [0x80, 0x80, 0x80, 0x80, 0x08]],
    [Number.MAX_SAFE_INTEGER, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
  ])('of %d has the bytes of LEB128', (value, bytes) => {
    expect([...encoded(value)]).toEqual(bytes);
    expect(varintBytes(value)).toBe(bytes.length);
  });

  it('comes back as it was', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        const bytes = encoded(value);
        const reader = { bytes, offset: 0 };
        expect(readVarint(reader)).toBe(value);
        expect(reader.offset).toBe(bytes.length);
      }),
    );
  });

  it('that is cut off, or beyond 2^53, is refused', () => {
    expect(() => readVarint({ bytes: Uint8Array.of(0x80), offset: 0 })).toThrow('cut off');
    expect(() => readVarint({ bytes: new Uint8Array(), offset: 0 })).toThrow('cut off');
    const beyond = Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10);
    expect(() => readVarint({ bytes: beyond, offset: 0 })).toThrow('2^53');
    expect(() => readVarint({ bytes: new Uint8Array(20).fill(0xff), offset: 0 })).toThrow('2^53');
  });

  it('of any bytes is a whole number, or refused as undecodable', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        try {
          expect(readVarint({ bytes, offset: 0 })).toBeGreaterThanOrEqual(0);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });
});
