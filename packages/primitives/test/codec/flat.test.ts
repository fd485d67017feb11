import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EncodeError, encodeCbor, encodeCborInto } from '../../src/codec/index.ts';
import { expectSame } from './other.ts';

/** A shape is known by then. */
const MANY = 100;

const trade = (sequence: number) => ({ sequence, symbol: 'ETHUSD', price: 1.5, isBuy: true, note: null });

function learn(value: object): void {
  for (let round = 0; round < MANY; round++) expectSame(value);
}

describe('encodeCbor of flat objects of one shape', () => {
  it('writes what others do, whatever the numbers and texts', () => {
    const numbers = [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, -1, -24, -25, -(2 ** 32), 0.1, 1e300];
    const texts = [
      '',
      'a',
      'x'.repeat(23),
      'x'.repeat(24),
      'x'.repeat(63),
      'x'.repeat(64),
      'é',
      'ab\u6c34',
      '\u{1f600}',
    ];
    for (let round = 0; round < MANY; round++) {
      for (const number of numbers) expectSame({ ...trade(number), price: number });
      for (const text of texts) expectSame({ ...trade(round), symbol: text });
    }
  });

  it('keeps -0 and NaN', () => {
    learn(trade(1));
    for (const [value, hex] of [
      [-0, 'fb8000000000000000'],
      [Number.NaN, 'fb7ff8000000000000'],
    ] as const) {
      expect(Buffer.from(encodeCbor({ ...trade(1), price: value })).toString('hex')).toContain(hex);
    }
  });

  it('writes values that are not flat among those that are', () => {
    for (let round = 0; round < MANY; round++) {
      expectSame(trade(round));
      expectSame({ ...trade(round), note: { deeper: [round] } });
      expectSame({ ...trade(round), symbol: Uint8Array.of(1, 2) });
    }
  });

  it('writes other orders, and fewer and more keys', () => {
    for (let round = 0; round < MANY; round++) {
      expectSame({ a: 1, b: 'x', c: true });
      expectSame({ b: 'x', a: 1, c: true });
      expectSame({ a: 1, b: 'x' });
      expectSame({ a: 1, b: 'x', c: true, d: null });
      expectSame({ a: 1, c: true, b: 'x' });
    }
  });

  it('writes keys whatever they are', () => {
    for (const key of [
      '"',
      "'",
      '\\',
      '\n',
      '\u2028',
      '`',
      'constructor',
      'toString',
      'é',
      '\u6c34',
      '1',
      '',
      'k'.repeat(64),
    ])
      learn({ first: 1, [key]: 2 });
  });

  it('refuses __proto__ as a key, again and again', () => {
    const value: unknown = JSON.parse('{"a": 1, "__proto__": 2}');
    for (let round = 0; round < MANY; round++) expect(() => encodeCbor(value)).toThrow(EncodeError);
  });

  it('writes own fields only', () => {
    learn({ own: 1, inherited: 2 });
    const expected = encodeCbor({ own: 1 });
    const prototype: Record<string, unknown> = Object.prototype as never;
    try {
      prototype['inherited'] = 3;
      expect(encodeCbor({ own: 1 })).toEqual(expected);
    } finally {
      delete prototype['inherited'];
    }
  });

  it('throws what a getter throws, and goes on', () => {
    learn(trade(1));
    const failing = { ...trade(1) };
    Object.defineProperty(failing, 'price', {
      enumerable: true,
      get: () => {
        throw new Error('no price');
      },
    });
    expect(() => encodeCbor(failing)).toThrow('no price');
    expectSame(trade(2));
  });

  it('asks a getter once', () => {
    let asked = 0;
    const value = {
      get once(): number {
        return ++asked;
      },
    };
    for (let round = 1; round <= MANY; round++) {
      encodeCbor(value);
      expect(asked).toBe(round);
    }
  });

  it('lets a getter encode something itself', () => {
    learn(trade(1));
    const value = {
      ...trade(7),
      get symbol(): string {
        return String(encodeCbor(trade(8)).length);
      },
    };
    expectSame({ ...value, symbol: value.symbol });
    expect(encodeCbor(value)).toEqual(encodeCbor({ ...value, symbol: value.symbol }));
  });

  it('says when there is not room enough, and writes where there just is', () => {
    learn(trade(1));
    const expected = encodeCbor(trade(1));
    for (let length = 0; length < expected.length + 20; length++) {
      const end = encodeCborInto(trade(1), new Uint8Array(length), 0);
      if (length < expected.length) expect(end).toBeUndefined();
      if (length >= expected.length + 12) expect(end).toBe(expected.length);
    }
  });

  it('writes objects of few shapes in any order', () => {
    const scalar = fc.oneof(
      fc.double(),
      fc.integer(),
      fc.string({ unit: 'grapheme', maxLength: 70 }).filter((text) => text.isWellFormed()),
      fc.boolean(),
      fc.constant(null),
    );
    const shapes = [['a', 'b', 'c'], ['b', 'a'], ['a', 'c', 'd', 'e'], ['z']];
    const object = fc
      .tuple(fc.constantFrom(...shapes), fc.array(scalar, { minLength: 5, maxLength: 5 }))
      .map(([keys, values]) => Object.fromEntries(keys.map((key, index) => [key, values[index]])));
    fc.assert(
      fc.property(fc.array(object, { minLength: 1, maxLength: 40 }), (objects) => {
        for (const one of objects) {
          if (Object.values(one).some((value) => typeof value === 'number' && !isExchanged(value))) continue;
          expectSame(one);
        }
      }),
    );
  });

  it('writes the same where no code may be made', () => {
    const program = `
      import { encodeCbor } from ${JSON.stringify(new URL('../../src/codec/index.ts', import.meta.url).href)};
      for (let n = 0; n < 200; n++) encodeCbor({ n, text: 'x', ok: true });
      console.log(Buffer.from(encodeCbor({ n: 1, text: 'x', ok: true })).toString('hex'));`;
    const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '--eval', program];
    const printed = execFileSync(process.execPath, flags, { encoding: 'utf8' });
    expect(printed.trim()).toBe(Buffer.from(encodeCbor({ n: 1, text: 'x', ok: true })).toString('hex'));
  });
});

/** The other implementation writes -0 as 0, and some integers beyond 32 bits as such. */
function isExchanged(value: number): boolean {
  return (
    !Object.is(value, -0) && !Number.isNaN(value) && !(Number.isInteger(value) && Math.abs(value) >= 2 ** 32)
  );
}
