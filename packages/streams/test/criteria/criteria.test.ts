import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CRITERIA_LIMITS, type Criteria } from '../../src/criteria/criteria.ts';
import { compileCriteria } from '../../src/criteria/filter.ts';
import { CriteriaError } from '../../src/errors.ts';

interface Order {
  readonly symbol: string;
  readonly price: number;
  readonly side?: string;
  readonly at?: Date;
  readonly big?: bigint;
  readonly venue?: { readonly name: string; readonly tags: readonly string[] };
}

const order: Order = {
  symbol: 'BTC',
  price: 100,
  at: new Date(1_000),
  big: 2n ** 60n,
  venue: { name: 'X', tags: ['a', 'b'] },
};

function nested(depth: number): object {
  return depth === 0 ? { price: 1 } : { $and: [nested(depth - 1)] };
}

describe('criteria', () => {
  const cases: readonly (readonly [Criteria<Order>, boolean])[] = [
    [{}, true],
    [{ symbol: 'BTC' }, true],
    [{ symbol: 'ETH' }, false],
    [{ symbol: { $eq: 'BTC' } }, true],
    [{ symbol: { $ne: 'BTC' } }, false],
    [{ price: { $gt: 100 } }, false],
    [{ price: { $gte: 100 } }, true],
    [{ price: { $lt: 100 } }, false],
    [{ price: { $lte: 100 } }, true],
    [{ price: { $gt: 50, $lt: 150 } }, true],
    [{ symbol: { $in: ['ETH', 'BTC'] } }, true],
    [{ symbol: { $in: [] } }, false],
    [{ symbol: { $nin: ['ETH', 'BTC'] } }, false],
    [{ side: { $exists: false } }, true],
    [{ side: { $exists: true } }, false],
    [{ price: { $not: { $gt: 100 } } }, true],
    [{ price: { $not: { $gte: 100 } } }, false],
    [{ $and: [{ symbol: 'BTC' }, { price: 100 }] }, true],
    [{ $or: [{ symbol: 'ETH' }, { price: 100 }] }, true],
    [{ $or: [{ symbol: 'ETH' }, { price: 1 }] }, false],
    [{ $nor: [{ symbol: 'ETH' }, { price: 1 }] }, true],
    [{ 'venue.name': 'X' }, true],
    [{ 'venue.name': { $in: ['Y'] } }, false],
    [{ 'venue.tags': 'b' }, true],
    [{ at: { $gte: new Date(1_000) } }, true],
    [{ at: { $gt: new Date(1_000) } }, false],
    [{ big: { $gt: 2n ** 59n } }, true],
  ];
  it.each(cases)('%o of an order: %s', (criteria, isWanted) => {
    expect(compileCriteria(criteria)(order)).toBe(isWanted);
  });

  it('choose what a predicate by hand chooses', () => {
    const orders = fc.record({ symbol: fc.constantFrom('A', 'B', 'C'), price: fc.double() });
    const filter = compileCriteria({ symbol: { $in: ['A', 'B'] }, price: { $gte: 0, $lt: 1e9 } });
    fc.assert(
      fc.property(orders, (datum) => {
        const isWanted = datum.symbol !== 'C' && datum.price >= 0 && datum.price < 1e9;
        expect(filter(datum)).toBe(isWanted);
      }),
    );
  });

  it.each([
    ['a list', [], 'an object was expected'],
    ['a text', 'price > 3', 'an object was expected'],
    ['nothing', null, 'an object was expected'],
    ['an operator that does not exist', { price: { $near: 3 } }, 'no operator $near'],
    ['code', { $where: 'while (true) {}' }, 'no operator $where'],
    ['a function', { price: () => true }, 'cannot be compared with function'],
    ['a function in a list', { price: { $in: [() => true] } }, 'cannot be compared with function'],
    ['a regular expression', { symbol: /(a+)+$/ }, 'cannot be compared with object'],
    ['a regular expression by name', { symbol: { $regex: '(a+)+$' } }, 'no operator $regex'],
    ['an object to compare with', { venue: { name: 'X' } }, 'cannot be compared with object'],
    ['a list to compare with', { price: { $gt: [1] } }, 'cannot be compared with a list'],
    ['a set that is no list', { price: { $in: 3 } }, 'takes a list'],
    ['an $exists that is no boolean', { price: { $exists: 1 } }, 'true or false'],
    ['a $not of a value', { price: { $not: 3 } }, 'an object was expected'],
    ['an empty $or', { $or: [] }, 'not empty'],
    ['too deep a nesting', nested(CRITERIA_LIMITS.depth + 1), 'nested deeper'],
    [
      'too many fields',
      Object.fromEntries(Array.from({ length: CRITERIA_LIMITS.nodes + 1 }, (_, n) => [`f${n}`, n])),
      'more than 128',
    ],
    ['too large a set', { price: { $in: Array.from({ length: 257 }, (_, n) => n) } }, 'more than 256 values'],
    [
      'too large sets together',
      { a: { $in: Array(200).fill(1) }, b: { $nin: Array(57).fill(1) } },
      'more than 256 values',
    ],
    ['too long a text', { symbol: 'x'.repeat(1_025) }, 'longer than 1024'],
    ['too long a path', { ['x'.repeat(1_025)]: 1 }, 'too long'],
  ])('with %s are refused', (_, criteria, message) => {
    expect(() => compileCriteria(criteria)).toThrow(CriteriaError);
    expect(() => compileCriteria(criteria)).toThrow(message);
  });

  it('at their limits are taken', () => {
    compileCriteria(nested(CRITERIA_LIMITS.depth - 1));
    compileCriteria({ price: { $in: Array.from({ length: 256 }, (_, n) => n) } });
  });

  it('of any shape filter any datum, or are refused: nothing else is thrown', () => {
    const shapes = fc.dictionary(
      fc.constantFrom('$and', '$or', '$in', '$not', '$exists', 'a', 'a.b'),
      fc.anything(),
    );
    fc.assert(
      fc.property(shapes, fc.anything(), (criteria, datum) => {
        try {
          expect(typeof compileCriteria(criteria)(datum)).toBe('boolean');
        } catch (error) {
          expect(error).toBeInstanceOf(CriteriaError);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('want nothing that cannot be evaluated', () => {
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('no');
        },
      },
    );
    expect(compileCriteria({ price: 1 })(hostile)).toBe(false);
  });
});
