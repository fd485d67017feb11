import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCbor, EncodeError, encodeCanonical } from '../../src/codec/index.ts';
import { toHex } from './hex.ts';
import { DETERMINISTIC } from './rfc8949.ts';

const encoded = (value: unknown): string => toHex(encodeCanonical(value));

/** Everything that has a canonical encoding. */
const { values } = fc.letrec<{ values: unknown }>((tie) => ({
  values: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.integer(),
      fc.double(),
      fc.float(),
      fc.bigInt({ min: -(1n << 80n), max: 1n << 80n }),
      fc.string({ unit: 'grapheme' }),
      fc.uint8Array(),
    ),
    fc.array(tie('values')),
    fc.dictionary(
      fc.string({ unit: 'binary' }).filter((key) => key !== '__proto__'),
      tie('values'),
    ),
  ),
}));

describe('encodeCanonical', () => {
  it.each(DETERMINISTIC)('writes %s as in RFC 8949, Appendix A', (hex, value) => {
    expect(encoded(value)).toBe(hex);
  });

  it('sorts keys by the bytes of their encodings, as in RFC 8949 §4.2.1', () => {
    const keys = ['aa', 'z', -1, 100, 10, false, [100], [-1]];
    const order = [10, 100, -1, 'z', 'aa', [100], [-1], false];
    const expected = order.map((key) => `${encoded(key)}00`).join('');
    expect(encoded(new Map(keys.map((key) => [key, 0])))).toBe(`a8${expected}`);
  });

  it('sorts by UTF-8, which is not the order of UTF-16', () => {
    expect(encoded({ '\u{1f600}': 1, '\uffee': 2, '\u00fc': 3 })).toBe('a362c3bc0363efbfae0264f09f988001');
  });

  it('gives equal values equal bytes, in whatever order they were built', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(encodeCanonical(reversed(value))).toEqual(encodeCanonical(value));
      }),
    );
  });

  it('gives different values different bytes', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        fc.pre(!sameValue(a, b));
        expect(encoded(a)).not.toBe(encoded(b));
      }),
    );
  });

  it('is read back by the decoder, and is written the same again', () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = encodeCanonical(value);
        const decoded = decodeCbor(bytes, { maxDepth: 512 });
        expect(sameValue(decoded, value)).toBe(true);
        expect(encodeCanonical(decoded)).toEqual(bytes);
      }),
    );
  });

  it('is read back with whole numbers as numbers', () => {
    const entry = {
      start: 1_763_827_200_000,
      update: -(2 ** 40),
      limits: [2 ** 32, Number.MAX_SAFE_INTEGER],
    };
    for (const copyBytes of [true, false]) {
      expect(decodeCbor(encodeCanonical(entry), { int64: 'number', copyBytes })).toEqual(entry);
    }
  });

  it('writes whole numbers alike, whatever their type', () => {
    for (const number of [
      0,
      5,
      -5,
      2 ** 32,
      -(2 ** 32) - 1,
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
    ]) {
      expect(encoded(BigInt(number))).toBe(encoded(number));
    }
  });

  it('writes every float as short as it can be', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        const length = encodeCanonical(value).length;
        if (Number.isSafeInteger(value) && !Object.is(value, -0)) return;
        const half = Number.isNaN(value) || Object.is(halfOf(value), value);
        expect(length).toBe(half ? 3 : Object.is(Math.fround(value), value) ? 5 : 9);
      }),
    );
  });

  it('writes and reads all 65,536 half floats', () => {
    for (let bits = 0; bits < 0x1_0000; bits++) {
      const value = fromHalf(bits);
      if (Number.isSafeInteger(value) && !Object.is(value, -0)) continue;
      const expected = Number.isNaN(value) ? 'f97e00' : `f9${bits.toString(16).padStart(4, '0')}`;
      if (encoded(value) !== expected) expect(encoded(value)).toBe(expected);
    }
  });

  it('leaves out fields that are undefined', () => {
    expect(encoded({ a: 1, b: undefined })).toBe(encoded({ a: 1 }));
  });

  it('takes a Map with text keys as an object', () => {
    expect(encoded(new Map(Object.entries({ b: 1, a: 2 })))).toBe(encoded({ a: 2, b: 1 }));
  });

  it.each<[string, unknown, (string | number)[]]>([
    ['undefined', undefined, []],
    ['undefined in an array', [1, undefined], [1]],
    ['a function', { a: { b: () => 1 } }, ['a', 'b']],
    ['a symbol', [Symbol('x')], [0]],
    ['a date', { at: new Date(0) }, ['at']],
    ['a set', [[new Set()]], [0, 0]],
    ['a class instance', { a: new (class Point {})() }, ['a']],
    ['a float array', new Float64Array(1), []],
    ['a lone surrogate', { a: 'x\ud800' }, ['a']],
    ['a lone surrogate in a key', { 'x\ud800': 1 }, ['x\ud800']],
    ['the key __proto__', JSON.parse('{"a":{"__proto__":1}}'), ['a', '__proto__']],
    [
      'a key twice',
      new Map<unknown, unknown>([
        [1, 0],
        [1n, 0],
      ]),
      ['1'],
    ],
  ])('refuses %s, and says where', (_, value, path) => {
    expect(() => encodeCanonical(value)).toThrow(EncodeError);
    expect(() => encodeCanonical(value)).toThrow(expect.objectContaining({ code: 'ERR_ENCODE', path }));
  });

  it('refuses cycles, and takes as deep as the decoder does', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(() => encodeCanonical(cycle)).toThrow('nested deeper than 64');
    expect(decodeCbor(encodeCanonical(nested(64)))).toEqual(nested(64));
    expect(() => encodeCanonical(nested(65))).toThrow(EncodeError);
  });
});

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)];
}

/** The same value, its fields added in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, field]) => [key, reversed(field)]),
  );
}

/** Whether these are the same but for the type of whole numbers. */
function sameValue(a: unknown, b: unknown): boolean {
  const isNumeric = (value: unknown): boolean => typeof value === 'number' || typeof value === 'bigint';
  if (isNumeric(a) && isNumeric(b))
    return Object.is(a, b) || (Object.is(a, -0) === Object.is(b, -0) && String(a) === String(b));
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (a instanceof Uint8Array !== b instanceof Uint8Array || Array.isArray(a) !== Array.isArray(b))
    return false;
  const fieldsA = new Map(Object.entries(a));
  const fieldsB = new Map(Object.entries(b));
  if (fieldsA.size !== fieldsB.size) return false;
  return [...fieldsA].every(([key, value]) => fieldsB.has(key) && sameValue(value, fieldsB.get(key)));
}

function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The nearest half below in magnitude: equal to `value` only if it is one. */
function halfOf(value: number): number {
  const size = Math.abs(value);
  if (size === 0 || size === Number.POSITIVE_INFINITY) return value;
  if (size >= 65520) return 65504;
  const unit = size < 2 ** -14 ? 2 ** -24 : 2 ** (Math.floor(Math.log2(size)) - 10);
  return Math.sign(value) * Math.floor(size / unit) * unit;
}
