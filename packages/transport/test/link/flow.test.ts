import { AbortedError, bytesCodec, InvariantError } from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import { FrameTooLargeError, TooManyWaitingError } from '../../src/errors.ts';
import { FRAME_BYTES } from '../../src/link/outbox.ts';
import { protocol } from '../../src/protocol.ts';
import { Bytes, linkPair } from '../kit/links.ts';
import { settle } from '../kit/manual-runtime.ts';

const HEADER = 4;
const roomy = protocol({
  name: 'roomy',
  codec: bytesCodec,
  sendBufferBytes: 4_000_000,
  receiveBufferBytes: 4_000_000,
});

/** Resolves with how a promise stands after everything that can settle has. */
async function stateOf(promise: Promise<unknown>): Promise<'pending' | 'resolved' | 'rejected'> {
  let state: 'pending' | 'resolved' | 'rejected' = 'pending';
  promise.then(
    () => {
      state = 'resolved';
    },
    () => {
      state = 'rejected';
    },
  );
  await settle();
  return state;
}

describe('backpressure on the sender', () => {
  it('waits from the moment when sendBufferBytes are unsent', async () => {
    const { a, far, runtime } = linkPair(Bytes, Bytes, 1);
    far.pause();
    await a.send(new Uint8Array(1));
    await runtime.advance(0);
    expect(a.stats.unsentBytes).toBe(0);
    for (let n = 0; n < 10; n++)
      expect(await stateOf(a.send(new Uint8Array(1_000 - HEADER)))).toBe('resolved');
    expect(a.stats.unsentBytes).toBe(Bytes.sendBufferBytes);
    const waiting = a.send(new Uint8Array(1));
    expect(await stateOf(waiting)).toBe('pending');
    expect(a.trySend(new Uint8Array(1))).toBe(false);
    expect(a.stats.unsentBytes).toBe(Bytes.sendBufferBytes);
    far.resume();
    await runtime.advance(0);
    expect(await stateOf(waiting)).toBe('resolved');
  });

  it('lets waiting sends in as they came', async () => {
    const { a, b, far, runtime } = linkPair(Bytes, Bytes, 1);
    far.pause();
    const order: number[] = [];
    for (let n = 0; n < 40; n++) {
      void a.send(new Uint8Array(1_000).fill(n)).then(() => order.push(n));
    }
    await runtime.advance(0);
    expect(order.length).toBeLessThan(40);
    far.resume();
    for (let n = 0; n < 40; n++) {
      await runtime.advance(0);
      expect((await b.receive())?.[0]).toBe(n);
    }
    expect(order).toEqual(Array.from({ length: 40 }, (_, n) => n));
  });

  it('bounds how many wait', async () => {
    const { a, far, runtime } = linkPair(Bytes, Bytes, 1);
    far.pause();
    await a.send(new Uint8Array(1));
    await runtime.advance(0);
    await a.send(new Uint8Array(20_000));
    const waiting = Array.from({ length: 1_000 }, () => a.send(new Uint8Array(1)).catch(() => 'ended'));
    await expect(a.send(new Uint8Array(1))).rejects.toBeInstanceOf(TooManyWaitingError);
    a.abort();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['ended']));
  });

  it('gives up a wait when told, and sends nothing of it', async () => {
    const { a, b, far, runtime } = linkPair(Bytes, Bytes, 1);
    far.pause();
    await a.send(Uint8Array.of(1));
    await runtime.advance(0);
    await a.send(new Uint8Array(20_000).fill(2));
    const abort = new AbortController();
    const waiting = a.send(Uint8Array.of(3), { signal: abort.signal });
    const after = a.send(Uint8Array.of(4));
    abort.abort();
    await expect(waiting).rejects.toBeInstanceOf(AbortedError);
    far.resume();
    await runtime.advance(0);
    await after;
    await runtime.advance(0);
    expect([await b.receive(), await b.receive(), await b.receive()].map((one) => one?.[0])).toEqual([
      1, 2, 4,
    ]);
    await expect(a.send(Uint8Array.of(5), { signal: AbortSignal.abort() })).rejects.toThrow(AbortedError);
  });

  it('refuses a message over the limit before it is queued, and goes on', async () => {
    const { a, b } = linkPair(Bytes, Bytes);
    const tooLarge = new Uint8Array(Bytes.maxFrameBytes + 1);
    await expect(a.send(tooLarge)).rejects.toBeInstanceOf(FrameTooLargeError);
    expect(() => a.trySendEncoded(tooLarge)).toThrow(FrameTooLargeError);
    expect(a.stats.unsentBytes).toBe(0);
    await a.send(Uint8Array.of(1));
    expect(await b.receive()).toEqual(Uint8Array.of(1));
  });
});

describe('backpressure on the receiver', () => {
  it('pauses above receiveBufferBytes and resumes at half of it', async () => {
    const { a, b, far, runtime } = linkPair(roomy, Bytes);
    for (let n = 0; n < 10; n++) a.trySend(new Uint8Array(1_000 - HEADER));
    await runtime.advance(0);
    expect([far.pauses, b.stats.unreadBytes]).toEqual([0, 10_000]);
    await runtime.advance(1);
    a.trySend(new Uint8Array(1_000 - HEADER));
    await runtime.advance(0);
    expect([far.pauses, b.stats.unreadBytes]).toEqual([1, 11_000]);
    // One message at a time is decoded in runs, so the count goes by what has been decoded.
    await b.receive();
    expect(b.stats.unreadBytes).toBe(0);
    expect([far.pauses, far.resumes]).toEqual([1, 1]);
  });

  it('does not resume above half', async () => {
    const big = { ...roomy, sendBufferBytes: 8_000_000 };
    const { a, b, far, runtime } = linkPair(big, roomy);
    for (let n = 0; n < 1_200; n++) a.trySend(new Uint8Array(4_000 - HEADER));
    await runtime.advance(1);
    expect(far.pauses).toBe(1);
    const held = b.stats.unreadBytes;
    const batches = b.batches();
    // A batch has 256 messages: 1,024,000 bytes.
    await batches.next();
    expect([b.stats.unreadBytes, far.resumes]).toEqual([held - 1_024_000, 0]);
    await batches.next();
    expect([b.stats.unreadBytes > 2_000_000, far.resumes]).toEqual([true, 0]);
    await batches.next();
    expect(far.resumes).toBe(1);
  });

  it('has one reader at a time', async () => {
    const { a, b } = linkPair(Bytes, Bytes);
    const first = b.receive();
    await expect(b.receive()).rejects.toBeInstanceOf(InvariantError);
    await a.send(Uint8Array.of(1));
    expect(await first).toEqual(Uint8Array.of(1));
  });

  it('gives up receiving when told, and loses nothing by it', async () => {
    const { a, b } = linkPair(Bytes, Bytes);
    const abort = new AbortController();
    const waiting = b.receive({ signal: abort.signal });
    abort.abort();
    await expect(waiting).rejects.toBeInstanceOf(AbortedError);
    await a.send(Uint8Array.of(1));
    expect(await b.receive()).toEqual(Uint8Array.of(1));
  });
});

describe('coalescing', () => {
  it('sends a lone message within the turn, in a microtask', async () => {
    const { a, near } = linkPair(roomy, roomy);
    a.trySend(new Uint8Array(100));
    expect(near.frames).toHaveLength(0);
    await Promise.resolve();
    expect(near.frames).toHaveLength(1);
  });

  it('sends each message of a turn of its own as a frame of its own', async () => {
    const { a, near, runtime } = linkPair(roomy, roomy);
    for (let n = 0; n < 5; n++) {
      a.trySend(new Uint8Array(100));
      await runtime.advance(1);
    }
    expect(near.frames.map((frame) => frame.length)).toEqual([104, 104, 104, 104, 104]);
    expect(a.stats.sentFrames).toBe(5);
  });

  it.each([10, 100, 1_000])(
    'sends 1,000 messages of %i bytes of one turn in as few frames as they fill',
    async (size) => {
      const { a, near, runtime } = linkPair(roomy, roomy);
      for (let n = 0; n < 1_000; n++) a.trySend(new Uint8Array(size));
      await runtime.advance(1);
      const total = 1_000 * (size + HEADER);
      expect(near.frames.reduce((sum, frame) => sum + frame.length, 0)).toBe(total);
      expect(near.frames).toHaveLength(Math.ceil(total / FRAME_BYTES));
    },
  );

  it('sends what follows in a turn after its first flush together, at the end of the turn', async () => {
    const { a, near, runtime } = linkPair(roomy, roomy);
    a.trySend(new Uint8Array(100));
    await Promise.resolve();
    for (let n = 0; n < 50; n++) {
      a.trySend(new Uint8Array(100));
      await Promise.resolve();
    }
    expect(near.frames).toHaveLength(1);
    await runtime.advance(0);
    expect(near.frames.map((frame) => frame.length)).toEqual([104, 50 * 104]);
  });

  it('writes at most four frames a turn, and then lets others have theirs', async () => {
    const { a, near, runtime } = linkPair(roomy, roomy, 10_000_000);
    for (let n = 0; n < 20; n++) a.trySend(new Uint8Array(65_536));
    await Promise.resolve();
    expect(near.frames).toHaveLength(4);
    await runtime.advance(0);
    expect(near.frames).toHaveLength(Math.ceil((20 * 65_540) / FRAME_BYTES));
  });
});
