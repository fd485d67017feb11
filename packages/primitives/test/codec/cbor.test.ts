import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError, decodeCbor, EncodeError, encodeCbor } from '../../src/codec/index.ts';
import { hex, toHex } from './hex.ts';
import { DETERMINISTIC, OTHERS_DECODED } from './rfc8949.ts';

const roundTrip = (value: unknown): unknown => decodeCbor(encodeCbor(value));

/** What comes back as it was: everything but the exceptions that `encodeCbor` documents. */
const { values } = fc.letrec<{ values: unknown }>((tie) => ({
  values: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      fc.constantFrom(
        null,
        undefined,
        true,
        false,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        Number.NEGATIVE_INFINITY,
      ),
      fc.maxSafeInteger(),
      fc.integer(),
      fc.double().map((value) => (value === 0 ? 0 : value)),
      fc.bigInt({ min: -(1n << 100n), max: 1n << 100n }),
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary-ascii', minLength: 20, maxLength: 200 }),
      fc.uint8Array(),
      fc.date({ noInvalidDate: true }),
      fc.float64Array(),
      fc.int16Array(),
      fc.bigInt64Array(),
    ),
    fc.array(tie('values')),
    fc.dictionary(
      fc.string({ unit: 'binary' }).filter((key) => key !== '__proto__'),
      tie('values'),
    ),
    fc
      .array(fc.tuple(fc.oneof(fc.string(), fc.integer()), tie('values')))
      .map((entries) => new Map(entries.filter(([key]) => key !== '__proto__'))),
    fc.array(fc.oneof(fc.string(), fc.integer())).map((items) => new Set(items)),
  ),
}));

describe('encodeCbor and decodeCbor', () => {
  it('round trip', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(normal(roundTrip(value))).toStrictEqual(normal(value));
      }),
    );
  });

  it.each([
    0,
    1,
    -1,
    23,
    24,
    255,
    256,
    65_535,
    65_536,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    -(2 ** 31) - 1,
    -(2 ** 32),
    2 ** 40,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
    0.1,
    1e300,
    5e-324,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    0n,
    1n,
    -1n,
    2n ** 64n - 1n,
    2n ** 64n,
    -(2n ** 64n),
    -(2n ** 64n) - 1n,
    2n ** 2047n,
    '',
    'a',
    'é',
    '\u{1f600}',
    'x'.repeat(70_000),
    'é'.repeat(100),
    true,
    false,
    null,
    undefined,
  ])('keep %s', (value) => {
    expect(roundTrip(value)).toBe(value);
    expect(roundTrip([{ value }])).toStrictEqual([{ value }]);
  });

  it('keep containers, dates and typed arrays', () => {
    const all = {
      list: [1, [2, [3]], { a: {} }],
      map: new Map<unknown, unknown>([
        [1, 'a'],
        ['b', new Map([[null, { c: 1 }]])],
      ]),
      set: new Set([1, 'a', null]),
      dates: [new Date(0), new Date(1_763_827_200_123), new Date(-1)],
      bytes: Uint8Array.of(1, 2, 3),
      floats: Float32Array.of(1.5, -2),
      longs: BigUint64Array.of(2n ** 63n),
    };
    expect(roundTrip(all)).toStrictEqual(all);
  });

  it('keep what is easily lost: the sign of -0, a byte order mark', () => {
    expect(roundTrip(-0)).toBe(-0);
    expect(roundTrip('\ufeffx')).toBe('\ufeffx');
    expect(roundTrip(`\ufeff${'x'.repeat(100)}`)).toBe(`\ufeff${'x'.repeat(100)}`);
  });

  it.each([8.64e15, -8.64e15, 8.64e15 - 1, -4_495_399_000_828_971, 4_495_399_000_828_971, -1, 1])(
    'keep the millisecond of a date %s ms from 1970',
    (ms) => {
      expect(roundTrip(new Date(ms))).toEqual(new Date(ms));
    },
  );

  it('lose what is documented: lone surrogates, classes', () => {
    expect(roundTrip('\ud800')).not.toBe('\ud800');
    expect(
      roundTrip(
        new (class Point {
          x = 1;
        })(),
      ),
    ).toEqual({ x: 1 });
  });

  it.each([...DETERMINISTIC.filter(([, value]) => !(value instanceof Map)), ...OTHERS_DECODED])(
    'decode %s as in RFC 8949, Appendix A',
    (text, value) => {
      const decoded = decodeCbor(hex(text));
      // 64 bits are a bigint whatever the value.
      const isBig = typeof decoded === 'bigint' && typeof value === 'number';
      expect(isBig ? Number(decoded) : decoded).toStrictEqual(value);
    },
  );
});

describe('encodeCbor', () => {
  it('gives a plain Uint8Array that later encodings leave alone', () => {
    const kept = Array.from({ length: 2000 }, (_, index) => ({
      index,
      bytes: encodeCbor({ index, text: `no. ${index}` }),
    }));
    encodeCbor(new Uint8Array(3_000_000));
    encodeCbor('x'.repeat(100_000));
    for (const { index, bytes } of kept) {
      expect(bytes.constructor).toBe(Uint8Array);
      expect(decodeCbor(bytes)).toEqual({ index, text: `no. ${index}` });
    }
  });

  it('does not keep the memory of a large encoding', () => {
    const large = encodeCbor(new Uint8Array(5_000_000));
    expect(large.length).toBe(5_000_005);
    expect(large.buffer.byteLength).toBeLessThan(2 * large.length);
    expect(encodeCbor(1).buffer.byteLength).toBeLessThan(10_000);
  });

  it.each([
    ['a function', () => 1],
    ['a symbol', { a: [Symbol('x')] }],
    ['a cycle', cyclic()],
    ['an error', new Error('x')],
    ['an object of the platform', [new Blob([])]],
    ['a bigint that no decoder takes', 2n ** 2048n],
  ])('refuses %s, and goes on working', (_, value) => {
    expect(() => encodeCbor(value)).toThrow(EncodeError);
    expect(roundTrip({ a: 1 })).toEqual({ a: 1 });
  });
});

describe('encodeCbor within encodeCbor', () => {
  it('is what a getter may ask for', () => {
    const outer = {
      before: 'x'.repeat(50),
      get inner() {
        return encodeCbor({ a: 'y'.repeat(20_000) });
      },
      after: 1,
    };
    const { before, inner, after } = roundTrip(outer) as typeof outer;
    expect([before, after]).toEqual([outer.before, 1]);
    expect(decodeCbor(inner)).toEqual({ a: 'y'.repeat(20_000) });
  });
});

describe('the head of a map', () => {
  it.each([0, 1, 23, 24, 255, 256, 70_000])('says %i fields', (count) => {
    const value = Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, index]));
    expect(roundTrip([value, 'behind'])).toEqual([value, 'behind']);
  });
});

describe('decodeCbor', () => {
  it('gives bytes of their own, and never a Buffer', () => {
    for (const size of [10, 10_000]) {
      const input = Buffer.from(encodeCbor({ bytes: new Uint8Array(size).fill(7) }));
      const { bytes } = decodeCbor(input) as { bytes: Uint8Array };
      input.fill(0);
      expect(bytes.constructor).toBe(Uint8Array);
      expect(bytes).toEqual(new Uint8Array(size).fill(7));
      expect(bytes.buffer.byteLength).toBe(size);
      expect(Object.keys(input)).toHaveLength(input.length);
    }
  });

  it('gives views of the input when that is asked for', () => {
    const input = encodeCbor({ bytes: Uint8Array.of(1, 2, 3) });
    const { bytes } = decodeCbor(input, { copyBytes: false }) as { bytes: Uint8Array };
    expect(bytes.constructor).toBe(Uint8Array);
    expect(bytes.buffer).toBe(input.buffer);
    expect(bytes).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('takes a part of a larger buffer', () => {
    const outer = new Uint8Array(100).fill(0xff);
    outer.set(hex('83010243aabbcc'), 40);
    expect(decodeCbor(outer.subarray(40, 47))).toEqual([1, 2, Uint8Array.of(0xaa, 0xbb, 0xcc)]);
  });

  it('makes objects of maps without touching a prototype', () => {
    const decoded = decodeCbor(hex('a2 6b636f6e7374727563746f72 01 68746f537472696e67 02')) as object;
    expect(decoded).toEqual({ constructor: 1, toString: 2 });
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
    expect(() => encodeCbor(JSON.parse('{"__proto__":{"a":1}}'))).toThrow(EncodeError);
    expect(() => encodeCbor(new Map([['__proto__', 1]]))).toThrow(EncodeError);
    expect(roundTrip(new Map([['x', { y: 1 }]]))).toEqual(new Map([['x', { y: 1 }]]));
  });

  it('leaves no state behind after an error', () => {
    // An object with a key that is a map, here within tag 259 and outside of it.
    for (const text of ['d90103a100a1a001', 'a1a001', 'a1810001', 'a1420000 01']) {
      expect(() => decodeCbor(hex(text))).toThrow(DecodeError);
      expect(decodeCbor(hex('a1616101'))).toEqual({ a: 1 });
      expect(decodeCbor(hex('d90103a1616101'))).toEqual(new Map([['a', 1]]));
    }
  });
});

describe('decodeCbor against hostile bytes', () => {
  const takesOrRefuses = (bytes: Uint8Array): void => {
    try {
      const value = decodeCbor(bytes);
      const viewed = decodeCbor(bytes, { copyBytes: false });
      expect(normal(viewed)).toStrictEqual(normal(value));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  };

  it('takes or refuses random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), takesOrRefuses), { numRuns: 5000 });
  });

  it('takes or refuses every sequence of up to two bytes, and every one of three that begins with a tag', () => {
    for (let first = 0; first < 256; first++) {
      takesOrRefuses(Uint8Array.of(first));
      for (let second = 0; second < 256; second++) takesOrRefuses(Uint8Array.of(first, second));
    }
    for (let tag = 0xc0; tag < 0xd8; tag++) {
      for (let rest = 0; rest < 0x1_0000; rest += 7)
        takesOrRefuses(Uint8Array.of(tag, rest >> 8, rest & 0xff));
    }
  }, 30_000);

  it('takes or refuses encodings with changed, lost and added bytes', () => {
    const change = fc.record({ at: fc.nat(), remove: fc.nat(3), insert: fc.uint8Array({ maxLength: 4 }) });
    fc.assert(
      fc.property(values, fc.array(change, { minLength: 1, maxLength: 4 }), (value, changes) => {
        const bytes = [...encodeCbor(value)];
        for (const { at, remove, insert } of changes)
          bytes.splice(at % (bytes.length + 1), remove, ...insert);
        takesOrRefuses(Uint8Array.from(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it('takes or refuses sequences of heads that fit together', () => {
    const heads = fc.constantFrom(
      '81',
      '82',
      '9f',
      'a1',
      'bf',
      'ff',
      '00',
      '1a00000001',
      '41aa',
      '6161',
      'f6',
      'fb7ff8000000000000',
      'c1',
      'c2',
      'd845',
      'd90102',
      'd90103',
      'd9dfff',
      'c6',
    );
    fc.assert(
      fc.property(fc.array(heads, { maxLength: 12 }), (parts) => takesOrRefuses(hex(parts.join('')))),
      { numRuns: 5000 },
    );
  });

  it('says nothing of what it does not know', () => {
    expect(toHex(encodeCbor([1]))).toBe('8101');
    expect(() => decodeCbor(new Uint8Array(0))).toThrow('it ends too early');
  });
});

/** For comparison: two NaN in a typed array are the same, and prototypes of dictionaries do not matter. */
function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal);
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, normal(item)]));
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (value instanceof Date || value instanceof Set) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, normal(item)]));
}

function cyclic(): object {
  const value: Record<string, unknown> = {};
  value['self'] = value;
  return value;
}
