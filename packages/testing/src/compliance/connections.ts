import { ClosedError, sleep } from '@mosaik/primitives';
import type { Transport, TransportEvent } from '@mosaik/transport';
import { expect } from 'vitest';
import type { TransportEnvironment } from './environment.ts';
import {
  addressOf,
  connect,
  linked,
  Numbers,
  next,
  openLink,
  type Suite,
  twoPeers,
  until,
  untilConnected,
} from './kit.ts';

const DEFAULT_IDLE_MS = 2_000;

/** What a transport tells of from now on. */
function record(transport: Transport): TransportEvent[] {
  const events: TransportEvent[] = [];
  const subscription = transport.events.subscribe();
  void (async () => {
    for await (const event of subscription) if (event.type !== 'lagged') events.push(event);
  })();
  return events;
}

function ofType(events: readonly TransportEvent[], type: TransportEvent['type']): TransportEvent[] {
  return events.filter((event) => event.type === type);
}

/** A transport that keeps a connection to another one, which knows nothing of that. */
async function keeping(
  environment: TransportEnvironment,
): Promise<{ a: Transport; b: Transport; kept: Disposable }> {
  const [a, b] = [await environment.create(), await environment.create()];
  a.setAddresses(b.local.peerId, b.local.addresses.value);
  const kept = a.keep(b.local.peerId);
  await untilConnected(environment, a, b.local.peerId);
  return { a, b, kept };
}

/** Connections: made, told of, kept, closed. */
export function connectionTests(suite: Suite): void {
  connectTests(suite);
  keepTests(suite);
  lifeTests(suite);
}

/** Made and told of. */
function connectTests({ test }: Suite): void {
  test('connects to an address and says who answered', async (environment) => {
    const [a, b] = [await environment.create(), await environment.create()];
    expect(await a.connect(addressOf(b))).toBe(b.local.peerId);
    await untilConnected(environment, b, a.local.peerId);
    expect(a.connections.value.get(b.local.peerId)).toMatchObject({
      peer: b.local.peerId,
      direction: 'outbound',
    });
    expect(b.connections.value.get(a.local.peerId)).toMatchObject({
      peer: a.local.peerId,
      direction: 'inbound',
    });
  });

  test('tells of connections and disconnections at both ends', async (environment) => {
    const [a, b] = [await environment.create(), await environment.create()];
    const [atA, atB] = [record(a), record(b)];
    await connect(environment, a, b);
    await a.disconnect(b.local.peerId);
    await until(environment, 'both are told', () =>
      [atA, atB].every((events) => ofType(events, 'disconnected').length > 0),
    );
    expect(atA).toMatchObject([
      { type: 'connected', peer: b.local.peerId, direction: 'outbound' },
      { type: 'disconnected', peer: b.local.peerId, reason: 'closed' },
    ]);
    expect(atB).toMatchObject([
      { type: 'connected', peer: a.local.peerId, direction: 'inbound' },
      { type: 'disconnected', peer: a.local.peerId, reason: 'closed' },
    ]);
    expect([a.connections.value.size, b.connections.value.size]).toEqual([0, 0]);
  });

  test('keeps one connection a peer', async (environment) => {
    const { a, b } = await twoPeers(environment);
    expect(await a.connect(addressOf(b))).toBe(b.local.peerId);
    expect(await b.connect(addressOf(a))).toBe(a.local.peerId);
    expect([a.connections.value.size, b.connections.value.size]).toEqual([1, 1]);
  });

  test('ends up with one connection when both dial at once', async (environment) => {
    const [a, b] = [await environment.create(), await environment.create()];
    await Promise.all([a.connect(addressOf(b)), b.connect(addressOf(a))]);
    await untilConnected(environment, a, b.local.peerId);
    await untilConnected(environment, b, a.local.peerId);
    const { near, far } = await openLink({ a, b }, Numbers);
    await near.send({ n: 1 });
    expect(await next(far)).toEqual({ n: 1 });
    expect([a.connections.value.size, b.connections.value.size]).toEqual([1, 1]);
  });
}

/** Made again, idle, measured, closed. */
function lifeTests({ test, setup }: Suite): void {
  test('connects again after a disconnect', async (environment) => {
    const { a, b } = await twoPeers(environment);
    await a.disconnect(b.local.peerId);
    await untilConnected(environment, b, a.local.peerId, false);
    await connect(environment, a, b);
    const { near, far } = await openLink({ a, b }, Numbers);
    await near.send({ n: 1 });
    expect(await next(far)).toEqual({ n: 1 });
  });

  test('takes a disconnect from a stranger as done', async (environment) => {
    const [a, b] = [await environment.create(), await environment.create()];
    await a.disconnect(b.local.peerId);
    expect(a.connections.value.size).toBe(0);
  });

  test('keeps links through idle time', async (environment) => {
    const { near, far } = await linked(environment);
    await sleep(environment.runtime, setup.idleMs ?? DEFAULT_IDLE_MS);
    await near.send({ n: 1 });
    expect(await next(far)).toEqual({ n: 1 });
  });

  test('measures the round trip', async (environment) => {
    const { a, b } = await twoPeers(environment);
    await until(environment, 'measured', () => a.rtt(b.local.peerId) !== undefined);
    expect(a.rtt(b.local.peerId)).toBeGreaterThanOrEqual(0);
    expect(a.rtt(a.local.peerId)).toBeUndefined();
  });

  test('closes its connections, and then itself', async (environment) => {
    const { a, b } = await twoPeers(environment);
    const events = record(a);
    await b.close();
    await untilConnected(environment, a, b.local.peerId, false);
    expect(events).toMatchObject([{ type: 'disconnected', peer: b.local.peerId, reason: 'closed' }]);
    await b.close();
    await expect(b.connect(addressOf(a))).rejects.toBeInstanceOf(ClosedError);
    await expect(b.open(a.local.peerId, Numbers)).rejects.toBeInstanceOf(ClosedError);
    expect(() => b.accept(Numbers, () => undefined)).toThrow(ClosedError);
    expect(() => b.keep(a.local.peerId)).toThrow(ClosedError);
    expect(() => b.topic('any')).toThrow(ClosedError);
  });
}

/** Kept for as long as they are wanted. */
function keepTests({ test }: Suite): void {
  test('makes the connection that is to be kept', async (environment) => {
    const { a, b } = await keeping(environment);
    expect(a.connections.value.has(b.local.peerId)).toBe(true);
  });

  test('makes a kept connection again when it is lost, again and again', async (environment) => {
    const { a, b } = await keeping(environment);
    const events = record(a);
    for (let round = 1; round <= 3; round++) {
      await untilConnected(environment, b, a.local.peerId);
      await b.disconnect(a.local.peerId);
      await until(environment, 'lost', () => ofType(events, 'disconnected').length === round);
      await until(environment, 'made again', () => ofType(events, 'connected').length === round);
    }
  });

  test('does not keep a connection any longer than wanted', async (environment) => {
    const { a, b, kept } = await keeping(environment);
    await untilConnected(environment, b, a.local.peerId);
    kept[Symbol.dispose]();
    expect(a.connections.value.has(b.local.peerId)).toBe(true);
    await b.disconnect(a.local.peerId);
    await untilConnected(environment, a, b.local.peerId, false);
    const events = record(a);
    await sleep(environment.runtime, 1_000);
    expect(events).toEqual([]);
  });

  test('tells of each failed attempt to make a kept connection', async (environment) => {
    const [a, b] = [await environment.create(), await environment.create()];
    const events = record(a);
    a.setAddresses(b.local.peerId, b.local.addresses.value);
    await b.close();
    const kept = a.keep(b.local.peerId);
    await until(environment, 'two attempts', () => ofType(events, 'dialFailed').length >= 2);
    kept[Symbol.dispose]();
    expect(events.slice(0, 2)).toMatchObject([
      { peer: b.local.peerId, attempt: 1 },
      { peer: b.local.peerId, attempt: 2 },
    ]);
  });
}
