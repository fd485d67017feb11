import { CloseCode, LinkEndedError } from '@mosaik/transport';
import { expect } from 'vitest';
import {
  endOf,
  linked,
  Numbers,
  next,
  readAll,
  readToError,
  type Suite,
  twoPeers,
  untilConnected,
} from './kit.ts';

/** How links end, and that each way of ending looks different. */
export function endTests(suite: Suite): void {
  closeTests(suite);
  afterCloseTests(suite);
  breakTests(suite);
}

/** Closed on purpose, with a code. */
function closeTests({ test }: Suite): void {
  test('says nothing of an end while there is none', async (environment) => {
    const { near, far } = await linked(environment);
    expect([near.end, far.end]).toEqual([undefined, undefined]);
  });

  test('brings the code and the text of a close to the other side', async (environment) => {
    const { near, far } = await linked(environment);
    await near.close(10_413, 'too slow');
    expect(near.end).toEqual({ kind: 'closed', by: 'local', code: 10_413, reason: 'too slow' });
    expect(await far.ended).toEqual({ kind: 'closed', by: 'remote', code: 10_413, reason: 'too slow' });
  });

  test('closes from the accepting side alike', async (environment) => {
    const { near, far } = await linked(environment);
    await far.close(CloseCode.NotAllowed, 'not you');
    expect(await near.ended).toEqual({ kind: 'closed', by: 'remote', code: 403, reason: 'not you' });
  });

  test('ends the messages normally after a close with code 0', async (environment) => {
    const { near, far } = await linked(environment);
    await near.send({ n: 1 });
    await near.send({ n: 2 });
    await near.close();
    expect(await readAll(far)).toEqual([{ n: 1 }, { n: 2 }]);
    expect(await far.receive()).toBeUndefined();
  });

  test('throws after a close with another code, when what came before has been read', async (environment) => {
    const { near, far } = await linked(environment);
    await near.send({ n: 1 });
    await near.close(CloseCode.TooMany, 'enough');
    const { messages, error } = await readToError(far);
    expect(messages).toEqual([{ n: 1 }]);
    expect(error).toBeInstanceOf(LinkEndedError);
    expect((error as LinkEndedError).end).toMatchObject({ kind: 'closed', by: 'remote', code: 429 });
    await expect(far.receive()).rejects.toBeInstanceOf(LinkEndedError);
  });

  test('ends the own reader normally whatever code was closed with', async (environment) => {
    const { near } = await linked(environment);
    const reading = readAll(near);
    await near.close(CloseCode.InternalError, 'broken');
    expect(await reading).toEqual([]);
  });

  test('delivers everything that was accepted before the close', async (environment) => {
    const { near, far } = await linked(environment);
    const text = 'x'.repeat(5_000);
    let sent = 0;
    while (near.trySend({ n: sent, text })) sent++;
    const closing = near.close();
    const messages = await readAll(far);
    await closing;
    expect(messages.map((message) => message.n)).toEqual(Array.from({ length: sent }, (_, n) => n));
  });
}

/** Closing twice, late, or in the face of a reader that does not read. */
function afterCloseTests({ test }: Suite): void {
  test('refuses to send after the end', async (environment) => {
    const { near, far } = await linked(environment);
    await near.close();
    await far.ended;
    for (const link of [near, far]) {
      await expect(link.send({ n: 1 })).rejects.toBeInstanceOf(LinkEndedError);
      expect(() => link.trySend({ n: 1 })).toThrow(LinkEndedError);
    }
  });

  test('may be closed twice, and from both sides at once', async (environment) => {
    const { near, far } = await linked(environment);
    await Promise.all([near.close(1, 'one'), far.close(2, 'two'), near.close(3, 'three')]);
    expect(near.end).toMatchObject({ kind: 'closed' });
    expect(far.end).toMatchObject({ kind: 'closed' });
  });

  test('closes also when the other side does not read', async (environment) => {
    const { near, far } = await linked(environment);
    await near.send({ n: 1, text: 'x'.repeat(100_000) });
    await near.close(CloseCode.Timeout, 'too long');
    expect(await endOf(far)).toEqual({ kind: 'closed', by: 'remote', code: 408 });
  });

  test('closes with code 0 when disposed', async (environment) => {
    const { near, far } = await linked(environment);
    await near[Symbol.asyncDispose]();
    expect(await endOf(far)).toEqual({ kind: 'closed', by: 'remote', code: 0 });
  });
}

/** Ended by what happens to a handler, a transport, a connection or a process. */
function breakTests({ test, testIf, setup }: Suite): void {
  test('looks like a reset when aborted', async (environment) => {
    const { near, far } = await linked(environment);
    near.abort('no reason');
    const { error } = await readToError(far);
    expect((error as LinkEndedError).end.kind).toBe('reset');
    expect(near.end).toMatchObject({ kind: 'closed', by: 'local' });
  });

  test('leaves the connection alone when aborted', async (environment) => {
    const { a, b, near, far } = await linked(environment);
    near.abort();
    await far.ended;
    expect(a.connections.value.has(b.local.peerId)).toBe(true);
    expect(b.connections.value.has(a.local.peerId)).toBe(true);
  });

  test('ends with code 500 when its handler throws or rejects', async (environment) => {
    const { a, b } = await twoPeers(environment);
    b.accept(Numbers, () => {
      throw new Error('a bug in the handler');
    });
    const thrown = await a.open(b.local.peerId, Numbers);
    expect(await thrown.ended).toMatchObject({ by: 'remote', code: 500, reason: 'a bug in the handler' });
  });

  test('stays open when its handler returns', async (environment) => {
    const { near, far } = await linked(environment);
    await near.send({ n: 1 });
    expect(await next(far)).toEqual({ n: 1 });
  });

  test('ends with code 503 when the transport closes', async (environment) => {
    const { b, near } = await linked(environment);
    await b.close();
    expect(await endOf(near)).toEqual({ kind: 'closed', by: 'remote', code: 503 });
  });

  test('ends at both sides when the connection is closed', async (environment) => {
    const { a, b, near, far } = await linked(environment);
    await a.disconnect(b.local.peerId);
    await Promise.all([near.ended, far.ended]);
    await untilConnected(environment, b, a.local.peerId, false);
  });

  testIf(setup.canKill, 'is lost with the process at the other end', async (environment) => {
    const { a, b, near } = await linked(environment);
    await environment.kill?.(b);
    const { error } = await readToError(near);
    expect((error as LinkEndedError).end.kind).toBe('lost');
    await untilConnected(environment, a, b.local.peerId, false);
  });

  testIf(setup.canSilence, 'is silent when packets just stop', async (environment) => {
    const { a, b, near } = await linked(environment);
    await environment.silence?.(b);
    const { error } = await readToError(near);
    expect((error as LinkEndedError).end.kind).toBe('silent');
    await untilConnected(environment, a, b.local.peerId, false);
  });
}
