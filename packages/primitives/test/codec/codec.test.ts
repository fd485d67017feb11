import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  bytesCodec,
  type Codec,
  cborCodec,
  DecodeError,
  EncodeError,
  encodeCbor,
  inPlaceOf,
  jsonCodec,
  textCodec,
  validateSync,
} from '../../src/codec/index.ts';

const Price = v.object({ symbol: v.string(), price: v.pipe(v.number(), v.minValue(0)) });
type Price = v.InferOutput<typeof Price>;

function failure(run: () => unknown): DecodeError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError);
    return error as DecodeError;
  }
  throw new Error('nothing was thrown');
}

function schemaOf<T>(validate: StandardSchemaV1.Props<unknown, T>['validate']): StandardSchemaV1<unknown, T> {
  return { '~standard': { version: 1, vendor: 'test', validate } };
}

describe('cborCodec within larger memory', () => {
  const codec = cborCodec<unknown>();
  const inPlace = inPlaceOf(codec);

  it('is not used of a codec that was changed', () => {
    expect(inPlaceOf({ ...codec })).toBeDefined();
    expect(inPlaceOf({ ...codec, decode: () => 'mine' })).toBeUndefined();
    expect(inPlaceOf({ ...codec, encode: () => new Uint8Array(0) })).toBeUndefined();
    expect(inPlaceOf(jsonCodec())).toBeUndefined();
  });

  it('writes the same as elsewhere, or says that there is no room', () => {
    const value = { symbol: 'BTC', prices: [1.5, 2, 3], note: 'x'.repeat(100) };
    const expected = codec.encode(value);
    for (let size = 0; size < expected.length + 40; size++) {
      const target = new Uint8Array(size + 7).fill(0xee);
      const end = inPlace?.encodeInto(value, target, 7);
      expect([...target.subarray(0, 7)]).toEqual(new Array(7).fill(0xee));
      if (end === undefined) continue;
      expect(end).toBe(7 + expected.length);
      expect(target.subarray(7, end)).toEqual(expected);
    }
    expect(inPlace?.encodeInto(value, new Uint8Array(1000), 10)).toBe(10 + expected.length);
    expect(codec.encode(value)).toEqual(expected);
  });

  it('leaves what was encoded before alone when there is no room, or something cannot be encoded', () => {
    const before = codec.encode('before');
    expect(inPlace?.encodeInto('x'.repeat(100), new Uint8Array(10), 0)).toBeUndefined();
    expect(() => inPlace?.encodeInto([() => 1], new Uint8Array(100), 0)).toThrow(EncodeError);
    const after = codec.encode('after');
    expect([codec.decode(before), codec.decode(after)]).toEqual(['before', 'after']);
  });

  it('reads what lies between, and not beyond', () => {
    const parts = [{ a: 1 }, 'text', [1, 2, 3]].map((value) => codec.encode(value));
    const all = Uint8Array.from(parts.flatMap((part) => [...part]));
    let start = 0;
    for (const part of parts) {
      const end = start + part.length;
      expect(inPlace?.decodeWithin(all, start, end)).toEqual(codec.decode(part));
      expect(() => inPlace?.decodeWithin(all, start, end - 1)).toThrow(DecodeError);
      if (end < all.length) expect(() => inPlace?.decodeWithin(all, start, end + 1)).toThrow(DecodeError);
      start = end;
    }
  });
});

describe.each<[string, Codec<Price>]>([
  ['cborCodec', cborCodec({ schema: Price })],
  ['jsonCodec', jsonCodec({ schema: Price })],
])('%s with a schema', (_, codec) => {
  it('round trips', () => {
    const price = { symbol: 'BTC', price: 1.5 };
    expect(codec.decode(codec.encode(price))).toEqual(price);
    expectTypeOf(codec.decode).returns.toEqualTypeOf<Price>();
  });

  it('lists the issues of another shape', () => {
    const error = failure(() => codec.decode(codec.encode({ symbol: 1, price: -1 } as unknown as Price)));
    expect(error).toMatchObject({ code: 'ERR_DECODE', reason: 'schema' });
    expect(error.issues).toHaveLength(2);
    expect(error.message).toContain('symbol: ');
    expect(error.message).toContain('price: ');
  });

  it('throws nothing but DecodeError', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(failure(() => codec.decode(bytes)).code).toBe('ERR_DECODE');
      }),
    );
  });
});

describe('cborCodec', () => {
  it('trusts the shape without a schema', () => {
    expect(cborCodec<Price>().decode(encodeCbor([1]))).toEqual([1]);
  });

  it('hands on its limits', () => {
    const codec = cborCodec<number[]>({ maxItems: 2 });
    expect(failure(() => codec.decode(codec.encode([1, 2]))).reason).toBe('limit');
  });

  it('gives what the schema makes of the value', () => {
    const codec = cborCodec({
      schema: v.pipe(
        v.string(),
        v.transform((text) => text.length),
      ) as StandardSchemaV1<unknown, number>,
    });
    expect(codec.decode(encodeCbor('four'))).toBe(4);
  });
});

describe('validateSync', () => {
  it('refuses a schema that is asynchronous, and swallows what becomes of it', () => {
    const later = schemaOf(() => Promise.reject(new Error('later')));
    expect(failure(() => validateSync(later, 1)).message).toContain('asynchronously');
  });

  it('wraps what a schema throws', () => {
    const cause = new Error('broken');
    const broken = schemaOf(() => {
      throw cause;
    });
    expect(failure(() => validateSync(broken, 1))).toMatchObject({ reason: 'schema', cause });
  });

  it('names three issues and counts the others', () => {
    const issues = ['a', 'b', 'c', 'd', 'e'].map((message) => ({ message, path: [{ key: 'list' }, 0] }));
    const error = failure(() =>
      validateSync(
        schemaOf(() => ({ issues })),
        1,
      ),
    );
    expect(error.message).toBe('of another shape than agreed: list.0: a; list.0: b; list.0: c; and 2 more');
    expect(error.issues).toBe(issues);
  });
});

describe('the other codecs', () => {
  it('bytes are handed on as they are', () => {
    const bytes = Uint8Array.of(1, 2);
    expect(bytesCodec.encode(bytes)).toBe(bytes);
    expect(bytesCodec.decode(bytes)).toBe(bytes);
  });

  it('text is UTF-8, with its byte order mark, and nothing else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(textCodec.decode(textCodec.encode(text))).toBe(text);
      }),
    );
    expect(textCodec.decode(utf8ToBytes('\ufeffa'))).toBe('\ufeffa');
    expect(failure(() => textCodec.decode(Uint8Array.of(0xc3))).reason).toBe('malformed');
  });

  it('JSON refuses what it cannot write, and what is none', () => {
    const codec = jsonCodec<unknown>();
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        expect(codec.decode(codec.encode(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    expect(() => codec.encode(undefined)).toThrow(EncodeError);
    expect(() => codec.encode(1n)).toThrow(EncodeError);
    expect(failure(() => codec.decode(utf8ToBytes('{'))).reason).toBe('malformed');
  });
});
