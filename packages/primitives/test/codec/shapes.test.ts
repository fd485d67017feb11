import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { DecodeOptions } from '../../src/codec/index.ts';
import * as codec from '../../src/codec/index.ts';
import { hex, toHex } from './hex.ts';

type Decode = (bytes: Uint8Array, options?: DecodeOptions) => unknown;

/** More than enough to learn the shape of an object, and to compile it. */
const MANY = 100;

/** A decoder that has learned nothing yet. */
async function freshDecoder(): Promise<Decode> {
  vi.resetModules();
  const { decodeCbor } = await import('../../src/codec/index.ts');
  return decodeCbor;
}

async function decoderTaught(...values: readonly unknown[]): Promise<Decode> {
  const decode = await freshDecoder();
  teach(decode, ...values.map((value) => codec.encodeCbor(value)));
  return decode;
}

function teach(decode: Decode, ...encodings: readonly Uint8Array[]): void {
  for (let round = 0; round < MANY; round++) for (const bytes of encodings) decode(bytes);
}

/** The value with the order of its keys, or all there is to know of the error. */
function outcome(decode: Decode, bytes: Uint8Array, options?: DecodeOptions): unknown {
  try {
    return ordered(decode(bytes, options));
  } catch (error) {
    const { name, reason, message, offset } = error as codec.DecodeError;
    return { name, reason, message, offset };
  }
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  return { entries: Object.entries(value).map(([key, item]) => [key, ordered(item)]) };
}

const trade = {
  sequence: 70_000,
  symbol: 'ETHUSD',
  venue: 'krx',
  price: 64_123.25,
  size: 0.125,
  isBuy: true,
};
const nested = { id: 1, order: { price: 1.5, side: 'buy' }, list: [1, { price: 2, side: 'sell' }], ok: null };

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('decodeCbor of objects that come again and again', () => {
  it('gives what it gave the first time, each a new one', async () => {
    const decode = await decoderTaught(trade, nested);
    for (const value of [trade, nested]) {
      const bytes = codec.encodeCbor(value);
      expect(ordered(decode(bytes))).toEqual(ordered(value));
      expect(decode(bytes)).not.toBe(decode(bytes));
    }
  });

  it('refuses every part of one as it did before', async () => {
    for (const value of [trade, nested]) {
      const cold = await freshDecoder();
      const warm = await decoderTaught(value);
      const { decodeCborWithin } = await import('../../src/codec/index.ts');
      const bytes = codec.encodeCbor(value);
      for (let length = 0; length < bytes.length; length++) {
        const part = bytes.subarray(0, length);
        const expected = outcome(cold, part);
        expect(outcome(warm, part)).toEqual(expected);
        // Where more follows in memory that is not a part of it.
        expect(outcome(() => decodeCborWithin(bytes, 0, length), part)).toEqual(expected);
      }
    }
  });

  it('counts items and depth as it did before', async () => {
    for (const value of [trade, nested]) {
      const [warm, cold] = [await decoderTaught(value), await freshDecoder()];
      const bytes = codec.encodeCbor(value);
      for (let most = 0; most < 30; most++) {
        for (const limits of [{ maxItems: most }, { maxDepth: most }, { maxBytes: 4 * most }]) {
          expect(outcome(warm, bytes, limits)).toEqual(outcome(cold, bytes, limits));
        }
      }
    }
  });

  it('keeps another order of the same keys', async () => {
    const decode = await decoderTaught({ a: 1, b: 2, c: 3 });
    for (const value of [
      { a: 1, c: 3, b: 2 },
      { c: 1, b: 2, a: 3 },
      { a: 1, b: 2, d: 3 },
      { a: 1, b: 2 },
    ]) {
      expect(ordered(decode(codec.encodeCbor(value)))).toEqual(ordered(value));
    }
  });

  it('takes other heads of the same object', async () => {
    const decode = await decoderTaught({ a: 1, b: 2 });
    for (const text of [
      'a2 6161 01 6162 02',
      'b802 6161 01 6162 02',
      'bf 6161 01 6162 02 ff',
      'a2 780161 01 6162 02',
    ]) {
      expect(ordered(decode(hex(text)))).toEqual(ordered({ a: 1, b: 2 }));
    }
  });

  it('tells shapes apart that begin alike', async () => {
    const shapes = [
      { type: 'move', x: 1, y: 2 },
      { type: 'chat', from: 'a', text: 'b' },
      { type: 'join', x: 'a', room: 'b' },
      { type: 'none', at: [1], by: {} },
      { type: 'more', many: 1, others: 2 },
    ];
    const decode = await decoderTaught(...shapes);
    for (const shape of shapes) expect(ordered(decode(codec.encodeCbor(shape)))).toEqual(ordered(shape));
  });

  it('reads what holds others only once, however deep', async () => {
    // Each level is tried with a shape that it turns out to be not of after what it holds was read.
    let value: unknown = 1;
    for (let depth = 0; depth < 60; depth++) value = { a: value, b: 1 };
    const decode = await decoderTaught({ a: 1, c: 1 }, { a: 1, d: 1 }, { a: 1, e: 1 });
    expect(ordered(decode(codec.encodeCbor(value)))).toEqual(ordered(value));
  });

  it.each<[string, string, unknown]>([
    ['a key twice', 'a3 6161 01 6162 02 6161 03', { a: 3, b: 2 }],
    ['an index', 'a3 6162 01 6132 02 6131 03', { 1: 3, 2: 2, b: 1 }],
    ['a number', 'a2 6162 01 02 03', { 2: 3, b: 1 }],
    ['the empty text', 'a2 60 01 6161 02', { '': 1, a: 2 }],
    [
      'names of what objects have',
      'a2 6b636f6e7374727563746f72 01 68746f537472696e67 02',
      { constructor: 1, toString: 2 },
    ],
  ])('keeps what it made of %s', async (_, text, value) => {
    const decode = await freshDecoder();
    for (let round = 0; round < MANY; round++) expect(ordered(decode(hex(text)))).toEqual(ordered(value));
  });

  it('keeps refusing what it refused', async () => {
    const decode = await freshDecoder();
    const proto = `69${toHex(new TextEncoder().encode('__proto__'))}`;
    for (let round = 0; round < MANY; round++) {
      expect(() => decode(hex(`a2 6161 01 ${proto} 02`))).toThrow('__proto__');
      expect(() => decode(hex('a2 6161 01 61ff 02'))).toThrow('not UTF-8');
      expect(() => decode(hex('a2 6161 01 80 02'))).toThrow('a key that an object cannot have');
    }
  });

  it('puts nothing of a key into code but its text', async () => {
    const keys = [
      '"',
      '\\',
      '\\"',
      "'",
      '`',
      '\u2028',
      '\0',
      '*/',
      '</script>',
      'é',
      '\u{1f600}',
      '\ufeff',
      ']',
      '};',
    ];
    const value = Object.fromEntries(keys.map((key, index) => [key, index]));
    const decode = await decoderTaught(value);
    expect(ordered(decode(codec.encodeCbor(value)))).toEqual(ordered(value));
  });

  it('keeps nothing of its input', async () => {
    const decode = await freshDecoder();
    const input = Buffer.from(codec.encodeCbor(trade));
    const kept = decode(input);
    teach(decode, input);
    input.fill(0);
    expect(kept).toEqual(trade);
    expect(ordered(decode(codec.encodeCbor(trade)))).toEqual(ordered(trade));
  });

  it('does not mind setters that all objects have', async () => {
    const decode = await decoderTaught(trade);
    const set = vi.fn();
    Object.defineProperty(Object.prototype, 'symbol', { set, configurable: true });
    try {
      expect(Object.hasOwn(decode(codec.encodeCbor(trade)) as object, 'symbol')).toBe(true);
    } finally {
      Reflect.deleteProperty(Object.prototype, 'symbol');
    }
    expect(set).not.toHaveBeenCalled();
  });
});

describe('decodeCbor where code may not be made', () => {
  it('gives the same', async () => {
    const compile = vi.fn(function refuse() {
      throw new EvalError('Code generation from strings disallowed for this context');
    });
    vi.stubGlobal('Function', compile);
    const decode = await decoderTaught(trade, nested);
    expect(compile).toHaveBeenCalledOnce();
    for (const value of [trade, nested]) {
      expect(ordered(decode(codec.encodeCbor(value)))).toEqual(ordered(value));
    }
    expect(() => decode(codec.encodeCbor(trade).subarray(0, 40))).toThrow('it ends too early');
  });
});

describe('what a peer can make the decoder learn', () => {
  it('is bounded in number', async () => {
    const compile = vi.spyOn(globalThis, 'Function');
    const decode = await freshDecoder();
    for (let shape = 0; shape < 2000; shape++) {
      const key = String.fromCharCode(97 + (shape % 26), 97 + (Math.floor(shape / 26) % 26)).repeat(
        1 + (shape % 7),
      );
      teach(decode, codec.encodeCbor({ [key]: shape, [`x${shape}`]: 1 }));
    }
    expect(compile.mock.calls.length).toBeGreaterThan(100);
    expect(compile.mock.calls.length).toBeLessThanOrEqual(256);
    compile.mockRestore();
  });

  it('is bounded in size', async () => {
    const compile = vi.spyOn(globalThis, 'Function');
    const decode = await freshDecoder();
    const wide = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`k${index}`, index]));
    const long = { ['x'.repeat(600)]: 1 };
    const different = Array.from({ length: 5000 }, (_, index) =>
      codec.encodeCbor({ a: 1, [`b${index}`]: 2 }),
    );
    teach(decode, codec.encodeCbor(wide), codec.encodeCbor(long));
    for (const bytes of different) decode(bytes);
    expect(compile).not.toHaveBeenCalled();
    compile.mockRestore();
  });
});

describe('a decoder that has learned beside one that has not', () => {
  const field = fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<unknown>(null, true, false, undefined, 'ETHUSD', 'BTCUSD', '', 'é', 1n, [], {}, [1, 2]),
    fc.constantFrom(0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, -1, -0, 0.5, Number.NaN),
    fc.integer(),
    fc.double(),
    fc.string({ maxLength: 40 }),
    fc.uint8Array({ maxLength: 5 }),
    fc.record({ x: fc.integer(), y: fc.double() }),
    fc.array(fc.record({ x: fc.integer(), y: fc.double() }), { maxLength: 3 }),
  );
  const shapes = [
    ['type', 'x', 'y'],
    ['type', 'from', 'text'],
    ['type', 'x', 'text', 'more'],
    ['sequence', 'symbol', 'venue', 'price', 'size', 'isBuy'],
    ['a very long key that is longer than most keys are', 'é'],
  ];
  const objects = fc
    .tuple(fc.constantFrom(...shapes), fc.array(field, { minLength: 6, maxLength: 6 }))
    .map(([keys, fields]) => Object.fromEntries(keys.map((key, index) => [key, fields[index]])));
  const change = fc.record({ at: fc.nat(), remove: fc.nat(2), insert: fc.uint8Array({ maxLength: 3 }) });

  /** By what a value began with, a function that was made for the shape reads it in one way or another. */
  const learned: readonly unknown[] = [
    { x: 1, y: 1 },
    0,
    200,
    30_000,
    1_000_000,
    -5,
    1.5,
    'ETHUSD',
    '',
    true,
    null,
  ];

  it.each(learned.map((value) => ({ value })))(
    'gives the same values and the same errors, when the values were like $value',
    async ({ value }) => {
      const warm = await freshDecoder();
      const templates = shapes.map((keys) =>
        codec.encodeCbor(Object.fromEntries(keys.map((key) => [key, value]))),
      );
      teach(warm, ...templates);
      // Too few objects for the other one to learn anything.
      const streams = fc.array(fc.tuple(objects, fc.array(change, { maxLength: 2 })), {
        minLength: 1,
        maxLength: 5,
      });
      await fc.assert(
        fc.asyncProperty(streams, fc.integer({ min: 1, max: 40 }), async (stream, maxItems) => {
          const cold = await freshDecoder();
          for (const [object, changes] of stream) {
            const bytes = [...codec.encodeCbor(object)];
            for (const { at, remove, insert } of changes)
              bytes.splice(at % (bytes.length + 1), remove, ...insert);
            const changed = Uint8Array.from(bytes);
            const options = maxItems > 30 ? {} : { maxItems };
            expect(outcome(warm, changed, options)).toEqual(outcome(cold, changed, options));
          }
        }),
        { numRuns: 200 },
      );
    },
    60_000,
  );
});
