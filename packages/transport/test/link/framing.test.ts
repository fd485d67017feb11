import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CloseCode } from '../../src/codes.ts';
import { encodeClose, HEADER_BYTES, writeHeader } from '../../src/link/frame.ts';
import { FramingError, Inbox } from '../../src/link/inbox.ts';
import { FRAME_BYTES, Outbox, SPARE_BYTES } from '../../src/link/outbox.ts';
import { join } from '../kit/pipe.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function takeAll(inbox: Inbox): Uint8Array[] {
  const payloads: Uint8Array[] = [];
  for (let payload = inbox.next(); payload; payload = inbox.next()) payloads.push(payload);
  return payloads;
}

/** Cuts `bytes` at the given points, wherever they fall. */
function cut(bytes: Uint8Array, points: readonly number[]): Uint8Array[] {
  const at = [...new Set(points.map((point) => point % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, index) => bytes.subarray(start, at[index] ?? bytes.length));
}

function framesOf(messages: readonly Uint8Array[]): Uint8Array[] {
  const outbox = new Outbox();
  for (const message of messages) outbox.append(message);
  const frames: Uint8Array[] = [];
  while (outbox.bytes > 0) frames.push(join(outbox.takeFrame()));
  return frames;
}

/** Where each record begins among the bytes that leave, and how long it is with its header. */
function recordStarts(messages: readonly Uint8Array[]): Map<number, number> {
  let offset = 0;
  return new Map(
    messages.map(({ length }) => {
      const start = offset;
      offset += 4 + length;
      return [start, 4 + length];
    }),
  );
}

/** All frames but the last are full, unless the next one begins with a record that it holds as a whole. */
function expectWellFilled(frames: readonly Uint8Array[], messages: readonly Uint8Array[]): void {
  const starts = recordStarts(messages);
  let end = 0;
  for (const frame of frames.slice(0, -1)) {
    end += frame.length;
    if (frame.length === FRAME_BYTES) continue;
    expect(frame.length).toBeGreaterThanOrEqual(FRAME_BYTES - SPARE_BYTES);
    const record = starts.get(end) ?? Number.POSITIVE_INFINITY;
    expect(record).toBeLessThanOrEqual(FRAME_BYTES);
    expect(record).toBeGreaterThan(FRAME_BYTES - frame.length);
  }
}

const noControl = (): never => {
  throw new Error('no control record was sent');
};

const payloads = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.integer({ min: 0, max: 200_000 }).map((size) => new Uint8Array(size).fill(size)),
  ),
  { maxLength: 30 },
);

describe('outbox and inbox', () => {
  it('do not cut a record that a frame of its own can hold, where that wastes little', () => {
    const block = new Uint8Array(60 * 1024).fill(1);
    const frames = framesOf([block, block, block]);
    expect(frames.map(({ length }) => length)).toEqual([4, 4, 4].map((head) => head + block.length));
  });

  it('fill a frame where the next record would leave too much of it empty', () => {
    const frames = framesOf([new Uint8Array(40_000), new Uint8Array(40_000)]);
    expect(frames.map(({ length }) => length)).toEqual([FRAME_BYTES, 2 * 40_004 - FRAME_BYTES]);
  });

  it('hand over every message, whole and in order, however the bytes are cut', () => {
    fc.assert(
      fc.property(payloads, fc.array(fc.nat(), { maxLength: 50 }), (messages, points) => {
        const frames = framesOf(messages);
        expectWellFilled(frames, messages);
        expect(frames.at(-1)?.length ?? 0).toBeLessThanOrEqual(FRAME_BYTES);
        const inbox = new Inbox(1_000_000, noControl);
        const received: Uint8Array[] = [];
        for (const [index, part] of cut(join(frames), points).entries()) {
          const chunk = part.slice();
          // Of what it says that it has copied it must not have kept a view.
          if (inbox.push(chunk)) chunk.fill(0xee);
          if (index % 2 === 0) received.push(...takeAll(inbox));
        }
        received.push(...takeAll(inbox));
        expect(received).toEqual(messages);
        expect([inbox.bytes, inbox.isMidFrame]).toEqual([0, false]);
      }),
      { numRuns: 100 },
    );
  });

  it('never write to bytes that have left', () => {
    const outbox = new Outbox();
    outbox.append(new Uint8Array(100).fill(1));
    const first = outbox.takeFrame();
    const before = join(first);
    for (let count = 0; count < 1000; count++) outbox.append(new Uint8Array(100).fill(2));
    outbox.takeFrame();
    expect(join(first)).toEqual(before);
  });

  it('let go of what has left, though the outbox is never empty', () => {
    const outbox = new Outbox();
    const message = (): Uint8Array => new Uint8Array(FRAME_BYTES);
    // Of the memory: the view itself is replaced when a frame takes a part of it.
    const first = new WeakRef(message().buffer);
    outbox.append(new Uint8Array(first.deref() as ArrayBuffer));
    for (let count = 0; count < 10; count++) {
      outbox.append(message());
      outbox.takeFrame();
      expect(outbox.bytes).toBeGreaterThan(0);
    }
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      collectGarbage();
      expect(first.deref()).toBeUndefined();
      expect(outbox.bytes).toBeGreaterThan(0);
    });
  });

  it('keep the order across small and large messages', () => {
    const outbox = new Outbox();
    const sizes = [10, 8_192, 8_193, 100_000, 3, 0];
    for (const size of sizes) outbox.append(new Uint8Array(size));
    const inbox = new Inbox(1_000_000, noControl);
    while (outbox.bytes > 0) for (const piece of outbox.takeFrame()) inbox.push(piece);
    expect(takeAll(inbox).map((payload) => payload.length)).toEqual(sizes);
  });
});

describe('an inbox', () => {
  it('refuses a frame over the limit by its header alone', () => {
    const inbox = new Inbox(1000, noControl);
    const header = new Uint8Array(HEADER_BYTES);
    writeHeader(header, 0, 1001);
    expect(() => inbox.push(header)).toThrow(expect.objectContaining({ closeCode: CloseCode.FrameTooLarge }));
  });

  it('refuses it as well when the header comes in pieces', () => {
    const header = new Uint8Array(HEADER_BYTES);
    writeHeader(header, 0, 1001);
    for (let at = 1; at < HEADER_BYTES; at++) {
      const inbox = new Inbox(1000, noControl);
      inbox.push(header.subarray(0, at));
      expect(() => inbox.push(header.subarray(at))).toThrow(FramingError);
    }
  });

  it('sees a control record between data, wherever the chunks end', () => {
    const record = encodeClose({ code: 413, reason: 'too large' });
    const data = new Uint8Array([0, 0, 0, 2, 7, 8]);
    const bytes = join([data, record, data]);
    for (let at = 0; at <= bytes.length; at++) {
      const controls: number[] = [];
      const inbox = new Inbox(1000, (payload) => controls.push(payload.length));
      inbox.push(bytes.subarray(0, at));
      inbox.push(bytes.subarray(at));
      expect(takeAll(inbox)).toEqual([new Uint8Array([7, 8]), new Uint8Array([7, 8])]);
      expect(controls).toEqual([record.length - HEADER_BYTES]);
    }
  });

  it('takes any bytes at all, with a framing error at worst, and holds no more than it was given', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (chunks) => {
        const inbox = new Inbox(500, () => {});
        try {
          for (const chunk of chunks) inbox.push(chunk);
        } catch (error) {
          expect(error).toBeInstanceOf(FramingError);
        }
        expect(inbox.bytes).toBeLessThanOrEqual(join(chunks).length);
        for (const payload of takeAll(inbox)) expect(payload.length).toBeLessThanOrEqual(500);
      }),
    );
  });
});
