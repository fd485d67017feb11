import { inspect } from 'node:util';
import { DecodeError, type GroupId, idFromBytes } from '@mosaik/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BondMessage, decodeBondMessage, encodeBondMessage } from '../../src/bonds/codec.ts';
import { groupIdOf, groupKey } from '../../src/bonds/key.ts';
import { isSameSecret, proofOf } from '../../src/bonds/proof.ts';

const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const rest = (max: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength: max });
const channel = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const group = bytes(32).map((id) => idFromBytes<GroupId>(id));

const message: fc.Arbitrary<BondMessage> = fc.oneof(
  fc.record({ kind: fc.constant('hello' as const), nonce: bytes(32), token: bytes(16), instance: bytes(16) }),
  fc.record({ kind: fc.constant('join' as const), channel, group, proof: bytes(32), status: rest(64) }),
  fc.record({ kind: fc.constant('beat' as const) }),
  fc.record({ kind: fc.constant('status' as const), channel, status: rest(64) }),
  fc.record({ kind: fc.constant('leave' as const), group }),
  fc.record({
    kind: fc.constant('refuse' as const),
    group,
    code: channel,
    reason: fc.string({ maxLength: 64, unit: 'grapheme-ascii' }),
  }),
  fc.record({ kind: fc.constant('message' as const), channel, payload: rest(64) }),
  fc.record({ kind: fc.constant('entry' as const), signed: rest(64) }),
);

describe('messages of a bond', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(message, (value) => {
        expect(decodeBondMessage(encodeBondMessage(value))).toEqual(value);
      }),
    );
  });

  it('of any bytes are read or refused, and nothing else', () => {
    const damaged = fc.tuple(message, fc.nat(), fc.nat(255), fc.nat(100)).map(([value, at, to, cut]) => {
      const encoded = Uint8Array.from(encodeBondMessage(value));
      encoded[at % encoded.length] = to;
      return encoded.subarray(0, cut < 50 ? encoded.length : cut);
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged), (input) => {
        try {
          expect(encodeBondMessage(decodeBondMessage(input))).toEqual(input);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  it('with a long reason, in whatever script, are cut to what a reader takes', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 60, maxLength: 400, unit: 'binary' }), group, (reason, id) => {
        const sent = encodeBondMessage({ kind: 'refuse', group: id, code: 1, reason });
        expect(decodeBondMessage(sent)).toMatchObject({ kind: 'refuse', code: 1 });
      }),
    );
  });
});

describe('a proof', () => {
  const greeting = {
    dialler: groupKey('a').derive('x') as never,
    acceptor: groupKey('b').derive('x') as never,
    diallerNonce: new Uint8Array(32).fill(1),
    acceptorNonce: new Uint8Array(32).fill(2),
  };
  const key = new Uint8Array(32).fill(3);
  const id = groupKey('g').derive('x') as GroupId;
  const proof = proofOf(key, id, greeting, 'dialler');

  it.each([
    ['key', proofOf(new Uint8Array(32), id, greeting, 'dialler')],
    ['group', proofOf(key, groupKey('h').derive('x') as GroupId, greeting, 'dialler')],
    ['role', proofOf(key, id, greeting, 'acceptor')],
    ['dialler', proofOf(key, id, { ...greeting, dialler: greeting.acceptor }, 'dialler')],
    ['acceptor', proofOf(key, id, { ...greeting, acceptor: greeting.dialler }, 'dialler')],
    ['nonce of the dialler', proofOf(key, id, { ...greeting, diallerNonce: key }, 'dialler')],
    ['nonce of the acceptor', proofOf(key, id, { ...greeting, acceptorNonce: key }, 'dialler')],
  ])('is another one with another %s', (_, other) => {
    expect(isSameSecret(proof, other)).toBe(false);
    expect(isSameSecret(proof, proofOf(key, id, greeting, 'dialler'))).toBe(true);
  });
});

describe('the comparison of two secrets', () => {
  /** Bytes that write down which of them are read. */
  function watched(source: Uint8Array) {
    const reads: string[] = [];
    const proxy = new Proxy(source, {
      get(target, name) {
        if (typeof name === 'string' && /^\d+$/.test(name)) reads.push(name);
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    return { proxy, reads };
  }

  it.each(['none', 0, 1, 15, 31] as const)(
    'reads all bytes of both, in order, whichever differs: %s',
    (at) => {
      const [a, b] = [new Uint8Array(32).fill(5), new Uint8Array(32).fill(5)];
      if (at !== 'none') b[at] = 6;
      const [left, right] = [watched(a), watched(b)];
      expect(isSameSecret(left.proxy, right.proxy)).toBe(at === 'none');
      const all = Array.from(a, (_, index) => `${index}`);
      expect(left.reads).toEqual(all);
      expect(right.reads).toEqual(all);
    },
  );

  it('finds differences that cancel each other out, and other lengths', () => {
    expect(isSameSecret(Uint8Array.of(1, 2), Uint8Array.of(2, 1))).toBe(false);
    expect(isSameSecret(Uint8Array.of(7, 7), Uint8Array.of(6, 6))).toBe(false);
    expect(isSameSecret(Uint8Array.of(1), Uint8Array.of(1, 0))).toBe(false);
  });
});

describe('a group', () => {
  const terms = { founders: 1, machineSignature: 'kv/1', syncSignature: 'log/1', ticketRules: '' };

  it.each([
    ['key', groupIdOf(groupKey('other'), terms)],
    ['founding rule', groupIdOf(groupKey('key'), { ...terms, founders: 3 })],
    ['machine', groupIdOf(groupKey('key'), { ...terms, machineSignature: 'kv/2' })],
    ['way to catch up', groupIdOf(groupKey('key'), { ...terms, syncSignature: 'log/2' })],
    ['rule for tickets', groupIdOf(groupKey('key'), { ...terms, ticketRules: 'x' })],
  ])('is another one with another %s', (_, other) => {
    expect(other).not.toBe(groupIdOf(groupKey('key'), terms));
  });

  it('is the same for all who name it alike, and its key is not printed', () => {
    expect(groupIdOf(groupKey('key'), terms)).toBe(groupIdOf(groupKey('key'), { ...terms }));
    const bytes = new Uint8Array(32).fill(0xab);
    expect(groupIdOf(groupKey(bytes), terms)).toBe(groupIdOf(groupKey('AB'.repeat(32)), terms));
    expect(`${groupKey(bytes)} ${JSON.stringify(groupKey(bytes))} ${inspect(groupKey(bytes))}`).not.toMatch(
      /abab/i,
    );
    expect(() => groupKey('')).toThrow(/ERR|not empty/);
    expect(() => groupKey(new Uint8Array(31))).toThrow(/32 bytes/);
  });
});
