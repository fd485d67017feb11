import { systemRuntime, yieldNow } from '@mosaik/primitives';
import type { Link } from '@mosaik/transport';
import { expect, it } from 'vitest';
import { addressOf, startNode, startNodeProcess } from '../support/nodes.ts';
import { Hold } from '../support/protocols.ts';
import { untilStill, within } from '../support/wait.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const MESSAGES = 1_024;
const BYTES = 64 * KIB;
/** The default of `streamWindowBytes`. */
const WINDOW_BYTES = MIB;

interface FloodStats {
  readonly accepted: number;
  readonly unsentBytes: number;
  readonly end: string;
  readonly rssBytes: number;
}

it('a producer that outruns a reader that does not read holds a bounded number of bytes, and loses none', async () => {
  await using reader = await startNodeProcess({ secretKey: 'reader' });
  await using producer = await startNodeProcess({ secretKey: 'producer' });
  await producer.call('connect', reader.address);
  const before = await producer.call<FloodStats>('floodStats');
  const retainedBytes = {
    producer: await producer.call<number>('retainedBytes'),
    reader: await reader.call<number>('retainedBytes'),
  };
  const readerRssBytes = await reader.call<number>('rssBytes');

  await producer.call('flood', { peer: reader.peerId, messages: MESSAGES, bytes: BYTES });
  const stats = (): Promise<FloodStats> => producer.call('floodStats');
  await untilStill('what was accepted', 500, async () => (await stats()).accepted);

  const stalled = await stats();
  // What may be under way: both buffers, the window between them, a message over each buffer, and a frame in the stream.
  const boundBytes = Hold.sendBufferBytes + Hold.receiveBufferBytes + WINDOW_BYTES + 3 * BYTES;
  expect(stalled.end).toBe('none');
  expect(stalled.accepted * BYTES).toBeGreaterThan(WINDOW_BYTES / 2);
  expect(stalled.accepted * BYTES).toBeLessThanOrEqual(boundBytes);
  expect(stalled.unsentBytes).toBeLessThanOrEqual(Hold.sendBufferBytes + BYTES + 4);
  expect(stalled.rssBytes - before.rssBytes).toBeLessThan(32 * MIB);
  expect(await reader.call('unreadBytes')).toBeLessThanOrEqual(Hold.receiveBufferBytes + WINDOW_BYTES);
  expect((await reader.call<number>('rssBytes')) - readerRssBytes).toBeLessThan(32 * MIB);

  const read = await within('all is read', 30_000, reader.call('readHeld'));
  expect(read).toEqual({
    count: MESSAGES,
    outOfOrder: 0,
    end: { kind: 'closed', by: 'remote', code: 0, reason: '' },
  });
  // 64 MiB have gone through both, and neither holds on to them; compiled code and pools account for some 8 MiB.
  expect((await producer.call<number>('retainedBytes')) - retainedBytes.producer).toBeLessThan(16 * MIB);
  expect((await reader.call<number>('retainedBytes')) - retainedBytes.reader).toBeLessThan(16 * MIB);
});

it('a reader in sips, whose stream is resumed and paused again within, is never granted more than it reads', async () => {
  await using reader = await startNode({ secretKey: 'reader in sips' });
  await using producer = await startNode({ secretKey: 'producer for sips' });
  const opened = Promise.withResolvers<Link<Uint8Array>>();
  using _accepting = reader.accept(Hold, async (link) => {
    opened.resolve(link);
    await link.ended;
  });
  const link = await producer.open(await producer.connect(addressOf(reader)), Hold);
  const sending = (async () => {
    for (let sent = 0; sent < MESSAGES; sent++) await link.send(new Uint8Array(BYTES));
    await link.close();
  })();
  const held = await opened.promise;
  let count = 0;
  for (let message = await held.receive(); message !== undefined; message = await held.receive()) {
    count++;
    // Everything that was granted arrives before the next sip.
    for (let turn = 0; turn < 20; turn++) await yieldNow(systemRuntime);
  }
  await sending;
  expect(count).toBe(MESSAGES);
});
