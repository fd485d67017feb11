import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCbor, encodeCbor } from '../../src/codec/index.ts';
import { other } from './other.ts';

/** What both know and neither loses. */
const { values } = fc.letrec<{ values: unknown }>((tie) => ({
  values: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      fc.constantFrom(null, undefined, true, false, Number.NaN, Number.POSITIVE_INFINITY),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      fc.maxSafeInteger(),
      fc.double().map((value) => (value === 0 ? 0 : value)),
      fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
      fc.string({ unit: 'grapheme' }).filter((text) => !text.startsWith('\ufeff')),
      fc.string({ unit: 'grapheme-ascii', minLength: 20, maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }),
      fc.date({ noInvalidDate: true }).map((date) => new Date(Math.trunc(date.getTime() / 2 ** 20))),
    ),
    fc.array(tie('values'), { maxLength: 30 }),
    fc.dictionary(
      fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__'),
      tie('values'),
      { maxKeys: 30, noNullPrototype: true },
    ),
    fc
      .array(fc.tuple(fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer()), tie('values')))
      .map((entries) => new Map(entries.filter(([key]) => key !== '__proto__'))),
    fc.array(fc.string({ unit: 'grapheme' })).map((items) => new Set(items)),
  ),
}));

/** Whether two values are the same; never prints them, which may be large. */
function same(a: unknown, b: unknown): boolean {
  try {
    expect(a).toStrictEqual(b);
    return true;
  } catch {
    return false;
  }
}

describe('encodeCbor and decodeCbor beside another implementation', () => {
  it('read what it writes', () => {
    fc.assert(fc.property(values, (value) => same(decodeCbor(Uint8Array.from(other.encode(value))), value)));
  });

  it('write what it reads', () => {
    fc.assert(fc.property(values, (value) => same(plain(other.decode(encodeCbor(value))), plain(value))));
  });
});

/** It gives bytes as Buffer, which is a Uint8Array too, and small bigints as numbers only where they are. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, plain(item)]));
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date || value instanceof Set) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
