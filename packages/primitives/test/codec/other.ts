import { Encoder } from 'cbor-x/encode';
import { expect } from 'vitest';
import { encodeCbor, encodeCborInto } from '../../src/codec/index.ts';

/** Another implementation, told to write what we exchange. */
export const other: Encoder = new Encoder({
  useRecords: false,
  mapsAsObjects: true,
  variableMapSize: true,
  tagUint8Array: false,
  structuredClone: false,
});

/** A value is written as the other implementation does, also in place, where there is much room behind it. */
export function expectSame(value: unknown): void {
  const expected = Uint8Array.from(other.encode(value));
  expect(encodeCbor(value)).toEqual(expected);
  const target = new Uint8Array(expected.length + 4_000);
  expect(encodeCborInto(value, target, 7)).toBe(7 + expected.length);
  expect(target.subarray(7, 7 + expected.length)).toEqual(expected);
}
