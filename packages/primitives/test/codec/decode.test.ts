import { utf8ToBytes } from '@noble/hashes/utils.js';
import { describe, expect, it } from 'vitest';
import { DecodeError, type DecodeLimits, decodeCbor } from '../../src/codec/index.ts';
import { hex, toHex } from './hex.ts';
import { DETERMINISTIC, OTHERS_DECODED, REFUSED } from './rfc8949.ts';

const refuse = (text: string, limits?: DecodeLimits): DecodeError => {
  try {
    decodeCbor(hex(text), limits);
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError);
    return error as DecodeError;
  }
  throw new Error(`taken: ${text}`);
};

describe('what decodeCbor takes', () => {
  it.each([...DETERMINISTIC, ...OTHERS_DECODED])('takes %s of RFC 8949, Appendix A', (text) => {
    decodeCbor(hex(text));
  });

  it.each(REFUSED)('refuses %s: %s', (text) => {
    expect(refuse(text).reason).toBe('malformed');
  });

  it('refuses every strict prefix and every extension of a well-formed item', () => {
    for (const [text] of [...DETERMINISTIC, ...OTHERS_DECODED]) {
      for (let length = 0; length < text.length; length += 2) {
        expect(refuse(text.slice(0, length)).message).toContain('it ends too early');
      }
      expect(refuse(`${text}00`).message).toContain('1 bytes too many');
    }
  });

  it('refuses reserved heads and lengths that cannot be, alone and within', () => {
    const heads = [
      '1c',
      '1d',
      '1e',
      '1f',
      '3c',
      '3f',
      '5c',
      '5e',
      '7d',
      '9c',
      '9e',
      'bc',
      'be',
      'dc',
      'df',
      'fc',
      'fe',
    ];
    for (const head of heads) {
      for (const text of [head, `9f${head}`, `bf${head}`, `81${head}`, `a1${head}`, `a161${head}`])
        refuse(text);
    }
    for (let byte = 0; byte <= 0xff; byte++) {
      const low = toHex(Uint8Array.of(byte));
      refuse(`5f${low}`);
      refuse(`7f${low}`);
      refuse(`f8${low}`);
    }
  });

  it('refuses a break that ends nothing', () => {
    for (const text of [
      'ff',
      '81ff',
      '8201ff',
      'a1ff',
      'a161 61ff',
      'bf6161ff',
      'bf616101 6162ff',
      '9f81ff',
      'c1ff',
    ]) {
      expect(refuse(text).message).toContain('byte');
    }
  });

  it.each([
    ['an array of 2^32 items', '9b0000000100000000'],
    ['an array of 2^32 - 1 items', '9affffffff00'],
    ['an array of 2^63 items', '9b8000000000000000'],
    ['a map of 2^31 entries', 'ba8000000000'],
    ['a map of half the bytes it needs', 'a2010203'],
    ['bytes of 2^32', '5b0000000100000000'],
    ['bytes of 2^64 - 1', '5bffffffffffffffff00'],
    ['text of 4 GiB', '7affffffff'],
    ['nested arrays that each claim all the rest', '9800ff'.replace('00', '40') + '9840'.repeat(3)],
  ])('refuses %s', (_, text) => {
    expect(refuse(text).reason).toBe('malformed');
  });

  it('refuses what is nested too deeply, in every way', () => {
    const ways: [string, string][] = [
      ['81', '00'],
      ['9f', '00'],
      ['a100', '00'],
      ['d9010281', '00'],
      ['d90103a100', '00'],
      ['81', '80'],
      ['81', 'a0'],
    ];
    for (const [open, end] of ways) {
      const error = refuse(open.repeat(100) + end);
      expect(error.reason).toBe('limit');
      expect(error.message).toContain('deeper than 64');
    }
    decodeCbor(hex(`${'81'.repeat(64)}00`));
    expect(refuse(`${'81'.repeat(65)}00`).reason).toBe('limit');
    expect(refuse(`${'81'.repeat(64)}80`).reason).toBe('limit');
    expect(refuse('8100', { maxDepth: 0 }).reason).toBe('limit');
    expect(refuse('81'.repeat(1000), { maxDepth: 10_000 }).message).toContain('deeper than 512');
    expect(refuse('c1'.repeat(1000)).reason).toBe('malformed');
  });

  it('refuses keys that an object cannot have, before it goes into them', () => {
    for (const text of ['a1'.repeat(100), 'a18000', 'a1a000', 'a14000', 'a1f600', 'a1f700', 'a1c10000']) {
      expect(refuse(text).message).toContain('a key that an object cannot have');
    }
    expect(decodeCbor(hex('a3 01 61 61 20 61 62 f5 61 63'))).toEqual({ 1: 'a', '-1': 'b', true: 'c' });
  });

  it('refuses text that is not UTF-8, short and long, as key and as value', () => {
    const wrong = ['ff', 'c0af', 'c3', 'c328', 'e080af', 'eda080', 'f4908080', '80'];
    for (const text of wrong) {
      for (const bytes of [text, '61'.repeat(40) + text, '61'.repeat(100) + text]) {
        const head = `78${(bytes.length / 2).toString(16).padStart(2, '0')}`;
        expect(refuse(head + bytes).message).toContain('not UTF-8');
        expect(refuse(`a1${head}${bytes}00`).message).toContain('not UTF-8');
      }
    }
  });

  it('counts items, and bytes', () => {
    decodeCbor(hex('83010203'), { maxItems: 4, maxBytes: 4 });
    expect(refuse('83010203', { maxItems: 3 }).reason).toBe('limit');
    expect(refuse('83010203', { maxBytes: 3 }).reason).toBe('limit');
    expect(refuse('a16161c100', { maxItems: 3 }).reason).toBe('limit');
    expect(refuse(`9f${'80'.repeat(1_000_000)}ff`).message).toContain('more than 1000000 items');
  });

  it('takes the tags that are exchanged, on what they are for', () => {
    const taken = ['c100', 'c120', 'c1f90000', 'c1fb0000000000000000', 'c240', 'c3', 'd9010280', 'd90103a0'];
    for (const text of taken) decodeCbor(hex(text === 'c3' ? 'c34101' : text));
    for (const [tag, size] of [
      ['40', 1],
      ['44', 1],
      ['45', 2],
      ['4e', 4],
      ['47', 8],
      ['56', 8],
    ] as const) {
      decodeCbor(hex(`d8${tag}40`));
      decodeCbor(hex(`d8${tag}${(0x40 + size).toString(16)}${'00'.repeat(size)}`));
      if (size > 1) refuse(`d8${tag}4100`);
    }
  });

  it('refuses a tag on something else', () => {
    const date = [
      'c160',
      'c140',
      'c180',
      'c1a0',
      'c1f6',
      'c1c100',
      'c11b0000000000000000',
      'c13b0000000000000000',
    ];
    const bytes = [
      'c200',
      'c280',
      'c2a16a627974654c656e6774681a7fffffff',
      'c25fff',
      'c360',
      'd84580',
      'd84600',
    ];
    const containers = ['d90102a0', 'd9010240', 'd9010380', 'd90103d9010280', 'd90103d90103a0'];
    for (const text of [...date, ...bytes, ...containers]) refuse(text);
  });

  it('refuses the tags of cbor-x for records, references, packing and bundles', () => {
    for (const tag of [
      'c6',
      'd81b',
      'd81c',
      'd81d',
      'd833',
      'd869',
      'd9dff9',
      'd9dffe',
      'd9dfff',
      'd9e000',
      'd9ffff',
      'da53687264',
    ]) {
      for (const content of ['00', '80', '8419e00081616101', '40']) refuse(tag + content);
    }
    for (const tag of ['d84c', 'd850', 'd853', 'd854', 'd857', 'd858', 'd83f', 'db0000000100000001'])
      refuse(`${tag}40`);
  });

  it('refuses a bignum that takes too long to read', () => {
    decodeCbor(hex(`c2590100${'ff'.repeat(256)}`));
    expect(refuse(`c2590101${'ff'.repeat(257)}`).reason).toBe('limit');
  });

  it('refuses the key __proto__, and takes it as a value', () => {
    const proto = `69${toHex(utf8ToBytes('__proto__'))}`;
    expect(refuse(`a1${proto}a0`).message).toContain('__proto__');
    refuse(`bf616100${proto}00ff`);
    refuse(`a1 6161 a1 ${proto} 00`);
    refuse(`81 a2 616100 ${proto} 00`);
    refuse(`a1 ${proto.replace('69', '7809')} 00`);
    refuse(`a1 ${proto.replace('69', '7b0000000000000009')} 00`);
    for (const text of [proto, `81${proto}`, `a16161${proto}`, `bf6161${proto}ff`, `d9010281${proto}`]) {
      expect(decodeCbor(hex(text))).toBeDefined();
    }
  });

  it('refuses integers that a number does not hold, where numbers are wanted', () => {
    for (const text of ['1b001fffffffffffff', '3b001ffffffffffffe']) {
      decodeCbor(hex(text), { int64: 'number' });
      expect(Number.isSafeInteger(decodeCbor(hex(text), { int64: 'number' }))).toBe(true);
    }
    for (const text of ['1b0020000000000000', '3b001fffffffffffff', '1bffffffffffffffff']) {
      expect(refuse(text, { int64: 'number' }).message).toContain('beyond 2^53 - 1');
      decodeCbor(hex(text));
    }
    for (const text of ['1b', '1bff', '18', '3a00']) refuse(text, { int64: 'number' });
  });

  it('says where', () => {
    expect(refuse('8301fc02').offset).toBe(2);
    expect(refuse('820102ff').offset).toBe(3);
  });
});
