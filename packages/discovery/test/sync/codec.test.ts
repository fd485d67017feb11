import {
  DecodeError,
  decodeCbor,
  encodeCbor,
  idToBytes,
  type PeerId,
  peerIdFromBytes,
} from '@mosaik/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { syncCodec } from '../../src/sync/codec.ts';
import { CHUNK_BYTES_MAX, LIST_ITEMS_MAX } from '../../src/sync/limits.ts';
import type { SyncMessage } from '../../src/sync/message.ts';
import { messages } from './support/arbitraries.ts';
import { peer } from './support/model-catalog.ts';

const A = idToBytes(peer(1));
const [LOW, HIGH] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
const FINGERPRINT = new Uint8Array(16).fill(7);
const SALT = new Uint8Array(8).fill(9);
const NO_BOUND = new Uint8Array(0);

const decode = (value: unknown): SyncMessage => syncCodec.decode(encodeCbor(value));
const step = (parts: { ranges?: unknown; wants?: unknown; tombstones?: unknown }): unknown[] => {
  const { ranges = [], wants = [], tombstones = [] } = parts;
  return [1, ranges, wants, tombstones];
};

describe('the codec of sync messages', () => {
  it('reads what it writes', () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(syncCodec.decode(syncCodec.encode(message))).toEqual(message);
      }),
    );
  });

  it('writes an opening and an empty step in a few bytes', () => {
    const range = {
      kind: 'fingerprint',
      from: '',
      to: 'g',
      count: 1_000,
      fingerprint: [1, 2, 3, 4],
    } as const;
    expect(syncCodec.encode({ kind: 'open', salt: [1, 2], range }).length).toBe(34);
    expect(syncCodec.encode({ kind: 'step', ranges: [], wants: [], tombstones: [] }).length).toBe(5);
  });

  it('throws nothing but DecodeError, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expectDecodeErrorOrMessage(bytes);
      }),
      { numRuns: 2_000 },
    );
  });

  it('throws nothing but DecodeError, whatever became of a message on the way', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(messages, changes, fc.nat(), (message, edits, cut) => {
        const bytes = syncCodec.encode(message).slice();
        for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
        expectDecodeErrorOrMessage(bytes);
        expectDecodeErrorOrMessage(bytes.subarray(0, cut % bytes.length));
      }),
      { numRuns: 1_000 },
    );
  });

  it('throws nothing but DecodeError, whatever is within', () => {
    const leaf = fc.oneof(
      fc.constantFrom<unknown>(null, undefined, true, '', 'text', -1, 0.5, 2 ** 53, {}),
      fc.nat(),
      fc.uint8Array({ maxLength: 33 }),
      fc.constantFrom(A, FINGERPRINT, SALT),
    );
    const shape = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie('value'), { maxLength: 5 })),
    })).value;
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 2, 3), fc.array(shape, { maxLength: 4 }), (kind, fields) => {
        expectDecodeErrorOrMessage(encodeCbor([kind, ...fields]));
      }),
      { numRuns: 2_000 },
    );
  });

  const short = [null, NO_BOUND, 5, FINGERPRINT];
  const list = (...peers: Uint8Array[]): unknown[] => peers.flatMap((id) => [id, 5, 0]);
  const malformed: Record<string, unknown> = {
    'an unknown kind': [9],
    'no array': 5,
    'an opening of a part': [0, SALT, [LOW, NO_BOUND, 5, FINGERPRINT]],
    'a short salt': [0, SALT.subarray(1), short],
    'a short fingerprint': step({ ranges: [[null, NO_BOUND, 5, FINGERPRINT.subarray(1)]] }),
    'a long bound': step({ ranges: [[null, new Uint8Array(33), 5, FINGERPRINT]] }),
    'a count below 0': step({ ranges: [[null, NO_BOUND, -1, FINGERPRINT]] }),
    'a count beyond 2^53': step({ ranges: [[null, NO_BOUND, 2 ** 53, FINGERPRINT]] }),
    'a count of a fraction': step({ ranges: [[null, NO_BOUND, 1.5, FINGERPRINT]] }),
    'an empty range': step({ ranges: [[LOW, LOW, 5, FINGERPRINT]] }),
    'a range backwards': step({ ranges: [[HIGH, LOW, 5, FINGERPRINT]] }),
    'ranges that overlap': step({
      ranges: [
        [null, HIGH, 5, FINGERPRINT],
        [LOW, NO_BOUND, 5, FINGERPRINT],
      ],
    }),
    'a range after the end': step({ ranges: [short, short] }),
    'a list not in order': step({ ranges: [[null, NO_BOUND, list(HIGH, LOW)]] }),
    'a list with a peer twice': step({ ranges: [[null, NO_BOUND, list(LOW, LOW)]] }),
    'a list beyond its range': step({ ranges: [[null, HIGH, list(HIGH)]] }),
    'a list before its range': step({ ranges: [[HIGH, NO_BOUND, list(LOW)]] }),
    'a list of too many': step({
      ranges: [
        [null, NO_BOUND, list(...Array.from({ length: LIST_ITEMS_MAX + 1 }, (_, index) => numbered(index)))],
      ],
    }),
    'half an item': step({ ranges: [[null, NO_BOUND, [LOW, 5]]] }),
    'a short peer id': step({ wants: [A.subarray(1)] }),
    'a long peer id': step({ wants: [new Uint8Array(33)] }),
    'wants not in order': step({ wants: [HIGH, LOW] }),
    'wants twice': step({ wants: [LOW, LOW] }),
    'too many wants': step({ wants: Array.from({ length: 20_001 }, () => A) }),
    'tombstones not in order': step({ tombstones: list(HIGH, LOW) }),
    'a version before 1970': step({ tombstones: [A, 5, -6] }),
    'a version of a fraction': step({ tombstones: [A, 5.5, 0] }),
    'a version beyond 2^53': step({ tombstones: [A, 2 ** 53 - 1, 1] }),
    'a version of a bigint': step({ tombstones: [A, 2n ** 60n, 0] }),
    'no entries': [2, []],
    'an entry of text': [2, [A, 5, 0, 'text']],
    'entries over the limit': [2, [A, 5, 0, new Uint8Array(CHUNK_BYTES_MAX + 1)]],
    'entries over the limit together': [
      2,
      [A, 5, 0, new Uint8Array(CHUNK_BYTES_MAX), A, 5, 0, new Uint8Array(1)],
    ],
  };
  it.each(Object.entries(malformed))('refuses %s', (_, value) => {
    expect(() => decode(value)).toThrow(DecodeError);
  });

  it('takes the edges of what is allowed', () => {
    const sixteen = list(...Array.from({ length: LIST_ITEMS_MAX }, (_, index) => numbered(index)));
    expect(decode(step({ ranges: [[null, NO_BOUND, sixteen]] })).kind).toBe('step');
    expect(
      decode(
        step({
          ranges: [
            [null, LOW, []],
            [null, NO_BOUND, list(LOW)],
          ],
        }),
      ).kind,
    ).toBe('step');
    expect(decode(step({ tombstones: [A, 2 ** 53 - 2, 1] })).kind).toBe('step');
    expect(decode([2, [A, 5, 0, new Uint8Array(CHUNK_BYTES_MAX)]]).kind).toBe('entries');
  });

  it('leaves ids as they are written elsewhere', () => {
    const [, , wants] = decodeCbor(
      syncCodec.encode({ kind: 'step', ranges: [], wants: [peer(1)], tombstones: [] }),
    ) as [number, unknown, Uint8Array[]];
    expect(wants.map((bytes): PeerId => peerIdFromBytes(bytes))).toEqual([peer(1)]);
  });
});

function numbered(index: number): Uint8Array {
  const bytes = new Uint8Array(32);
  bytes[0] = index;
  return bytes;
}

function expectDecodeErrorOrMessage(bytes: Uint8Array): void {
  let message: SyncMessage;
  try {
    message = syncCodec.decode(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError);
    return;
  }
  expect(syncCodec.decode(syncCodec.encode(message))).toEqual(message);
}
