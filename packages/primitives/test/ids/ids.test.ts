import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  compareIds,
  deriveId,
  type GroupId,
  idFromBytes,
  idToBytes,
  isUniqueId,
  type NetworkId,
  networkId,
  type PeerId,
  peerIdFromBytes,
  randomId,
  type StreamId,
  shortId,
  streamId,
  type Tag,
  type UniqueId,
  uniqueId,
} from '../../src/ids/index.ts';
import { CONTEXT, VECTORS } from './blake3-vectors.ts';

const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => index % 251);
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const ids = bytes32.map((bytes) => idFromBytes(bytes));

describe('BLAKE3', () => {
  it.each(VECTORS)('gives the published hash of $length bytes', ({ length, hash, derived }) => {
    const input = counting(length);
    expect(bytesToHex(blake3(input))).toBe(hash);
    expect(bytesToHex(blake3(input, { context: utf8ToBytes(CONTEXT) }))).toBe(derived);
  });
});

describe('uniqueId', () => {
  it('is the BLAKE3 of the UTF-8 text', () => {
    expect(uniqueId('')).toBe(VECTORS[0]?.hash);
    expect(uniqueId('\0')).toBe(VECTORS[1]?.hash);
    // Published with the reference implementation (`b3sum` of "abc").
    expect(uniqueId('abc')).toBe('6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85');
    expect(uniqueId('é')).toBe(bytesToHex(blake3(Uint8Array.of(0xc3, 0xa9))));
  });

  it('takes the text of an id as it is, in lowercase', () => {
    fc.assert(
      fc.property(ids, (id) => {
        expect(uniqueId(id)).toBe(id);
        expect(uniqueId(id.toUpperCase())).toBe(id);
      }),
    );
  });

  it('hashes text that is nearly an id', () => {
    const id = uniqueId('x');
    for (const text of [id.slice(1), `${id}0`, `g${id.slice(1)}`, `0x${id}`, `${id}\n`]) {
      expect(uniqueId(text)).not.toBe(text);
      expect(isUniqueId(uniqueId(text))).toBe(true);
    }
  });

  it('gives the same text one id whatever it names', () => {
    expect<string>(streamId('a')).toBe(networkId('a'));
  });
});

describe('the bytes of an id', () => {
  it('round trip', () => {
    fc.assert(
      fc.property(bytes32, (bytes) => {
        expect(idToBytes(idFromBytes(bytes))).toEqual(bytes);
        expect(isUniqueId(idFromBytes(bytes))).toBe(true);
        expect<string>(peerIdFromBytes(bytes)).toBe(idFromBytes(bytes));
      }),
    );
  });

  it('must be 32', () => {
    for (const length of [0, 31, 33]) {
      expect(() => idFromBytes(new Uint8Array(length))).toThrow(`id: 32 bytes, not ${length}`);
    }
  });

  it('order ids', () => {
    fc.assert(
      fc.property(fc.array(ids), (list) => {
        const byBytes = list.map(idToBytes).sort((a, b) => {
          const at = a.findIndex((byte, index) => byte !== b[index]);
          return at < 0 ? 0 : (a[at] as number) - (b[at] as number);
        });
        expect([...list].sort(compareIds)).toEqual(byBytes.map((bytes) => idFromBytes(bytes)));
      }),
    );
  });
});

describe('deriveId', () => {
  const base = uniqueId('base');

  it('follows the documented construction', () => {
    const text = '01_00000002_6162';
    const byte = '02_00000001_ff';
    const emptyText = '01_00000000';
    const material = (base + text + byte + emptyText).replaceAll('_', '');
    const expected = blake3(hex(material), { context: utf8ToBytes('mosaik 2026-11-22 derived id v1') });
    expect(deriveId(base, 'ab', Uint8Array.of(0xff), '')).toBe(bytesToHex(expected));
  });

  it('never changes between releases', () => {
    expect(deriveId(base)).toBe('fd3d5122d03c7a3f0695a8adb3e13c720144878f65958b139a4a4d0f8eabbd88');
    expect(deriveId(base, 'group', Uint8Array.of(1, 2, 3), uniqueId('x'))).toBe(
      'a7967e96fe247b08d620975b4617a017af08c85f2449a7a1d288539ee62f615c',
    );
  });

  it('tells all lists of parts apart', () => {
    const parts = fc.array(fc.oneof(fc.string({ maxLength: 3 }), fc.uint8Array({ maxLength: 3 })), {
      maxLength: 4,
    });
    const shape = (list: (string | Uint8Array)[]): string =>
      JSON.stringify(list.map((part) => (typeof part === 'string' ? part : [...part])));
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        expect(deriveId(base, ...a) === deriveId(base, ...b)).toBe(shape(a) === shape(b));
      }),
    );
  });

  it('tells text from the same bytes, and splits apart', () => {
    const derived = [
      deriveId(base),
      deriveId(base, ''),
      deriveId(base, 'ab'),
      deriveId(base, 'a', 'b'),
      deriveId(base, utf8ToBytes('ab')),
      deriveId(base, base),
      deriveId(base, idToBytes(base)),
      deriveId(deriveId(base, 'a'), 'b'),
    ];
    expect(new Set([base, ...derived]).size).toBe(9);
  });
});

describe('other forms', () => {
  it('shortens to the first ten characters', () => {
    expect(shortId(uniqueId('abc'))).toBe('6437b3ac38');
  });

  it('knows an id when it sees one', () => {
    const id = uniqueId('x');
    for (const value of ['', id.slice(1), id.toUpperCase(), `${id}\n`, 1, null, undefined, {}, [id]]) {
      expect(isUniqueId(value)).toBe(false);
    }
  });

  it('takes random ids from the runtime', () => {
    const randomBytes = (count: number): Uint8Array => counting(count + 1).subarray(1);
    expect(randomId({ randomBytes })).toBe(bytesToHex(counting(33).subarray(1)));
  });
});

describe('the brands', () => {
  it('are ids, but not each other', () => {
    expectTypeOf<PeerId>().toExtend<UniqueId>();
    expectTypeOf<PeerId>().toExtend<string>();
    expectTypeOf<UniqueId>().not.toExtend<PeerId>();
    expectTypeOf<PeerId>().not.toExtend<NetworkId>();
    expectTypeOf<StreamId>().not.toExtend<GroupId>();
    expectTypeOf<string>().not.toExtend<Tag>();
    expectTypeOf(uniqueId<NetworkId>('a')).toEqualTypeOf<NetworkId>();
  });
});

function hex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
