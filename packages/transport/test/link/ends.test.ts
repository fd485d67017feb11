import { InvalidArgumentError } from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import { CloseCode } from '../../src/codes.ts';
import { LinkEndedError } from '../../src/errors.ts';
import { encodeClose, writeHeader } from '../../src/link/frame.ts';
import { Bytes, linkAndPipe, linkPair, readAll, record } from '../kit/links.ts';
import { settle } from '../kit/manual-runtime.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('a link that is closed', () => {
  it.each(['a', 'b'] as const)('by side %s, brings code and text to the other side', async (closer) => {
    const pair = linkPair(Bytes, Bytes);
    const other = closer === 'a' ? pair.b : pair.a;
    await pair[closer].close(10_413, 'too slow');
    expect(pair[closer].end).toEqual({ kind: 'closed', by: 'local', code: 10_413, reason: 'too slow' });
    expect(other.end).toEqual({ kind: 'closed', by: 'remote', code: 10_413, reason: 'too slow' });
    expect(await other.ended).toBe(other.end);
  });

  it('delivers what was accepted before, and then ends', async () => {
    const { a, b, runtime } = linkPair(Bytes, Bytes);
    await a.send(bytes(1));
    await a.send(bytes(2));
    await runtime.run(a.close());
    expect(await readAll(b)).toEqual({ messages: [bytes(1), bytes(2)], error: undefined });
    expect(await b.receive()).toBeUndefined();
  });

  it('with a code other than 0, throws at the reader after the last message', async () => {
    const { a, b, runtime } = linkPair(Bytes, Bytes);
    await a.send(bytes(1));
    await runtime.run(a.close(CloseCode.NotAllowed, 'not you'));
    const { messages, error } = await readAll(b);
    expect(messages).toEqual([bytes(1)]);
    expect(error).toBeInstanceOf(LinkEndedError);
    expect((error as LinkEndedError).message).toBe('link closed by the remote side: not you (403)');
  });

  it('ends the own reader at once and without an error, whatever the code', async () => {
    const { a, b, runtime } = linkPair(Bytes, Bytes);
    await b.send(bytes(1));
    await runtime.advance(0);
    const closing = a.close(CloseCode.InternalError, 'a bug');
    expect(await readAll(a)).toEqual({ messages: [], error: undefined });
    await closing;
  });

  it('by both sides at once, keeps the own code on each', async () => {
    const { a, b } = linkPair(Bytes, Bytes);
    await Promise.all([a.close(1, 'one'), b.close(2, 'two')]);
    expect(a.end).toMatchObject({ by: 'local', code: 1 });
    expect(b.end).toMatchObject({ by: 'local', code: 2 });
  });

  it('twice, keeps the first code', async () => {
    const { a, b } = linkPair(Bytes, Bytes);
    await Promise.all([a.close(1, 'one'), a.close(2, 'two')]);
    expect(b.end).toMatchObject({ code: 1, reason: 'one' });
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 32])('refuses the code %s and goes on', async (code) => {
    const { a, b } = linkPair(Bytes, Bytes);
    await expect(a.close(code)).rejects.toBeInstanceOf(InvalidArgumentError);
    await a.send(bytes(1));
    expect(await b.receive()).toEqual(bytes(1));
  });

  it('cuts a long text, and carries it whatever its characters', async () => {
    const { a, b } = linkPair(Bytes, Bytes);
    await a.close(1, '€'.repeat(1_000));
    expect(b.end).toMatchObject({ code: 1, reason: '€'.repeat(200) });
  });

  it('while its own reader is paused, is closed all the same', async () => {
    const { a, b, near, runtime } = linkPair(Bytes, Bytes);
    for (let n = 0; n < 30; n++) b.trySend(new Uint8Array(1_000));
    await runtime.advance(0);
    expect(near.isPaused).toBe(true);
    await a.close(7, 'enough');
    expect(b.end).toMatchObject({ by: 'remote', code: 7 });
    expect(runtime.pendingTimers).toBe(0);
  });

  it('fails sends after the end, and those that wait', async () => {
    const { a, b, far, runtime } = linkPair(Bytes, Bytes, 1);
    far.pause();
    while (a.trySend(new Uint8Array(1_000))) await runtime.advance(0);
    const waiting = a.send(new Uint8Array(1));
    const flushing = a.flushed();
    const failed = [
      expect(waiting).rejects.toThrow(LinkEndedError),
      expect(flushing).rejects.toThrow(LinkEndedError),
    ];
    a.abort('enough');
    await Promise.all(failed);
    await expect(a.send(new Uint8Array(1))).rejects.toThrow(LinkEndedError);
    expect(() => a.trySend(new Uint8Array(1))).toThrow(LinkEndedError);
    await b.ended;
  });
});

describe('a close that the other side does not answer', () => {
  it('resolves after two seconds and keeps delivering', async () => {
    const { a, b, far, runtime } = linkPair(Bytes, Bytes, 1_000);
    far.pause();
    for (let n = 0; n < 9; n++) await a.send(new Uint8Array(1_000).fill(n));
    let isClosed = false;
    void a.close(0, '').then(() => {
      isClosed = true;
    });
    await runtime.advance(1_999);
    expect(isClosed).toBe(false);
    await runtime.advance(1);
    expect(isClosed).toBe(true);
    expect(b.end).toBeUndefined();
    // It reads only now, and misses nothing.
    await runtime.advance(50_000);
    far.resume();
    const { messages, error } = await readAll(b);
    expect([messages.map((message) => message[0]), error]).toEqual([[0, 1, 2, 3, 4, 5, 6, 7, 8], undefined]);
    expect(b.end).toMatchObject({ kind: 'closed', by: 'remote', code: 0 });
  });

  it('gives up when nothing is taken for a minute', async () => {
    const { a, b, near, far, runtime } = linkPair(Bytes, Bytes, 1_000);
    far.pause();
    for (let n = 0; n < 9; n++) await a.send(new Uint8Array(1_000));
    void a.close();
    await runtime.advance(59_999);
    expect(near.aborted).toBeUndefined();
    await runtime.advance(1);
    expect(near.aborted).toBe('the other side did not finish');
    await runtime.advance(0);
    expect(b.end).toMatchObject({ kind: 'reset' });
    expect(runtime.pendingTimers).toBe(0);
  });

  it('counts the minute anew whenever something is taken', async () => {
    const roomy = { ...Bytes, sendBufferBytes: 1_000_000 };
    const { a, near, far, runtime } = linkPair(roomy, Bytes, 1_000);
    far.pause();
    for (let n = 0; n < 9; n++) await a.send(new Uint8Array(70_000));
    void a.close();
    await runtime.advance(50_000);
    // The link at the other side takes some, and pauses again as nobody reads.
    far.resume();
    await runtime.advance(0);
    expect([far.isPaused, far.pauses]).toEqual([true, 2]);
    await runtime.advance(59_999);
    expect(near.aborted).toBeUndefined();
    await runtime.advance(1);
    expect(near.aborted).toBe('the other side did not finish');
  });

  it('after a close of the other side, waits two seconds for its stream to end', async () => {
    const { link, near, remote, runtime } = linkAndPipe(Bytes);
    remote.write([encodeClose({ code: 5, reason: 'done here' })]);
    await settle();
    expect(link.end).toEqual({ kind: 'closed', by: 'remote', code: 5, reason: 'done here' });
    expect(near.isFinished).toBe(true);
    await runtime.advance(1_999);
    expect(near.aborted).toBeUndefined();
    await runtime.advance(1);
    expect(near.aborted).toBe('the other side did not finish');
  });

  it('after a violation, waits two seconds for it to go', async () => {
    const { link, near, remote, runtime } = linkAndPipe(Bytes);
    const header = new Uint8Array(4);
    writeHeader(header, 0, Bytes.maxFrameBytes + 1);
    remote.write([header]);
    await runtime.advance(1_999);
    expect(link.end).toMatchObject({ kind: 'violation', code: 413 });
    expect(near.aborted).toBeUndefined();
    await runtime.advance(1);
    expect(near.aborted).toBe('the other side did not finish');
  });
});

describe('a link whose channel ends', () => {
  it.each(['reset', 'lost', 'silent'] as const)('as %s, ends as that at both sides', async (kind) => {
    const { a, b, near } = linkPair(Bytes, Bytes);
    await a.send(bytes(1));
    await settle();
    near.cut({ kind, reason: 'because' });
    expect(await a.ended).toEqual({ kind, reason: 'because' });
    const { messages, error } = await readAll(b);
    expect(messages).toEqual([bytes(1)]);
    expect((error as LinkEndedError).end).toEqual({ kind, reason: 'because' });
    expect((error as Error).message).toBe(`link ${kind}: because`);
  });

  it('without a goodbye, is lost', async () => {
    const { link, remote } = linkAndPipe(Bytes);
    remote.write([record(bytes(1))]);
    remote.closeWrite();
    const { messages, error } = await readAll(link);
    expect(messages).toEqual([bytes(1)]);
    expect((error as LinkEndedError).end).toEqual({
      kind: 'lost',
      reason: 'the peer ended without a goodbye',
    });
  });

  it('as finished without a goodbye, is lost', async () => {
    const { a, near } = linkPair(Bytes, Bytes);
    near.cut({ kind: 'finished' });
    expect(await a.ended).toMatchObject({ kind: 'lost' });
  });

  it('after it was closed, keeps the end it has', async () => {
    const { a, near } = linkPair(Bytes, Bytes);
    const closing = a.close(3, 'three');
    near.cut({ kind: 'lost', reason: 'gone' });
    await closing;
    expect(a.end).toMatchObject({ kind: 'closed', by: 'local', code: 3 });
  });

  it('by abort, looks like a reset to the other side, and nothing unsent arrives', async () => {
    const { a, b, runtime } = linkPair(Bytes, Bytes);
    a.trySend(bytes(1));
    a.abort('no reason');
    expect(a.end).toEqual({ kind: 'closed', by: 'local', code: 0, reason: 'no reason' });
    const { messages, error } = await readAll(b);
    expect([messages, (error as LinkEndedError).end.kind]).toEqual([[], 'reset']);
    await runtime.advance(0);
    expect(runtime.pendingTimers).toBe(0);
  });

  it('leaves no timer behind, however it ends', async () => {
    const { a, b, runtime } = linkPair(Bytes, Bytes);
    await a.send(bytes(1));
    await runtime.run(a.close());
    await b.ended;
    await runtime.advance(0);
    expect(runtime.pendingTimers).toBe(0);
  });
});
