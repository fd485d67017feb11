import { DecodeError, encodeCanonical, encodeCbor, idToBytes } from '@mosaik/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEntry, ENTRY_LIMITS, encodeEntry } from '../../src/entry/entry-codec.ts';
import { sayTheSame } from '../../src/entry/peer-entry.ts';
import { NETWORK, peerId } from '../support/entries.ts';
import { entries } from './arbitraries.ts';

const ID = new Uint8Array(32).fill(7);

/** The fields of a plain entry, as they are on the wire. */
const FIELDS = {
  v: 1,
  n: idToBytes(NETWORK),
  p: idToBytes(peerId('a')),
  s: 1_700_000_000_000,
  u: 1_700_000_000_001,
  a: ['sim://a'],
  t: [ID],
  st: [ID],
  g: [ID],
  so: [ID],
  k: [[ID, new Uint8Array(3), null]],
  nm: { ['07'.repeat(32)]: 'seven' },
  d: false,
};

describe('an entry', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        const read = decodeEntry(encodeEntry(entry));
        expect(read).toEqual(entry);
        expect(sayTheSame(read, entry)).toBe(true);
      }),
    );
  });

  it('has one encoding, whatever the order in which its fields were written', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        const reversed = Object.fromEntries(Object.entries(entry).reverse()) as unknown as typeof entry;
        expect(encodeEntry(reversed)).toEqual(encodeEntry(entry));
      }),
    );
  });

  it('of a later format is read for the fields that are known', () => {
    const later = { ...FIELDS, v: 2, zz: { nested: [1, 'two'] }, w: new Uint8Array(9) };
    const read = decodeEntry(encodeCanonical(later));
    expect(read).toEqual({ ...decodeEntry(encodeCanonical(FIELDS)), format: 2 });
  });

  it('without names or without a goodbye is one all the same', () => {
    const { nm: _nm, d: _d, ...rest } = FIELDS;
    expect(decodeEntry(encodeCanonical(rest))).toMatchObject({ names: {}, isDeparted: false });
  });
});

describe('refused with a DecodeError is', () => {
  const many = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);
  const variants: [what: string, value: unknown][] = [
    ['no map', [1, 2, 3]],
    ['bytes instead of a map', new Uint8Array(8)],
    ['null', null],
    ...['v', 'n', 'p', 's', 'u', 'a', 't', 'st', 'g', 'so', 'k'].map((field): [string, unknown] => [
      `an entry without ${field}`,
      Object.fromEntries(Object.entries(FIELDS).filter(([name]) => name !== field)),
    ]),
    ...['v', 's', 'u'].flatMap((field): [string, unknown][] => [
      [`${field} as text`, { ...FIELDS, [field]: '1' }],
      [`${field} below 0`, { ...FIELDS, [field]: -1 }],
      [`${field} with a fraction`, { ...FIELDS, [field]: 1.5 }],
      [`${field} not a number`, { ...FIELDS, [field]: Number.NaN }],
      [`${field} beyond 2^53`, { ...FIELDS, [field]: 2n ** 60n }],
    ]),
    ['an update before the start', { ...FIELDS, u: FIELDS.s - 1 }],
    ...['n', 'p'].flatMap((field): [string, unknown][] => [
      [`${field} of 31 bytes`, { ...FIELDS, [field]: ID.subarray(1) }],
      [`${field} of 33 bytes`, { ...FIELDS, [field]: new Uint8Array(33) }],
      [`${field} as text`, { ...FIELDS, [field]: '07'.repeat(32) }],
    ]),
    ...['t', 'st', 'g', 'so'].flatMap((field): [string, unknown][] => [
      [`${field} that is no list`, { ...FIELDS, [field]: ID }],
      [`${field} with a short id`, { ...FIELDS, [field]: [ID, ID.subarray(1)] }],
      [`${field} with too many ids`, { ...FIELDS, [field]: many(ENTRY_LIMITS.ids + 1, ID) }],
    ]),
    ['an address that is no text', { ...FIELDS, a: [1] }],
    ['an address that is too long', { ...FIELDS, a: ['x'.repeat(ENTRY_LIMITS.addressCharacters + 1)] }],
    ['too many addresses', { ...FIELDS, a: many(ENTRY_LIMITS.addresses + 1, 'x') }],
    ['a ticket that is no array', { ...FIELDS, k: [1] }],
    ['a ticket without data', { ...FIELDS, k: [[ID]] }],
    ['a ticket with a short class', { ...FIELDS, k: [[ID.subarray(1), ID, null]] }],
    ['a ticket that expires at a text', { ...FIELDS, k: [[ID, ID, 'never']] }],
    [
      'a ticket that is too large',
      { ...FIELDS, k: [[ID, new Uint8Array(ENTRY_LIMITS.ticketBytes + 1), null]] },
    ],
    ['too many tickets', { ...FIELDS, k: many(ENTRY_LIMITS.tickets + 1, [ID, ID, null]) }],
    ['names as a list', { ...FIELDS, nm: ['a'] }],
    ['a name that is no text', { ...FIELDS, nm: { a: 1 } }],
    ['a name that is too long', { ...FIELDS, nm: { a: 'x'.repeat(ENTRY_LIMITS.nameCharacters + 1) } }],
    ['a name of an id that is too long', { ...FIELDS, nm: { ['x'.repeat(65)]: 'a' } }],
    [
      'too many names',
      { ...FIELDS, nm: Object.fromEntries(many(ENTRY_LIMITS.names + 1, 'x').map((x, i) => [`${x}${i}`, x])) },
    ],
    ['a map that is nested too deep', { ...FIELDS, zz: nested(20) }],
  ];

  it.each(variants)('%s', (_, value) => {
    expect(() => decodeEntry(encodeCbor(value))).toThrow(DecodeError);
  });

  it('any noise, and any entry of which bytes were changed, or else it is an entry', () => {
    const isSafe = (bytes: Uint8Array): void => {
      try {
        decodeEntry(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 512 }), isSafe), { numRuns: 1_000 });
    const mutations = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(entries, mutations, fc.nat(), (entry, changes, cut) => {
        const bytes = encodeEntry(entry);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        isSafe(bytes);
        isSafe(bytes.subarray(0, cut % bytes.length));
      }),
      { numRuns: 1_000 },
    );
  });
});

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)];
}
