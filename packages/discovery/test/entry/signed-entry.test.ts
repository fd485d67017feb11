import { DecodeError, decodeCbor, encodeCanonical, encodeCbor, idToBytes } from '@mosaik/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_ENTRY_BYTES, readSignedEntry, signEntry } from '../../src/entry/signed-entry.ts';
import { entryOf, forged, peerId, signed, signerOf, verify } from '../support/entries.ts';
import { entries } from './arbitraries.ts';

const ENTRY = entryOf(peerId('a'), { start: 1, update: 2 }, { addresses: ['sim://a'] });

describe('a signed entry', () => {
  it('is read as it was signed, and proven', async () => {
    await fc.assert(
      fc.asyncProperty(entries, async (entry) => {
        const { bytes } = await signed(entry);
        const read = readSignedEntry(bytes);
        expect(read.entry).toEqual(entry);
        expect(read.bytes).toBe(bytes);
        expect(await read.verify(verify)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('is not proven by the signature of another, nor when a byte of it was changed', async () => {
    expect(await readSignedEntry((await forged(ENTRY)).bytes).verify(verify)).toBe(false);
    const { bytes } = await signed(ENTRY);
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at] = (changed[at] as number) ^ 1;
      let isProven = false;
      try {
        isProven = await readSignedEntry(changed).verify(verify);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
      expect(isProven).toBe(false);
    }
  });

  it('is not proven by a signature over the same bytes for another purpose', async () => {
    const { bytes } = await signEntry(ENTRY, (data) => signerOf(ENTRY.peer)(data.slice(1)));
    expect(await readSignedEntry(bytes).verify(verify)).toBe(false);
  });

  it('with fields of a later version is passed on untouched, and still proven', async () => {
    let isContext = false;
    const { bytes } = await signEntry(ENTRY, async (data) => {
      isContext = new TextDecoder().decode(data).startsWith('mosaik peer entry 1\n');
      return new Uint8Array(64);
    });
    expect(isContext).toBe(true);
    const [payload] = decodeCbor(bytes) as [Uint8Array, Uint8Array];
    const fields = decodeCbor(payload) as Record<string, unknown>;
    const later = encodeCanonical({ ...fields, v: 2, future: ['field', 1] });
    const context = new TextEncoder().encode('mosaik peer entry 1\n');
    const data = new Uint8Array([...context, ...later]);
    const sent = encodeCanonical([later, await signerOf(ENTRY.peer)(data)]);

    const read = readSignedEntry(sent);
    expect(read.entry).toEqual({ ...ENTRY, format: 2 });
    expect(read.bytes).toBe(sent);
    expect(await read.verify(verify)).toBe(true);
    const [carried] = decodeCbor(read.bytes) as [Uint8Array, Uint8Array];
    expect(decodeCbor(carried)).toMatchObject({ future: ['field', 1] });
  });
});

describe('refused with a DecodeError is', () => {
  const payload = encodeCanonical({ p: idToBytes(peerId('a')) });
  const signature = new Uint8Array(64);
  const variants: [what: string, bytes: Uint8Array][] = [
    ['nothing', new Uint8Array()],
    ['noise', new Uint8Array([255, 254, 253])],
    ['no array', encodeCbor('entry')],
    ['an entry alone', encodeCbor([payload])],
    ['three things', encodeCbor([payload, signature, 1])],
    ['an entry that is not bytes', encodeCbor([{ p: 1 }, signature])],
    ['a signature that is not bytes', encodeCbor([payload, 'signature'])],
    ['a short signature', encodeCbor([payload, signature.subarray(1)])],
    ['a long signature', encodeCbor([payload, new Uint8Array(65)])],
    ['an entry that is none', encodeCbor([payload, signature])],
    ['more than an entry may have', encodeCbor([new Uint8Array(MAX_ENTRY_BYTES), signature])],
  ];

  it.each(variants)('%s', (_, bytes) => {
    expect(() => readSignedEntry(bytes)).toThrow(DecodeError);
  });

  it('any noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 256 }), (bytes) => {
        expect(() => readSignedEntry(bytes)).toThrow(DecodeError);
      }),
      { numRuns: 1_000 },
    );
  });
});
