import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCbor, EncodeError, encodeCbor, encodeCborInto } from '../../src/codec/index.ts';
import { expectSame } from './other.ts';

const MANY = 100;

describe('encodeCbor of keys that come again and again', () => {
  it('writes the same bytes as before', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 80 }), { maxLength: 8 }), (keys) => {
        const names = keys.filter((key) => key !== '__proto__' && key.isWellFormed());
        const value = Object.fromEntries(names.map((key, index) => [key, index]));
        for (let round = 0; round < 20; round++) expectSame(value);
      }),
    );
  });

  it.each([0, 1, 3, 4, 7, 8, 11, 12, 13, 22, 23, 24, 25, 63, 64, 65, 100])(
    'writes keys of %i characters',
    (length) => {
      for (const unit of ['k', 'é', '\u6c34']) {
        const value = { a: 1, [unit.repeat(length)]: 2, b: 3 };
        for (let round = 0; round < MANY; round++) expectSame(value);
      }
    },
  );

  it('writes another order of the same keys', () => {
    for (let round = 0; round < MANY; round++) {
      for (const value of [
        { first: 1, second: 2, third: 3 },
        { third: 1, second: 2, first: 3 },
        { first: 1, third: 2 },
        { second: { first: 1, second: { third: 1 } }, first: 2 },
      ]) {
        expectSame(value);
      }
    }
  });

  it('writes more keys than it remembers', () => {
    for (let round = 0; round < 3; round++) {
      for (let index = 0; index < 3000; index++) {
        const value = { [`key ${index}`]: index, same: 1 };
        for (let again = 0; again < 3; again++) expect(decodeCbor(encodeCbor(value))).toEqual(value);
      }
    }
  });

  it('leaves alone what lies before, and says when there is no room', () => {
    const value = { symbol: 'BTC', 'a longer key than most': 1 };
    for (let round = 0; round < MANY; round++) encodeCbor(value);
    const expected = encodeCbor(value);
    for (let size = 0; size < expected.length + 20; size++) {
      const target = new Uint8Array(size).fill(0xee);
      const end = encodeCborInto(value, target, 3);
      expect([...target.subarray(0, 3)]).toEqual(new Array(Math.min(size, 3)).fill(0xee));
      if (end !== undefined) expect(target.subarray(3, end)).toEqual(expected);
      else expect(size).toBeLessThan(3 + expected.length + 12);
    }
  });

  it('writes fields of its own only, and those that are there', () => {
    const inherited = Object.create(
      { c: 3 },
      { a: { value: 1, enumerable: true }, b: { value: 2 } },
    ) as object;
    const encoded: Uint8Array[] = [];
    Object.defineProperty(Object.prototype, 'polluted', { value: 1, enumerable: true, configurable: true });
    try {
      for (let round = 0; round < MANY; round++) encoded.push(encodeCbor({ a: 1 }), encodeCbor(inherited));
    } finally {
      Reflect.deleteProperty(Object.prototype, 'polluted');
    }
    for (const bytes of encoded) expect(decodeCbor(bytes)).toStrictEqual({ a: 1 });
    const shrinking = (): object => ({
      get a() {
        Reflect.deleteProperty(this, 'b');
        return 1;
      },
      b: 2,
      c: 3,
    });
    for (let round = 0; round < MANY; round++)
      expect(decodeCbor(encodeCbor(shrinking()))).toEqual({ a: 1, c: 3 });
  });

  it('keeps refusing the key __proto__', () => {
    const value: unknown = JSON.parse('{"a":1,"__proto__":1}');
    for (let round = 0; round < MANY; round++) expect(() => encodeCbor(value)).toThrow(EncodeError);
  });
});
