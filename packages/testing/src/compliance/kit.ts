import { cborCodec, type PeerId, sleep } from '@mosaik/primitives';
import { type Link, type LinkEnd, type Protocol, protocol, type Transport } from '@mosaik/transport';
import { it } from 'vitest';
import type { TransportEnvironment, TransportSetup } from './environment.ts';

const DEFAULT_TIMEOUT_MS = 30_000;
const UNTIL_MS = 20_000;
const POLL_MS = 10;

/** Declares the tests of a suite. */
export interface Suite {
  readonly setup: TransportSetup;
  test(name: string, body: (environment: TransportEnvironment) => Promise<void>): void;
  /** A test for environments that can do something special; skipped in others. */
  testIf(
    canDo: boolean | undefined,
    name: string,
    body: (environment: TransportEnvironment) => Promise<void>,
  ): void;
}

export function suiteOf(setup: TransportSetup): Suite {
  const timeout = setup.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  return {
    setup,
    test: (name, body) => it(name, { timeout }, () => setup.run(body)),
    testIf: (canDo, name, body) => it.skipIf(canDo !== true)(name, { timeout }, () => setup.run(body)),
  };
}

/** Numbered messages of some size. */
export interface Numbered {
  readonly n: number;
  readonly text?: string;
}

export const Numbers: Protocol<Numbered> = protocol({ name: 'compliance/numbers', codec: cborCodec() });

/** Waits for a condition; the one way in which these tests wait for what cannot be awaited. */
export async function until(
  { runtime }: TransportEnvironment,
  what: string,
  check: () => boolean,
): Promise<void> {
  const endMs = runtime.now() + UNTIL_MS;
  while (!check()) {
    if (runtime.now() > endMs) throw new Error(`not within ${UNTIL_MS} ms: ${what}`);
    await sleep(runtime, POLL_MS);
  }
}

/** The first address of a transport. */
export function addressOf(transport: Transport): string {
  const address = transport.local.addresses.value[0];
  if (address === undefined) throw new Error('a transport of the environment has no address');
  return address;
}

/** Connects two transports and waits until both know. */
export async function connect(environment: TransportEnvironment, a: Transport, b: Transport): Promise<void> {
  await a.connect(addressOf(b));
  await until(environment, 'both sides know of the connection', () => {
    return a.connections.value.has(b.local.peerId) && b.connections.value.has(a.local.peerId);
  });
}

/** Two connected transports. */
export async function twoPeers(environment: TransportEnvironment): Promise<{ a: Transport; b: Transport }> {
  const [a, b] = [await environment.create(), await environment.create()];
  await connect(environment, a, b);
  return { a, b };
}

/** A link between two transports, seen from both ends: `near` at the one that opened it. */
export interface LinkPair<M> {
  readonly near: Link<M>;
  readonly far: Link<M>;
}

/** Opens a link from `a` to `b`; the two sides may define the protocol differently. */
export async function openLink<M, N = M>(
  { a, b }: { readonly a: Transport; readonly b: Transport },
  ofA: Protocol<M>,
  ofB?: Protocol<N>,
): Promise<{ readonly near: Link<M>; readonly far: Link<N> }> {
  const { promise, resolve } = Promise.withResolvers<Link<N>>();
  const accepting = b.accept((ofB ?? ofA) as Protocol<N>, (link) => resolve(link));
  const near = await a.open(b.local.peerId, ofA);
  const far = await promise;
  accepting[Symbol.dispose]();
  return { near, far };
}

/** Two connected transports and a link of numbered messages between them. */
export async function linked(
  environment: TransportEnvironment,
): Promise<LinkPair<Numbered> & { readonly a: Transport; readonly b: Transport }> {
  const peers = await twoPeers(environment);
  return { ...peers, ...(await openLink(peers, Numbers)) };
}

/** Everything a link yields until it ends cleanly. */
export async function readAll<M>(link: Link<M>): Promise<M[]> {
  const messages: M[] = [];
  for await (const message of link) messages.push(message);
  return messages;
}

/** What a link yields, and the error that it ends with. */
export async function readToError<M>(link: Link<M>): Promise<{ messages: M[]; error: unknown }> {
  const messages: M[] = [];
  try {
    for await (const message of link) messages.push(message);
  } catch (error) {
    return { messages, error };
  }
  throw new Error(`the link ended without an error: ${JSON.stringify(link.end)}`);
}

/** The next message; throws when there is none. */
export async function next<M>(link: Link<M>): Promise<M> {
  const message = await link.receive();
  if (message === undefined) throw new Error(`the link ended: ${JSON.stringify(link.end)}`);
  return message;
}

/** How a link ended, without its text. */
export async function endOf(link: Link<never> | Link<unknown>): Promise<Partial<LinkEnd>> {
  const { reason: _, ...rest } = await link.ended;
  return rest;
}

/** Waits until `peer` is, or is not, among the connections. */
export function untilConnected(
  environment: TransportEnvironment,
  transport: Transport,
  peer: PeerId,
  isConnected = true,
): Promise<void> {
  const what = isConnected ? 'connected' : 'disconnected';
  return until(environment, what, () => transport.connections.value.has(peer) === isConnected);
}
