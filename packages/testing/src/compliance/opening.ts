import { AbortedError, cborCodec, InvalidArgumentError } from '@mosaik/primitives';
import {
  type Link,
  PeerUnreachableError,
  ProtocolUnsupportedError,
  protocol,
  type Transport,
  type TransportEvent,
  WrongPeerError,
} from '@mosaik/transport';
import { expect } from 'vitest';
import {
  addressOf,
  endOf,
  linked,
  type Numbered,
  Numbers,
  next,
  openLink,
  type Suite,
  twoPeers,
  until,
} from './kit.ts';

/** The address of one transport, naming the peer of another. */
function misnamed(address: string, other: string): string {
  const place = address.slice(0, address.lastIndexOf('/') + 1);
  return place + other.slice(other.lastIndexOf('/') + 1);
}

function openMany(a: Transport, b: Transport, count: number): Promise<Link<Numbered>[]> {
  return Promise.all(Array.from({ length: count }, () => a.open(b.local.peerId, Numbers)));
}

/** Whether a link was refused for being one too many; asks over the link whether it is not. */
async function isRefused(link: Link<Numbered>): Promise<boolean> {
  const answer = await link.receive().catch(() => undefined);
  return answer === undefined && link.end?.kind === 'closed' && link.end.code === 429;
}

/** Opening and accepting links. */
export function openingTests(suite: Suite): void {
  negotiationTests(suite);
  reachingTests(suite);
  limitTests(suite);
}

/** Protocols, versions and networks. */
function negotiationTests({ test }: Suite): void {
  test('knows the links that are open, at both ends, until they end', async (environment) => {
    const { a, b, near, far } = await linked(environment);
    const second = await openLink({ a: b, b: a }, Numbers);
    expect(a.links()).toEqual([near, second.far]);
    expect(b.links()).toEqual([far, second.near]);
    await near.close();
    await until(environment, 'both sides have seen the end', () =>
      [a, b].every((transport) => transport.links().length === 1),
    );
    expect([a.links(), b.links()]).toEqual([[second.far], [second.near]]);
    await a.disconnect(b.local.peerId);
    await until(environment, 'none is left', () =>
      [a, b].every((transport) => transport.links().length === 0),
    );
  });

  test('refuses a protocol that the peer does not accept', async (environment) => {
    const { a, b } = await twoPeers(environment);
    await expect(a.open(b.local.peerId, Numbers)).rejects.toBeInstanceOf(ProtocolUnsupportedError);
    expect(a.connections.value.has(b.local.peerId)).toBe(true);
  });

  test('refuses another version of a protocol', async (environment) => {
    const { a, b } = await twoPeers(environment);
    b.accept(Numbers, () => undefined);
    const newer = protocol({ name: Numbers.name, version: 2, codec: cborCodec<Numbered>() });
    await expect(a.open(b.local.peerId, newer)).rejects.toBeInstanceOf(ProtocolUnsupportedError);
  });

  test('accepts until disposed, and one handler a protocol', async (environment) => {
    const { a, b } = await twoPeers(environment);
    const accepting = b.accept(Numbers, () => undefined);
    expect(() => b.accept(Numbers, () => undefined)).toThrow(InvalidArgumentError);
    await a.open(b.local.peerId, Numbers);
    accepting[Symbol.dispose]();
    await expect(a.open(b.local.peerId, Numbers)).rejects.toBeInstanceOf(ProtocolUnsupportedError);
    b.accept(Numbers, () => undefined);
    await a.open(b.local.peerId, Numbers);
  });

  test('opens nothing at a node of another network', async (environment) => {
    const a = await environment.create({ network: 'one' });
    const b = await environment.create({ network: 'another' });
    b.accept(Numbers, () => undefined);
    const opening = a.connect(addressOf(b)).then((peer) => a.open(peer, Numbers));
    await expect(opening).rejects.toBeInstanceOf(ProtocolUnsupportedError);
  });
}

/** Finding the peer, and the right one. */
function reachingTests({ test }: Suite): void {
  test('connects first when need be, to the addresses it was told', async (environment) => {
    const [a, b] = [await environment.create(), await environment.create()];
    b.accept(Numbers, (link) => link.send({ n: 1 }));
    a.setAddresses(b.local.peerId, b.local.addresses.value);
    expect(await next(await a.open(b.local.peerId, Numbers))).toEqual({ n: 1 });
    expect(a.connections.value.has(b.local.peerId)).toBe(true);
  });

  test('cannot reach a peer without an address', async (environment) => {
    const [a, b] = [await environment.create(), await environment.create()];
    await expect(a.open(b.local.peerId, Numbers)).rejects.toBeInstanceOf(PeerUnreachableError);
  });

  test('cannot reach an address where nobody listens any more', async (environment) => {
    const [a, b] = [await environment.create(), await environment.create()];
    const address = addressOf(b);
    await b.close();
    await expect(a.connect(address)).rejects.toBeInstanceOf(PeerUnreachableError);
    a.setAddresses(b.local.peerId, [address]);
    await expect(a.open(b.local.peerId, Numbers)).rejects.toBeInstanceOf(PeerUnreachableError);
  });

  test('refuses a peer that is not the one the address names', async (environment) => {
    const [a, b, c] = [await environment.create(), await environment.create(), await environment.create()];
    const wrong = misnamed(addressOf(b), addressOf(c));
    await expect(a.connect(wrong)).rejects.toBeInstanceOf(WrongPeerError);
    expect(a.connections.value.size).toBe(0);
  });

  test('gives up opening when told', async (environment) => {
    const { a, b } = await twoPeers(environment);
    b.accept(Numbers, () => undefined);
    const abort = new AbortController();
    const opening = a.open(b.local.peerId, Numbers, { signal: abort.signal });
    abort.abort();
    await expect(opening).rejects.toBeInstanceOf(AbortedError);
  });
}

/** Bounds on what a peer may open. */
function limitTests({ test }: Suite): void {
  test('refuses more links than are allowed with 429, and tells', async (environment) => {
    const { a, b } = await twoPeers(environment);
    const events: TransportEvent[] = [];
    const listening = (async () => {
      for await (const event of b.events) if (event.type !== 'lagged') events.push(event);
    })();
    b.accept(Numbers, (link) => link.send({ n: 1 }), { maxLinks: 2 });
    const links = await openMany(a, b, 3);
    const refused = await Promise.all(links.map(isRefused));
    expect(refused.filter(Boolean)).toHaveLength(1);
    await until(environment, 'the refusal was told', () => events.some((event) => event.type === 'refused'));
    expect(events.find((event) => event.type === 'refused')).toMatchObject({
      peer: a.local.peerId,
      code: 429,
    });
    await b.close();
    await listening;
  });

  test('lets another link in when one has ended', async (environment) => {
    const { a, b } = await twoPeers(environment);
    b.accept(Numbers, (link) => link.send({ n: 1 }), { maxLinks: 1 });
    const [first] = await openMany(a, b, 1);
    expect(await next(first as Link<Numbered>)).toEqual({ n: 1 });
    await first?.close();
    const again = await a.open(b.local.peerId, Numbers);
    expect(await next(again)).toEqual({ n: 1 });
  });

  test('refuses a flood of opens with 429', async (environment) => {
    const { a, b } = await twoPeers(environment);
    b.accept(Numbers, (link) => link.send({ n: 1 }), { maxOpensPerSecond: 1 });
    const links = await openMany(a, b, 20);
    const refused = await Promise.all(links.map(isRefused));
    // Ten in a burst, and some more may be earned while they are opened.
    expect(refused.filter(Boolean).length).toBeGreaterThanOrEqual(5);
    expect(refused.filter((isOne) => !isOne).length).toBeGreaterThanOrEqual(10);
  });

  test('keeps the limits of one peer apart from those of another', async (environment) => {
    const { a, b } = await twoPeers(environment);
    const c = await environment.create();
    await c.connect(addressOf(b));
    b.accept(Numbers, (link) => link.send({ n: 1 }), { maxLinks: 1 });
    const [one, two] = [await a.open(b.local.peerId, Numbers), await a.open(b.local.peerId, Numbers)];
    expect(await next(one)).toEqual({ n: 1 });
    expect(await endOf(two)).toMatchObject({ code: 429 });
    expect(await next(await c.open(b.local.peerId, Numbers))).toEqual({ n: 1 });
  });
}
