import { assert, property, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { element, elementsOf, sequence, Tag } from '../../../src/libp2p/tls/der.ts';

describe('an element of DER', () => {
  it.each([0, 1, 127, 128, 255, 256, 65_535])('of %i bytes is read as it was written', (length) => {
    const content = new Uint8Array(length).fill(7);
    const written = element(Tag.OctetString, content);
    const [read, ...others] = elementsOf(written);
    expect(others).toEqual([]);
    expect(read?.tag).toBe(Tag.OctetString);
    expect(Buffer.compare(read?.content as Uint8Array, content)).toBe(0);
    expect(Buffer.compare(read?.whole as Uint8Array, written)).toBe(0);
  });

  it('follows another within a sequence', () => {
    const [outer] = elementsOf(sequence(element(Tag.Integer, Uint8Array.of(1)), sequence()));
    expect(elementsOf(outer?.content as Uint8Array).map(({ tag }) => tag)).toEqual([
      Tag.Integer,
      Tag.Sequence,
    ]);
  });

  it.each(['30', '3080', '308301000000', '3002ff', '0481'])('that is %s is refused', (hex) => {
    expect(() => elementsOf(Buffer.from(hex, 'hex'))).toThrow(RangeError);
  });

  it('is cut from any bytes without a gap, or they are refused', () => {
    void assert(
      property(uint8Array({ maxLength: 64 }), (bytes) => {
        let elements: ReturnType<typeof elementsOf>;
        try {
          elements = elementsOf(bytes);
        } catch (error) {
          return error instanceof RangeError;
        }
        return Buffer.concat(elements.map(({ whole }) => whole)).equals(bytes);
      }),
      { numRuns: 2_000 },
    );
  });
});
