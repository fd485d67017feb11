import { DecodeError, type PeerId, type StoreId, type StreamId, uniqueId } from '@mosaik/primitives';
import type { Epoch } from '@mosaik/streams';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockOf } from '../../src/compliance/kit.ts';
import { decodeSaved, encodeSaved, offerOf, readSnapshot } from '../../src/fold/snapshot.ts';
import { Gate } from '../../src/pull/gate.ts';
import { checkCursor } from '../../src/replay/cursor.ts';
import {
  decodeList,
  decodeLogs,
  decodeNumber,
  decodeOpened,
  decodeRead,
  encodeList,
  encodeLogs,
  encodeOpened,
  encodeReached,
  encodeRead,
  encodeSkipped,
  encodeTime,
} from '../../src/wire/messages.ts';
import {
  decodeAskSnapshot,
  decodeChunk,
  decodeSnapshotHead,
  encodeAskSnapshot,
  encodeChunk,
  encodeSnapshotHead,
} from '../../src/wire/snapshots.ts';

const offset = fc.maxSafeNat();
const id = fc.string().map((text) => uniqueId(text));
const epoch = fc
  .bigInt({ min: 0n, max: (1n << 64n) - 1n })
  .map((n) => n.toString(16).padStart(16, '0') as Epoch);
const entry = fc.uint8Array({ maxLength: 200 });
const identity = fc.record({ stream: id, producer: id, log: epoch }) as fc.Arbitrary<{
  stream: StreamId;
  producer: PeerId;
  log: Epoch;
}>;
const extent = fc.tuple(offset, offset).map(([a, b]) => ({ first: Math.min(a, b), next: Math.max(a, b) }));
const offers = fc.array(
  fc
    .tuple(identity, extent, offset, offset, fc.boolean(), fc.option(offset, { nil: undefined }))
    .map(([{ producer, log }, bounds, bytes, newestMs, isOwn, since]) => ({
      producer,
      log,
      ...bounds,
      bytes,
      newestMs,
      isOwn,
      since,
    })),
  { maxLength: 20 },
);

const decoders: Record<string, (message: Uint8Array) => unknown> = {
  decodeList,
  decodeRead,
  decodeLogs,
  decodeOpened,
  decodeNumber,
  decodeAskSnapshot,
  decodeSnapshotHead,
  decodeChunk,
  decodeSaved,
  readSnapshot,
  gate: (message) => new Gate(5).take(message),
};

describe('messages', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(id, entry, fc.option(offset, { nil: undefined }), (stream, bytes, sinceMs) => {
        const list = { stream: stream as StreamId, entry: bytes, sinceMs };
        expect(decodeList(encodeList(list))).toEqual({ kind: 'list', ...list });
      }),
    );
    const reads = fc.record({
      kind: fc.constantFrom('read' as const, 'follow' as const),
      identity,
      entry,
      from: offset,
      to: offset,
    });
    fc.assert(
      fc.property(reads, (request) => {
        expect(decodeRead(encodeRead(request))).toEqual(request);
      }),
    );
    fc.assert(
      fc.property(offers, (logs) => {
        expect(decodeLogs(encodeLogs(logs))).toEqual(logs);
      }),
    );
    fc.assert(
      fc.property(extent, (opened) => {
        expect(decodeOpened(encodeOpened(opened))).toEqual(opened);
      }),
    );
    fc.assert(
      fc.property(offset, (n) => {
        for (const encode of [encodeTime, encodeSkipped, encodeReached])
          expect(decodeNumber(encode(n))).toBe(n);
      }),
    );
  });

  it('of snapshots come back as they were', () => {
    const positions = fc
      .array(fc.tuple(identity, offset, fc.boolean()), { maxLength: 10 })
      .map((list) => list.map(([{ producer, log }, next, isOver]) => ({ producer, log, next, isOver })));
    fc.assert(
      fc.property(positions, fc.uint8Array({ maxLength: 5_000 }), (places, state) => {
        const { head, data } = offerOf({ positions: places, state });
        expect(decodeSnapshotHead(encodeSnapshotHead(head))).toEqual(head);
        expect(readSnapshot(data).state).toEqual(state);
        expect(offerOf({ positions: [...places].reverse(), state }).head.bytes).toBe(head.bytes);
        expect(decodeSaved(encodeSaved('1', data))).toEqual({ version: '1', data });
        expect(decodeChunk(encodeChunk(state))).toEqual(state);
      }),
    );
    fc.assert(
      fc.property(
        id,
        entry,
        fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }), { nil: undefined }),
        (fold, bytes, hash) => {
          const ask = { fold: fold as StoreId, entry: bytes, hash, from: 1, to: 9 };
          expect(decodeAskSnapshot(encodeAskSnapshot(ask))).toEqual(ask);
        },
      ),
    );
  });

  it.each(Object.keys(decoders))(
    'that are anything are refused by %s with a DecodeError, or read',
    (name) => {
      const decode = decoders[name] as (message: Uint8Array) => unknown;
      const honest = [
        encodeList({ stream: uniqueId('s'), entry: new Uint8Array(5), sinceMs: 7 }),
        encodeRead({
          kind: 'read',
          identity: { stream: uniqueId('s'), producer: uniqueId('p'), log: '00000000000000aa' as Epoch },
          entry: new Uint8Array(3),
          from: 1,
          to: 2,
        }),
        encodeLogs([]),
        encodeOpened({ first: 1, next: 2 }),
        encodeSnapshotHead(offerOf({ positions: [], state: new Uint8Array(9) }).head),
        encodeSaved('1', new Uint8Array(20)),
        blockOf(5, 20).bytes,
      ];
      const mutated = fc
        .tuple(fc.constantFrom(...honest), fc.nat(), fc.nat({ max: 255 }), fc.nat())
        .map(([message, at, byte, cut]) => {
          const copy = message.slice(0, Math.max(1, message.length - (cut % 4)));
          copy[at % copy.length] = byte;
          return copy;
        });
      const isRefused = (message: Uint8Array): void => {
        try {
          decode(message);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      };
      fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), isRefused), {
        numRuns: 2_000,
      });
    },
  );

  it('saved with a byte changed are not taken', () => {
    const saved = encodeSaved('1', offerOf({ positions: [], state: new Uint8Array(100).fill(5) }).data);
    for (let at = 0; at < saved.length; at++) {
      const damaged = saved.slice();
      damaged[at] = (damaged[at] as number) ^ 0x10;
      let version: string | undefined;
      try {
        version = decodeSaved(damaged).version;
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
      // A version that is not the one is rebuilt from the log.
      expect(version).not.toBe('1');
    }
  });
});

describe('cursors', () => {
  it('that are anything are refused with a CursorError', () => {
    const stream = uniqueId<StreamId>('s');
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(() => checkCursor(value, stream)).toThrowError(
          expect.objectContaining({ code: 'ERR_CURSOR' }),
        );
      }),
    );
    const good = { version: 1, stream, positions: [] };
    expect(checkCursor(good, stream)).toEqual(good);
    expect(() => checkCursor(good, uniqueId<StreamId>('t'))).toThrow('of another stream');
  });
});
