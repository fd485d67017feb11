import { InvalidArgumentError, sleep } from '@mosaik/primitives';
import { FrameTooLargeError, type TopicMessage, type TopicVerdict, type Transport } from '@mosaik/transport';
import { expect } from 'vitest';
import type { TransportEnvironment } from './environment.ts';
import { connect, type Suite, twoPeers, until } from './kit.ts';

const NAME = 'weather';
const BETWEEN_MS = 100;

/** What one node hears, as the first byte of each message. */
interface Ear {
  readonly heard: number[];
  readonly messages: TopicMessage[];
  readonly subscription: Disposable;
}

function listen(transport: Transport, verdict: () => TopicVerdict = () => 'accept', name = NAME): Ear {
  const heard: number[] = [];
  const messages: TopicMessage[] = [];
  const subscription = transport.topic(name).subscribe((message) => {
    messages.push(message);
    heard.push(message.data[0] as number);
    return verdict();
  });
  return { heard, messages, subscription };
}

/** Gossip is best effort and needs a moment to form: says the same again until it has been heard. */
async function publishUntil(
  environment: TransportEnvironment,
  { from, byte, name = NAME }: { from: Transport; byte: number; name?: string },
  isHeard: () => boolean,
): Promise<void> {
  for (let attempt = 0; attempt < 200 && !isHeard(); attempt++) {
    await from.topic(name).publish(Uint8Array.of(byte));
    await sleep(environment.runtime, BETWEEN_MS);
  }
  expect(isHeard()).toBe(true);
}

/** Three nodes in a row; the outer ones know nothing of each other. */
async function line(
  environment: TransportEnvironment,
): Promise<{ a: Transport; b: Transport; c: Transport }> {
  const [a, b, c] = [await environment.create(), await environment.create(), await environment.create()];
  await connect(environment, a, b);
  await connect(environment, b, c);
  return { a, b, c };
}

/** Gossip topics. */
export function topicTests(suite: Suite): void {
  deliveryTests(suite);
  separationTests(suite);
  subscriptionTests(suite);
}

/** Delivered, and passed on. */
function deliveryTests({ test }: Suite): void {
  test('brings a message to the neighbours that subscribed, and not back', async (environment) => {
    const { a, b } = await twoPeers(environment);
    const [atA, atB] = [listen(a), listen(b)];
    await until(environment, 'the subscription is known', () => a.topic(NAME).peers.includes(b.local.peerId));
    await publishUntil(environment, { from: a, byte: 7 }, () => atB.heard.includes(7));
    expect(atB.messages[0]).toMatchObject({ from: a.local.peerId });
    expect(atA.heard).toEqual([]);
  });

  test('says how many neighbours it was handed to', async (environment) => {
    const { a, b } = await twoPeers(environment);
    expect(await a.topic(NAME).publish(Uint8Array.of(1))).toBe(0);
    listen(b);
    await until(environment, 'the subscription is known', () => a.topic(NAME).peers.length === 1);
    expect(await a.topic(NAME).publish(Uint8Array.of(1))).toBe(1);
  });

  test('passes on what is accepted, over a node in between', async (environment) => {
    const { a, b, c } = await line(environment);
    listen(b);
    const atC = listen(c);
    await publishUntil(environment, { from: a, byte: 3 }, () => atC.heard.includes(3));
    expect(atC.messages[0]).toMatchObject({ from: b.local.peerId });
  });

  for (const verdict of ['ignore', 'reject'] as const) {
    test(`does not pass on what the node in between says ${verdict} to`, async (environment) => {
      const { a, b, c } = await line(environment);
      let answer: TopicVerdict = 'accept';
      const atB = listen(b, () => answer);
      const atC = listen(c);
      await publishUntil(environment, { from: a, byte: 1 }, () => atC.heard.includes(1));
      answer = verdict;
      await publishUntil(environment, { from: a, byte: 2 }, () => atB.heard.includes(2));
      answer = 'accept';
      await publishUntil(environment, { from: b, byte: 3 }, () => atC.heard.includes(3));
      expect(atC.heard).not.toContain(2);
    });
  }
}

/** Once, and to nobody else. */
function separationTests({ test }: Suite): void {
  test('handles each message once, however many ways it comes', async (environment) => {
    const { a, b, c } = await line(environment);
    await connect(environment, a, c);
    const ears = [listen(a), listen(b), listen(c)];
    await until(environment, 'all know all', () =>
      [a, b, c].every((node) => node.topic(NAME).peers.length === 2),
    );
    for (let byte = 0; byte < 50; byte++) await a.topic(NAME).publish(Uint8Array.of(byte));
    await until(environment, 'all have heard', () => ears.slice(1).every((ear) => ear.heard.length >= 50));
    await publishUntil(environment, { from: a, byte: 99 }, () =>
      ears.slice(1).every((ear) => ear.heard.includes(99)),
    );
    for (const ear of ears.slice(1)) {
      const first = ear.heard.filter((byte) => byte < 50).sort((x, y) => x - y);
      expect(first).toEqual(Array.from({ length: 50 }, (_, byte) => byte));
    }
  });

  test('does not mix topics', async (environment) => {
    const { a, b } = await twoPeers(environment);
    const [weather, news] = [listen(b), listen(b, undefined, 'news')];
    await publishUntil(environment, { from: a, byte: 1 }, () => weather.heard.includes(1));
    await publishUntil(environment, { from: a, byte: 2, name: 'news' }, () => news.heard.includes(2));
    expect([weather.heard.includes(2), news.heard.includes(1)]).toEqual([false, false]);
  });

  test('does not reach another network', async (environment) => {
    const [a, b] = [
      await environment.create({ network: 'one' }),
      await environment.create({ network: 'one' }),
    ];
    const stranger = await environment.create({ network: 'another' });
    await connect(environment, a, b);
    await a.connect(stranger.local.addresses.value[0] as string).catch(() => undefined);
    const [atB, atStranger] = [listen(b), listen(stranger)];
    await publishUntil(environment, { from: a, byte: 1 }, () => atB.heard.includes(1));
    expect(atStranger.heard).toEqual([]);
    expect(a.topic(NAME).peers).toEqual([b.local.peerId]);
  });
}

/** Subscribing and publishing. */
function subscriptionTests({ test }: Suite): void {
  test('has one subscriber, until that is disposed', async (environment) => {
    const { a, b } = await twoPeers(environment);
    const first = listen(b);
    expect(() => listen(b)).toThrow(InvalidArgumentError);
    await publishUntil(environment, { from: a, byte: 1 }, () => first.heard.includes(1));
    first.subscription[Symbol.dispose]();
    await until(environment, 'the end is known', () => a.topic(NAME).peers.length === 0);
    const second = listen(b);
    await publishUntil(environment, { from: a, byte: 2 }, () => second.heard.includes(2));
    expect(first.heard).not.toContain(2);
  });

  test('goes on when a subscriber throws', async (environment) => {
    const { a, b } = await twoPeers(environment);
    let isBroken = true;
    const atB = listen(b, () => {
      if (isBroken) throw new Error('a bug in the subscriber');
      return 'accept';
    });
    await publishUntil(environment, { from: a, byte: 1 }, () => atB.heard.includes(1));
    isBroken = false;
    await publishUntil(environment, { from: a, byte: 2 }, () => atB.heard.includes(2));
  });

  test('refuses to publish more than 1 MiB', async (environment) => {
    const { a } = await twoPeers(environment);
    const tooLarge = a.topic(NAME).publish(new Uint8Array(1024 * 1024 + 1));
    await expect(tooLarge).rejects.toBeInstanceOf(FrameTooLargeError);
  });

  test('is the same topic whenever it is asked for by name', async (environment) => {
    const a = await environment.create();
    expect(a.topic(NAME)).toBe(a.topic(NAME));
    expect(a.topic(NAME).name).toBe(NAME);
  });
}
