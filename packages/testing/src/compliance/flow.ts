import { AbortedError, sleep } from '@mosaik/primitives';
import { type Link, LinkEndedError, TooManyWaitingError } from '@mosaik/transport';
import { expect } from 'vitest';
import type { TransportEnvironment } from './environment.ts';
import { linked, type Numbered, Numbers, next, openLink, type Suite, until } from './kit.ts';

const DEFAULT_HELD_BYTES_MAX = 4 * 1024 * 1024;
const text = 'x'.repeat(10_000);

/** Sends until no more is taken, for some turns in a row; returns how many messages were. */
async function fill(environment: TransportEnvironment, link: Link<Numbered>): Promise<number> {
  let sent = 0;
  for (let fruitless = 0; fruitless < 20; ) {
    if (link.trySend({ n: sent, text })) {
      sent++;
      fruitless = 0;
    } else {
      fruitless++;
      await sleep(environment.runtime, 10);
    }
    if (sent > 100_000) throw new Error('a link takes messages without end while nobody reads');
  }
  return sent;
}

/** Backpressure: a reader that does not read stops the sender, and nobody else. */
export function flowTests(suite: Suite): void {
  stopTests(suite);
  waitingTests(suite);
}

/** A full link takes no more. */
function stopTests({ test, setup }: Suite): void {
  const heldBytesMax = setup.heldBytesMax ?? DEFAULT_HELD_BYTES_MAX;

  test('holds a bounded number of bytes for a reader that does not read', async (environment) => {
    const { near } = await linked(environment);
    await fill(environment, near);
    expect(near.stats.sentBytes).toBeLessThan(heldBytesMax);
    expect(near.stats.unsentBytes).toBeLessThan(2 * Numbers.sendBufferBytes);
  });

  test('goes on, in order and without loss, once the reader reads', async (environment) => {
    const { near, far } = await linked(environment);
    const sent = await fill(environment, near);
    const sending = near.send({ n: sent, text });
    for (let n = 0; n <= sent; n++) expect((await next(far)).n).toBe(n);
    await sending;
  });

  test('refuses a trySend without room, and sends nothing of it', async (environment) => {
    const { near, far } = await linked(environment);
    const sent = await fill(environment, near);
    expect(near.trySend({ n: -1, text })).toBe(false);
    const closing = near.close();
    let last = -2;
    for await (const message of far) last = message.n;
    await closing;
    expect(last).toBe(sent - 1);
  });
}

/** Sends that wait, and how that ends. */
function waitingTests({ test }: Suite): void {
  test('gives up a waiting send when told, and sends nothing of it', async (environment) => {
    const { near, far } = await linked(environment);
    const sent = await fill(environment, near);
    const abort = new AbortController();
    const waiting = near.send({ n: -1, text }, { signal: abort.signal });
    abort.abort();
    await expect(waiting).rejects.toBeInstanceOf(AbortedError);
    const after = near.send({ n: sent, text });
    for (let n = 0; n <= sent; n++) expect((await next(far)).n).toBe(n);
    await after;
  });

  test('refuses a send with a signal that has fired already', async (environment) => {
    const { near, far } = await linked(environment);
    await expect(near.send({ n: 1 }, { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(AbortedError);
    await near.send({ n: 2 });
    expect(await next(far)).toEqual({ n: 2 });
  });

  test('bounds how many sends wait', async (environment) => {
    const { near } = await linked(environment);
    const sent = await fill(environment, near);
    const outcomes = Array.from({ length: 1_500 }, (_, index) =>
      near.send({ n: sent + index, text }).then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    near.abort();
    const errors = await Promise.all(outcomes);
    expect(errors.filter((error) => error instanceof TooManyWaitingError).length).toBeGreaterThan(0);
    expect(errors.every((error) => error === undefined || error instanceof Error)).toBe(true);
  });

  test('fails the sends that wait when the link ends', async (environment) => {
    const { near, far } = await linked(environment);
    const sent = await fill(environment, near);
    const waiting = expect(near.send({ n: sent, text })).rejects.toBeInstanceOf(LinkEndedError);
    const flushing = expect(near.flushed()).rejects.toBeInstanceOf(LinkEndedError);
    far.abort('enough');
    await waiting;
    await flushing;
  });

  test('does not hold up other links of the same pair', async (environment) => {
    const { a, b, near } = await linked(environment);
    await fill(environment, near);
    const other = await openLink({ a, b }, Numbers);
    await other.near.send({ n: 1 });
    expect(await next(other.far)).toEqual({ n: 1 });
    await other.far.send({ n: 2 });
    expect(await next(other.near)).toEqual({ n: 2 });
  });

  test('tells when everything has left', async (environment) => {
    const { near, far } = await linked(environment);
    let read = 0;
    const reading = (async () => {
      for await (const _ of far) read++;
    })();
    for (let n = 0; n < 100; n++) await near.send({ n, text });
    await near.flushed();
    expect(near.stats.unsentBytes).toBe(0);
    await until(environment, 'all has arrived', () => read === 100);
    await near.close();
    await reading;
  });
}
