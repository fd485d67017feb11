import { bytesCodec, freeMemory } from '@mosaik/primitives';
import { type Link, lend, type Protocol, protocol } from '@mosaik/transport';
import type { Encryption } from '@mosaik/transport/libp2p';
import { describe, expect, it } from 'vitest';
import { addressOf, startNode } from '../support/nodes.ts';
import { until } from '../support/wait.ts';

const Bulk: Protocol<Uint8Array> = protocol({ name: 'integration/bulk', codec: bytesCodec });

const MESSAGES = 400;
/** From what is copied on the way to what takes several frames. */
const sizeOf = (index: number): number => 1_000 + ((index * 7_919) % 200_000);

/** Sends messages of memory that is taken away as soon as it has come back; returns how often it did. */
async function sendLent(link: Link<Uint8Array>): Promise<() => number> {
  let ended = 0;
  for (let index = 0; index < MESSAGES; index++) {
    const message = new Uint8Array(sizeOf(index)).fill(index);
    const loan = lend(message, () => {
      ended++;
      freeMemory(message);
    });
    loan.give(message.length);
    loan.close();
    await link.send(message);
  }
  await link.flushed();
  return () => ended;
}

/** Reads all, now and then after a break, and keeps it to the end: nothing that was read may be taken away. */
async function readAll(link: Link<Uint8Array>): Promise<Uint8Array[]> {
  const messages: Uint8Array[] = [];
  for await (const message of link) {
    messages.push(message);
    if (messages.length === MESSAGES) break;
    if (messages.length % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return messages;
}

/** Messages are exchanged, and the loans of `expectedEnds` of them come to their end. */
async function exchange(encryption: Encryption, expectedEnds: number): Promise<void> {
  const received = Promise.withResolvers<Uint8Array[]>();
  await using there = await startNode({ secretKey: 'memory, there', encryption: [encryption] });
  there.accept(Bulk, (link) => readAll(link).then(received.resolve, received.reject));
  await using here = await startNode({ secretKey: 'memory, here', encryption: [encryption] });
  await using link = await here.open(await here.connect(addressOf(there)), Bulk);
  const ended = await sendLent(link);
  const messages = await received.promise;
  const expected = Array.from({ length: MESSAGES }, (_, index) => Buffer.alloc(sizeOf(index), index & 0xff));
  expect(messages.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  expect(messages.findIndex((message, index) => !expected[index]?.equals(message))).toBe(-1);
  // What has arrived was written, and the word of that comes a moment later.
  await until('all that comes back is back', 5_000, () => ended() >= expectedEnds);
  expect(ended()).toBe(expectedEnds);
}

describe('memory that is lent to a link', () => {
  /** Messages of memory of up to this size are not worth a question. */
  const ASKED_BYTES = 8_192;
  const sizes = Array.from({ length: MESSAGES }, (_, index) => sizeOf(index));

  it('comes back over TLS when it was written; what arrives is whole', async () => {
    await exchange('tls', sizes.filter((size) => size > ASKED_BYTES).length);
  });

  it('does not over Noise, which says nothing; what arrives is whole', async () => {
    await exchange('noise', 0);
  });
});
