import { cborCodec, encodeCbor } from '@mosaik/primitives';
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { CloseCode } from '../../src/codes.ts';
import { LinkEndedError } from '../../src/errors.ts';
import { encodeClose, HEADER_BYTES, writeHeader } from '../../src/link/frame.ts';
import { type Protocol, protocol } from '../../src/protocol.ts';
import { Bytes, linkAndPipe, linkPair, readAll, record } from '../kit/links.ts';
import { settle } from '../kit/manual-runtime.ts';
import { join } from '../kit/pipe.ts';

interface Price {
  readonly symbol: string;
  readonly price: number;
}

const Prices: Protocol<Price> = protocol({
  name: 'prices',
  codec: cborCodec({ schema: v.object({ symbol: v.string(), price: v.number() }) }),
  maxFrameBytes: 1_000,
});

const good: Price = { symbol: 'A', price: 1 };

/** A control record with this as its payload. */
function control(payload: Uint8Array): Uint8Array {
  const bytes = record(payload);
  bytes[0] = (bytes[0] as number) | 0x80;
  return bytes;
}

describe('a link refuses', () => {
  it('with 400 at both sides, a message that its codec cannot read', async () => {
    const { a, b } = linkPair(Bytes, Prices);
    await a.send(Uint8Array.of(0xff, 0x13));
    const { error } = await readAll(b);
    expect((error as LinkEndedError).end).toMatchObject({ kind: 'violation', code: 400 });
    expect(await a.ended).toMatchObject({ kind: 'closed', by: 'remote', code: 400 });
  });

  it('with 400 at both sides, a message of the wrong shape, and says what is wrong with it', async () => {
    const { a, b, runtime } = linkPair(Bytes, Prices);
    await a.send(encodeCbor(good));
    await a.send(encodeCbor({ symbol: 'A', price: 'high' }));
    const { messages, error } = await runtime.run(readAll(b));
    expect(messages).toEqual([good]);
    expect(error).toBeInstanceOf(LinkEndedError);
    expect(b.end).toMatchObject({ kind: 'violation', code: 400, reason: expect.stringContaining('price:') });
    expect(await a.ended).toMatchObject({
      by: 'remote',
      code: 400,
      reason: expect.stringContaining('price:'),
    });
  });

  it('with 413 at both sides, a frame over the limit, by its header alone', async () => {
    const { a, b, runtime } = linkPair(Bytes, Prices);
    void a.send(new Uint8Array(1_001));
    await runtime.advance(0);
    expect(b.end).toMatchObject({ kind: 'violation', code: CloseCode.FrameTooLarge });
    expect(b.stats.unreadBytes).toBe(0);
    expect(await a.ended).toMatchObject({ kind: 'closed', by: 'remote', code: CloseCode.FrameTooLarge });
  });

  it('takes a frame of exactly the limit', async () => {
    const exact = protocol({ name: 'exact', codec: Bytes.codec, maxFrameBytes: 1_001 });
    const { a, b } = linkPair(Bytes, exact);
    await a.send(new Uint8Array(1_001));
    expect(await b.receive()).toHaveLength(1_001);
  });

  it('what it had read before, it still hands out', async () => {
    const { link, remote } = linkAndPipe(Prices);
    const tooLarge = new Uint8Array(HEADER_BYTES);
    writeHeader(tooLarge, 0, 1_001);
    remote.write([record(encodeCbor(good)), tooLarge, record(encodeCbor(good))]);
    const { messages } = await readAll(link);
    expect(messages).toEqual([good]);
    expect(link.end).toMatchObject({ kind: 'violation', code: 413 });
  });

  it('with 400, a stream that ends within a frame', async () => {
    for (const keep of [1, 3, 4, 7]) {
      const { link, near, remote } = linkAndPipe(Prices);
      remote.write([record(encodeCbor(good)).subarray(0, keep)]);
      remote.closeWrite();
      await settle();
      expect(link.end).toMatchObject({ kind: 'violation', code: 400 });
      expect(near.isFinished).toBe(true);
    }
  });

  it.each([
    ['bytes that are not CBOR', Uint8Array.of(0xff)],
    ['nothing at all', new Uint8Array(0)],
    ['something else than an array', encodeCbor({ code: 0 })],
    ['a close without a code', encodeCbor([1])],
    ['a close with a code that is none', encodeCbor([1, -1, ''])],
    ['a close with a code in quotes', encodeCbor([1, '0', ''])],
    ['a close with a text that is none', encodeCbor([1, 0, 5])],
    ['more than a control record holds', new Uint8Array(1_025)],
  ])('with 400, a control record of %s', async (_, payload) => {
    const { link, remote } = linkAndPipe(Prices);
    remote.write([control(payload)]);
    await settle();
    expect(link.end).toMatchObject({ kind: 'violation', code: 400 });
  });

  it('nothing for a control record of a kind that a newer node may send', async () => {
    const { link, remote } = linkAndPipe(Prices);
    remote.write([control(encodeCbor([7, 'new'])), record(encodeCbor(good))]);
    expect(await link.receive()).toEqual(good);
    expect(link.end).toBeUndefined();
  });
});

/** Feeds a link with chunks, reading all the while; returns what was read and what was thrown. */
async function feed(chunks: readonly Uint8Array[], isEnding: boolean) {
  const { link, remote, runtime } = linkAndPipe(Prices);
  const reading = readAll(link);
  for (const chunk of chunks) {
    if (chunk.length > 0) remote.write([chunk]);
    await settle();
  }
  if (isEnding) remote.closeWrite();
  await settle();
  const end = link.end;
  if (end === undefined) link.abort();
  await runtime.advance(10_000);
  return { ...(await reading), end, held: link.stats.unreadBytes, timers: runtime.pendingTimers };
}

/** What may become of a link, whatever it is fed. */
function expectSane(outcome: Awaited<ReturnType<typeof feed>>, isEnding: boolean): void {
  const { end, error, messages, held, timers } = outcome;
  if (error !== undefined) expect(error).toBeInstanceOf(LinkEndedError);
  if (end?.kind === 'violation') expect([400, 413]).toContain(end.code);
  else if (end?.kind === 'lost') expect(isEnding).toBe(true);
  else if (end !== undefined) expect(end).toMatchObject({ kind: 'closed', by: 'remote' });
  for (const message of messages) {
    expect(message).toEqual({ symbol: expect.any(String), price: expect.any(Number) });
  }
  expect([held, timers]).toEqual([0, 0]);
}

const price = fc.record({
  symbol: fc.string({ maxLength: 20 }),
  price: fc.double({ noNaN: true }).map((value) => value + 0),
});
/** A stream as a peer may rightly send it: messages, and a close or not. */
const stream = fc
  .tuple(fc.array(price, { maxLength: 8 }), fc.option(fc.nat(20_000), { nil: undefined }))
  .map(([messages, code]) =>
    join([
      ...messages.map((message) => record(encodeCbor(message))),
      ...(code === undefined ? [] : [encodeClose({ code, reason: 'over' })]),
    ]),
  );

function cut(bytes: Uint8Array, points: readonly number[]): Uint8Array[] {
  const at = [...new Set(points.map((point) => point % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, index) => bytes.subarray(start, at[index] ?? bytes.length));
}

describe('a link, fed', () => {
  it('random bytes, ends with 400 or 413, or goes on', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 }),
        fc.boolean(),
        async (chunks, isEnding) => {
          expectSane(await feed(chunks, isEnding), isEnding);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('a stream with bytes changed, ends with 400 or 413, or goes on', async () => {
    const mutations = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        stream,
        mutations,
        fc.array(fc.nat(), { maxLength: 4 }),
        async (bytes, changes, points) => {
          const changed = bytes.slice();
          for (const [at, value] of changes) if (changed.length > 0) changed[at % changed.length] = value;
          expectSane(await feed(cut(changed, points), true), true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('a stream that breaks off, ends with 400 within a frame, and is lost between two', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(price, { minLength: 1, maxLength: 5 }), fc.nat(), async (messages, at) => {
        const records = messages.map((message) => record(encodeCbor(message)));
        const bytes = join(records);
        const length = at % (bytes.length + 1);
        const outcome = await feed([bytes.subarray(0, length)], true);
        expectSane(outcome, true);
        let whole = 0;
        let end = 0;
        while (whole < records.length && end + (records[whole]?.length ?? 0) <= length)
          end += records[whole++]!.length;
        expect(outcome.messages).toEqual(messages.slice(0, whole));
        expect(outcome.end).toMatchObject(
          end === length ? { kind: 'lost' } : { kind: 'violation', code: 400 },
        );
      }),
      { numRuns: 300 },
    );
  });

  it('what a peer rightly sends, cut anywhere, yields all of it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(price, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 10 }),
        async (messages, points) => {
          const bytes = join([
            ...messages.map((message) => record(encodeCbor(message))),
            encodeClose({ code: 0, reason: '' }),
          ]);
          const outcome = await feed(cut(bytes, points), true);
          expect(outcome.messages).toEqual(messages);
          expect(outcome.end).toEqual({ kind: 'closed', by: 'remote', code: 0, reason: '' });
          expect(outcome.error).toBeUndefined();
        },
      ),
      { numRuns: 200 },
    );
  });
});
