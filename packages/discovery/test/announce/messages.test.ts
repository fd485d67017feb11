import { DecodeError, encodeCbor, idToBytes } from '@mosaik/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeGossip, encodeGossip, type GossipMessage } from '../../src/announce/messages.ts';
import { MAX_ENTRY_BYTES } from '../../src/entry/signed-entry.ts';
import { peerId } from '../support/entries.ts';

const peers = fc.nat({ max: 100 }).map(peerId);
const times = fc.oneof(fc.nat(), fc.maxSafeInteger().map(Math.abs));

const messages: fc.Arbitrary<GossipMessage> = fc.oneof(
  fc.record({ kind: fc.constant('entry' as const), bytes: fc.uint8Array({ maxLength: 300 }) }),
  fc.record({
    kind: fc.constant('rumour' as const),
    rumour: fc.record({
      kind: fc.constantFrom('suspect' as const, 'dead' as const),
      peer: peers,
      version: fc.record({ start: times, update: times }),
      by: peers,
    }),
  }),
  fc.record({ kind: fc.constant('twice' as const), peer: peers, starts: fc.tuple(times, times) }),
);

describe('a gossip message', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(decodeGossip(encodeGossip(message))).toEqual(message);
      }),
    );
  });

  it('holds the largest entry', () => {
    const bytes = new Uint8Array(MAX_ENTRY_BYTES).fill(1);
    expect(decodeGossip(encodeGossip({ kind: 'entry', bytes }))).toEqual({ kind: 'entry', bytes });
  });

  it('with more fields than are known, by a later version, is read for those that are', () => {
    const peer = idToBytes(peerId('a'));
    expect(decodeGossip(encodeCbor([2, peer, 1, 2, peer, 'more']))).toMatchObject({ kind: 'rumour' });
  });
});

describe('refused with a DecodeError is', () => {
  const id = idToBytes(peerId('a'));
  const variants: [what: string, value: unknown][] = [
    ['no array', { 0: 1 }],
    ['an empty array', []],
    ['an unknown kind', [9, id]],
    ['a kind as text', ['1', id]],
    ['an entry that is not bytes', [1, 'entry']],
    ['an entry that is missing', [1]],
    ['an entry that is too large', [1, new Uint8Array(MAX_ENTRY_BYTES + 100)]],
    ['a rumour without a speaker', [2, id, 1, 2]],
    ['a rumour of a short id', [2, id.subarray(1), 1, 2, id]],
    ['a rumour of a text', [3, 'peer', 1, 2, id]],
    ['a rumour with a start below 0', [3, id, -1, 2, id]],
    ['a rumour with an update that is no number', [3, id, 1, Number.NaN, id]],
    ['a rumour with a fraction of a millisecond', [3, id, 1, 2.5, id]],
    ['a rumour for ever', [3, id, 1, Number.POSITIVE_INFINITY, id]],
    ['two processes without a second', [4, id, 1]],
    ['two processes of nobody', [4, null, 1, 2]],
  ];

  it.each(variants)('%s', (_, value) => {
    expect(() => decodeGossip(encodeCbor(value))).toThrow(DecodeError);
  });

  it('any noise, and any message of which bytes were changed, or else it is a message', () => {
    const isSafe = (bytes: Uint8Array): void => {
      try {
        decodeGossip(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 128 }), isSafe), { numRuns: 1_000 });
    fc.assert(
      fc.property(
        messages,
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 }),
        (message, changes) => {
          const bytes = encodeGossip(message);
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          isSafe(bytes);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
