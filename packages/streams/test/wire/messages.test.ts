import { DecodeError, encodeCbor, streamId } from '@mosaik/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeAccepted,
  decodeFinished,
  decodeSubscribe,
  type Epoch,
  encodeAccepted,
  encodeFinished,
  encodeSubscribe,
  Kind,
  kindOf,
} from '../../src/wire/messages.ts';

const id = streamId('prices');
const epoch = '0123456789abcdef' as Epoch;
const decoders = [decodeSubscribe, decodeAccepted, decodeFinished] as const;

function message(kind: number, body: unknown): Uint8Array {
  return Uint8Array.of(kind, ...encodeCbor(body));
}

describe('the messages of a subscription', () => {
  it.each(
    [
      undefined,
      { price: { $gte: 10 } },
      { $or: [{ at: { $lt: new Date(5) } }, { big: 2n ** 60n }, { gone: null }] },
    ].map((criteria) => [criteria]),
  )('subscribe with criteria %o comes back', (criteria) => {
    const asked = { stream: id, criteria, entry: Uint8Array.of(1, 2, 3) };
    const encoded = encodeSubscribe(asked);
    expect(kindOf(encoded)).toBe(Kind.Subscribe);
    const decoded = decodeSubscribe(encoded);
    expect({ ...decoded, entry: [...decoded.entry] }).toEqual({ ...asked, entry: [1, 2, 3] });
  });

  it('accepted and finished come back', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (next) => {
        expect(decodeAccepted(encodeAccepted({ epoch, next }))).toEqual({ epoch, next });
        expect(decodeFinished(encodeFinished({ next }))).toEqual({ next });
      }),
    );
  });

  it.each([
    ['nothing', new Uint8Array(), decodeSubscribe],
    ['another kind', encodeFinished({ next: 1 }), decodeSubscribe],
    ['no list', message(Kind.Subscribe, 'hello'), decodeSubscribe],
    ['a short id', message(Kind.Subscribe, [new Uint8Array(31), null, new Uint8Array()]), decodeSubscribe],
    ['no entry', message(Kind.Subscribe, [new Uint8Array(32), null]), decodeSubscribe],
    ['an epoch of another length', message(Kind.Accepted, ['00', 1]), decodeAccepted],
    ['a sequence below 0', message(Kind.Accepted, [epoch, -1]), decodeAccepted],
    ['a sequence with a fraction', message(Kind.Finished, [0.5]), decodeFinished],
    ['a message larger than it may be', message(Kind.Finished, ['x'.repeat(100)]), decodeFinished],
  ])('with %s is refused', (_, bytes, decode) => {
    expect(() => decode(bytes)).toThrow(DecodeError);
  });

  it('takes more fields than it knows', () => {
    expect(decodeFinished(message(Kind.Finished, [5, 'new']))).toEqual({ next: 5 });
  });

  it('of any bytes are decoded, or refused as undecodable', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...decoders),
        fc.constantFrom(1, 2, 4),
        fc.uint8Array(),
        (decode, kind, bytes) => {
          try {
            decode(Uint8Array.of(kind, ...bytes));
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
          }
        },
      ),
      { numRuns: 3_000 },
    );
  });
});
